import type { Sql } from '../db/database.js';
import type { EventRef, LoggedEvent } from './catalogue.js';

export interface PendingEvent {
  stream: string;
  event: EventRef;
}

/** Events of one stream as they were committed, in order. */
export interface Published {
  stream: string;
  epoch: string;
  events: LoggedEvent[];
}

export interface StreamHead {
  epoch: string;
  head: number;
}

/**
 * Writes a transaction's events. The stream rows are locked in the order of their names and stay locked until commit:
 * that is what makes offsets gapless and their order the order of commits.
 */
export async function appendEvents(sql: Sql, pending: readonly PendingEvent[], now: Date): Promise<Published[]> {
  if (!pending.length) return [];
  const byStream = new Map<string, EventRef[]>();
  for (const { stream, event } of pending) {
    const events = byStream.get(stream);
    if (events) events.push(event);
    else byStream.set(stream, [event]);
  }
  const streams = [...byStream.keys()].sort();
  const rows: { stream: string; n: number; kind: string; ref: object }[] = [];
  for (const stream of streams) byStream.get(stream)!.forEach(({ kind, ...ref }, index) => rows.push({ stream, n: index + 1, kind, ref }));
  const heads = await sql<{ id: string; epoch: string; before: string }>(
    `with wanted as (select * from unnest($1::text[], $2::int[]) w(id, n)),
          made as (insert into streams (id) select id from wanted where not exists (select from streams s where s.id = wanted.id) order by id on conflict do nothing),
          locked as (select s.id from streams s where s.id = any($1) order by s.id for update)
     update streams s set head = s.head + w.n from wanted w join locked l using (id) where s.id = w.id returning s.id, s.epoch, s.head - w.n as before`,
    [streams, streams.map((stream) => byStream.get(stream)!.length)],
  );
  const missing = streams.filter((stream) => !heads.some((head) => head.id === stream));
  // A stream's row is made with its first event; the statement above can't update the row that it has just made.
  if (missing.length) {
    heads.push(
      ...(await sql<{ id: string; epoch: string; before: string }>(
        `update streams s set head = s.head + w.n from unnest($1::text[], $2::int[]) w(id, n) where s.id = w.id returning s.id, s.epoch, s.head - w.n as before`,
        [missing, missing.map((stream) => byStream.get(stream)!.length)],
      )),
    );
  }
  const headOf = new Map(heads.map((head) => [head.id, { epoch: head.epoch, before: Number(head.before) }]));
  await sql(
    `insert into events (stream, pos, kind, ref, at) select * from unnest($1::text[], $2::bigint[], $3::text[], $4::jsonb[], array_fill($5::timestamptz, array[cardinality($1::text[])]))`,
    [rows.map((row) => row.stream), rows.map((row) => headOf.get(row.stream)!.before + row.n), rows.map((row) => row.kind), rows.map((row) => JSON.stringify(row.ref)), now],
  );
  return streams.map((stream) => {
    const { epoch, before } = headOf.get(stream)!;
    return { stream, epoch, events: byStream.get(stream)!.map((ref, index) => ({ pos: before + index + 1, at: now.getTime(), ref })) };
  });
}

/** Reads the log and the heads of streams. */
export class EventLog {
  constructor(private readonly sql: Sql) {}

  async heads(streams: string[]): Promise<Map<string, StreamHead>> {
    const rows = await this.sql<{ id: string; epoch: string; head: string }>('select id, epoch, head from streams where id = any($1)', [streams]);
    return new Map(rows.map((row) => [row.id, { epoch: row.epoch, head: Number(row.head) }]));
  }

  /** A stream's head; a stream without events is made, so that its epoch is known before its first event. */
  async head(stream: string): Promise<StreamHead> {
    const found = (await this.heads([stream])).get(stream);
    if (found) return found;
    await this.sql('insert into streams (id) values ($1) on conflict do nothing', [stream]);
    return (await this.heads([stream])).get(stream)!;
  }

  /**
   * The events after `after`, up to and including `upTo`, oldest first. The result starts at a later offset than
   * `after + 1` when older events have been dropped: the caller compares.
   */
  async read(stream: string, after: number, upTo: number, limit: number): Promise<LoggedEvent[]> {
    const rows = await this.sql<{ pos: string; kind: string; ref: object; at: Date }>(
      'select pos, kind, ref, at from events where stream = $1 and pos > $2 and pos <= $3 order by pos limit $4',
      [stream, after, upTo, limit],
    );
    return rows.map((row) => ({ pos: Number(row.pos), at: row.at.getTime(), ref: { kind: row.kind, ...row.ref } as EventRef }));
  }
}
