import type { LoaderDef } from '../../db/loaders.js';
import { inOrder } from '../../db/loaders.js';

export interface PresenceRow {
  id: string;
  status: 'ONLINE' | 'AWAY' | 'OFFLINE';
  lastSeenAt: Date | null;
}

/**
 * Whether people are there, whoever asks: whether the viewer may know is the caller's question. A connection counts as long as
 * its node's lease stands. Leases run on the database's clock, which all nodes share.
 */
export const presenceOf: LoaderDef<string, PresenceRow> = {
  async batch(ids, { sql }) {
    const rows = await sql<PresenceRow>(
      `select u.id, coalesce(p.status, 'OFFLINE') as status, case when p.status is null then u.last_seen_at end as "lastSeenAt"
       from users u left join lateral (
         select case when bool_or(not s.away) then 'ONLINE' when bool_or(s.away) then 'AWAY' end as status
         from presence p join nodes n on n.id = p.node_id and n.lease_until > now() join sessions s on s.id = p.session_id and s.ended_at is null
         where p.user_id = u.id) p on true
       where u.id = any($1)`,
      [ids],
    );
    return inOrder(ids, rows, (row) => row.id);
  },
};
