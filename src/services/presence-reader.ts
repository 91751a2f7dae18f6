import type { Sql } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import { maySeePresence, type PresenceSight } from '../policies/presence-policy.js';
import { presenceOf, type PresenceRow } from './loaders/presence.js';

export interface Sighting {
  viewerId: string;
  userId: string;
}

/** Whom many viewers see, in two statements. */
export class PresenceReader {
  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  /** What each viewer may see of each person now, in the order asked; null for nothing. */
  async read(sightings: readonly Sighting[]): Promise<(PresenceRow | null)[]> {
    const rows = await this.sql<Omit<PresenceSight, 'self'> & { n: number }>(
      `select k.n::int, u.presence_privacy as privacy, exists (select from contacts c where c.owner_id = k.user_id and c.contact_id = k.viewer_id) as "contactOfOwner",
              exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((k.user_id, k.viewer_id), (k.viewer_id, k.user_id))) as blocked
       from unnest($1::uuid[], $2::uuid[]) with ordinality k(viewer_id, user_id, n) join users u on u.id = k.user_id`,
      [sightings.map((sighting) => sighting.viewerId), sightings.map((sighting) => sighting.userId)],
    );
    const seen = new Set<number>();
    for (const { n, ...row } of rows) {
      const { viewerId, userId } = sightings[n - 1]!;
      if (maySeePresence({ ...row, self: viewerId === userId })) seen.add(n - 1);
    }
    const userIds = [...new Set([...seen].map((index) => sightings[index]!.userId))];
    const found = await presenceOf.batch(userIds, { sql: this.sql, viewerId: null, now: this.clock.now() });
    const presences = new Map(userIds.map((id, index) => [id, found[index] ?? null]));
    return sightings.map(({ userId }, index) => (seen.has(index) ? (presences.get(userId) ?? null) : null));
  }
}
