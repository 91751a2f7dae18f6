import type { Sql } from '../db/database.js';
import type { EventRef, LoggedEvent } from './catalogue.js';

/** An event as a consumer of the whole log gets it. */
export interface ConsumedEvent extends LoggedEvent {
  stream: string;
}

/** How far a reader has come: everything up to here, and what it took `ahead`. Plain JSON. */
export interface LogPosition {
  xid: string;
  stream: string;
  pos: number;
  /** By stream: up to which offset it was read before its transaction's turn, and the transaction from whose end on that is of no more use. */
  ahead: Record<string, [pos: number, untilXid: string]>;
}

export interface LogRead {
  /** Each with the position of who has taken it and everything before it. */
  events: { event: ConsumedEvent; after: LogPosition }[];
  /** The position of who has taken all of them. */
  end: LogPosition;
  /** Whether there may be more already. */
  more: boolean;
}

interface Row {
  stream: string;
  pos: string;
  kind: string;
  ref: object;
  at: Date;
  xid: string;
  due: string;
}

/**
 * Reads the log of all streams in one order, from which nothing can be missing later: by transactions, and only those below the
 * oldest that still runs.
 *
 * Transactions get their ids when they first write, and the offset in a stream when they end. So of two in one stream the
 * younger id may stand first; its events are then read early, together with the older one's, which they precede, and left out
 * when their own turn comes. An event that precedes a committed one in its stream is committed itself: it can be read.
 * That keeps, in each stream, the order of its offsets.
 * It reads at most `limit` events, and those that come early with them.
 */
export async function readInCommitOrder(sql: Sql, from: LogPosition, limit: number): Promise<LogRead> {
  const rows = await sql<Row>(
    `with recursive due as materialized (
       select stream, pos, kind, ref, at, xid from events
       where xid >= $1::xid8 and (xid, stream, pos) > ($1::xid8, $2::text, $3::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
       order by xid, stream, pos limit $4
     ), early as (
       select e.stream, e.pos, e.kind, e.ref, e.at, e.xid, d.xid as due from due d join events e on e.stream = d.stream and e.pos = d.pos - 1 where e.xid > d.xid
       union all
       select e.stream, e.pos, e.kind, e.ref, e.at, e.xid, y.due from early y join events e on e.stream = y.stream and e.pos = y.pos - 1 where e.xid > y.due
     )
     select stream, pos, kind, ref, at, xid::text, due::text from (select *, xid as due from due union all select * from early) turns order by turns.due, stream, pos`,
    [from.xid, from.stream, from.pos, limit],
  );
  const events: LogRead['events'] = [];
  let ahead = from.ahead;
  let inTurn = 0;
  let due: string | null = null;
  for (const row of rows) {
    const { stream } = row;
    const pos = Number(row.pos);
    if (row.xid === row.due) inTurn++;
    if ((ahead[stream]?.[0] ?? 0) >= pos) continue;
    if (row.xid !== row.due) {
      const until = ahead[stream]?.[1];
      ahead = { ...ahead, [stream]: [pos, until !== undefined && BigInt(until) > BigInt(row.xid) ? until : row.xid] };
    }
    if (row.due !== due) ahead = withoutPast(ahead, (due = row.due));
    events.push({ event: { stream, pos, at: row.at.getTime(), ref: { kind: row.kind, ...row.ref } as EventRef }, after: { xid: row.due, stream, pos, ahead } });
  }
  const last = rows.at(-1);
  return { events, end: last ? { xid: last.due, stream: last.stream, pos: Number(last.pos), ahead } : from, more: inTurn === limit };
}

/** Drops what transactions before `xid` were read ahead for: their turn is over. */
function withoutPast(ahead: LogPosition['ahead'], xid: string): LogPosition['ahead'] {
  const entries = Object.entries(ahead);
  const kept = entries.filter(([, [, until]]) => BigInt(until) >= BigInt(xid));
  return kept.length === entries.length ? ahead : Object.fromEntries(kept);
}
