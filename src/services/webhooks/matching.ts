import type { Tx } from '../../db/unit-of-work.js';
import { newId } from '../../lib/ids.js';

/** An event as a row: what both sources below answer. */
const OF_EVENT = `split_part(e.stream, ':', 1) as room, split_part(e.stream, ':', 2)::uuid as room_id`;
const FROM_CONSUMER = `select e.*, ${OF_EVENT} from unnest($1::text[], $2::bigint[], $3::text[], $4::jsonb[], $5::timestamptz[]) e(stream, pos, kind, ref, at)`;

/**
 * Which endpoints are to hear of which events (`e`): those that asked for the kind, of chats that their owner is in and could see then, and of the owner's own stream. That
 * the owner may see it is asked again when it is sent.
 */
const MATCH = `e.kind = any(w.kinds) and owner.suspended_at is null
  and case e.room when 'user' then e.room_id = w.owner_id
       when 'chat' then exists (select from chat_members m where m.chat_id = e.room_id and m.user_id = w.owner_id and m.visible_from_pos < e.pos) end
  and (w.chat_ids is null or case e.room when 'chat' then e.room_id else (e.ref->>'chatId')::uuid end = any(w.chat_ids))
  and (w.shop_ids is null or (select o.shop_id from orders o where o.id = (e.ref->>'orderId')::uuid) = any(w.shop_ids))`;
const MATCHED = `select w.id as "webhookId", e.stream, e.pos::int, e.kind, e.ref, e.at`;

export interface Match {
  webhookId: string;
  stream: string;
  pos: number;
  kind: string;
  ref: object;
  at: Date;
}

export interface Happened {
  stream: string;
  pos: number;
  kind: string;
  ref: object;
  at: Date;
}

/** Whose endpoints may be concerned, by stream: those of all others are not compared with the events at all. */
const CONCERNED = `select e.room, e.room_id, e.room_id as owner_id from e where e.room = 'user'
  union select c.room, c.room_id, m.user_id from (select distinct room, room_id from e where room = 'chat') c join chat_members m on m.chat_id = c.room_id
    where exists (select from webhooks a where a.owner_id = m.user_id and a.state = 'ACTIVE')`;

/** For which active endpoints these are. Locks them, against what takes them out of service. */
export const matchesOf = (tx: Tx, events: readonly Happened[]): Promise<Match[]> =>
  tx.sql<Match>(
    `with e as materialized (${FROM_CONSUMER}), concerned as materialized (${CONCERNED})
     ${MATCHED} from concerned k join webhooks w on w.owner_id = k.owner_id join users owner on owner.id = w.owner_id join e on e.room = k.room and e.room_id = k.room_id and ${MATCH} where w.state = 'ACTIVE' and e.at >= w.since order by e.at, e.stream, e.pos, w.id for key share of w`,
    [events.map((event) => event.stream), events.map((event) => event.pos), events.map((event) => event.kind), events.map((event) => JSON.stringify(event.ref)), events.map((event) => event.at)],
  );

/** What one endpoint would have been told since then, from the log, oldest first. */
export const matchesSince = (tx: Tx, webhookId: string, since: Date, limit: number): Promise<Match[]> =>
  tx.sql<Match>(
    `with w as (select * from webhooks where id = $1), streams as (
       select 'user:' || owner_id as stream from w union all select 'chat:' || m.chat_id from w join chat_members m on m.user_id = w.owner_id where w.chat_ids is null or m.chat_id = any(w.chat_ids)),
     e as (select e.stream, e.pos, e.kind, e.ref, e.at, ${OF_EVENT} from streams s join events e on e.stream = s.stream where e.at >= $2)
     ${MATCHED} from w join users owner on owner.id = w.owner_id join e on ${MATCH} order by e.at, e.stream, e.pos limit $3`,
    [webhookId, since, limit],
  );

/** Puts them into the queues of their endpoints; those that are there already once more, if `again`. Answers how many wait by it. */
export async function enqueue(tx: Tx, matches: readonly Match[], again: boolean): Promise<number> {
  if (!matches.length) return 0;
  const rows = await tx.sql<{ id: string }>(
    `insert into webhook_deliveries as d (id, webhook_id, stream, pos, kind, ref, at, due_at)
     select *, $8 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::jsonb[], $7::timestamptz[])
     on conflict (webhook_id, stream, pos) do ${again ? `update set state = 'PENDING', attempts = 0, due_at = excluded.due_at, settled_at = null where d.state <> 'PENDING'` : 'nothing'} returning id`,
    [
      matches.map(() => newId()), matches.map((match) => match.webhookId), matches.map((match) => match.stream), matches.map((match) => match.pos), matches.map((match) => match.kind),
      matches.map((match) => JSON.stringify(match.ref)), matches.map((match) => match.at), tx.now,
    ],
  );
  await wakeEndpoints(tx, [...new Set(matches.map((match) => match.webhookId))].sort());
  return rows.length;
}

/** There is something to send to them now, or as soon as they are not left alone any more. Locked by a statement of its own, so that the next sees what whoever held them has written. */
export async function wakeEndpoints(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.sql('select from webhooks where id = any($1) order by id for no key update', [ids]);
  await tx.sql('update webhooks set next_at = least(next_at, greatest(paused_until, $2)) where id = any($1)', [ids, tx.now]);
}
