import { randomUUID } from 'node:crypto';
import type { Sql } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Actor } from './actor.js';
import type { PresenceNews } from './presence-news.js';

export interface PresenceOptions {
  /** A node that has not renewed its lease for this long is dead, and nobody is there through it. It is renewed three times as often. */
  leaseMs: number;
}

/** What comes and goes is written this often at the most, together. */
const WRITE_EVERY_MS = 200;
/** Who comes back within this has not been away: a reconnect does not flicker. */
const GRACE_MS = 2_000;

/** A session that has, or just had, connections to this node. */
interface Held {
  userId: string;
  connections: Set<string>;
  /** Its row stands, as far as this node knows. */
  written: boolean;
  /** When its last connection ended, by the monotonic clock. */
  leftAt: number;
}

/**
 * Who is connected to this node, kept where all nodes see it. Sessions are counted, so a person is there as long as any of
 * their devices is, anywhere; a node that dies takes nobody's place for longer than its lease.
 */
export class PresenceService {
  readonly #node = randomUUID();
  readonly #held = new Map<string, Held>();
  /** Sessions whose row may have to be written or taken away. */
  readonly #unsettled = new Set<string>();
  #writeTimer: NodeJS.Timeout | null = null;
  #leaseTimer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly news: PresenceNews,
    private readonly log: Logger,
    private readonly options: PresenceOptions,
  ) {}

  async start(): Promise<void> {
    await this.#renew();
    this.#leaseTimer = setInterval(() => void this.#beat(), this.options.leaseMs / 3);
    this.#leaseTimer.unref();
  }

  connected({ userId, sessionId }: Actor, connectionId: string): void {
    let held = this.#held.get(sessionId);
    if (!held) this.#held.set(sessionId, (held = { userId, connections: new Set(), written: false, leftAt: 0 }));
    held.connections.add(connectionId);
    if (!held.written) this.#settleSoon(sessionId);
  }

  disconnected({ sessionId }: Actor, connectionId: string): void {
    const held = this.#held.get(sessionId);
    if (!held?.connections.delete(connectionId) || held.connections.size) return;
    held.leftAt = performance.now();
    this.#settleSoon(sessionId);
  }

  /** Says of the actor's session that nobody looks at it, or that somebody does again. It holds until the session has no connection any more. */
  async set(actor: Actor, status: 'ONLINE' | 'AWAY'): Promise<void> {
    const changed = await this.sql('update sessions set away = $2 where id = $1 and away <> $2 returning 1', [actor.sessionId, status === 'AWAY']);
    // A connection that has just come counts in what is answered.
    await this.#write();
    if (changed.length) this.news.tell([actor.userId]);
  }

  /** Leaves the lease a moment, in which people reconnect elsewhere; whoever finds it lapsed then clears up behind this node. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#writeTimer) clearTimeout(this.#writeTimer);
    if (this.#leaseTimer) clearInterval(this.#leaseTimer);
    await this.#writing;
    await this.sql('update nodes set lease_until = least(lease_until, now() + make_interval(secs => $2)) where id = $1', [this.#node, GRACE_MS / 1000]).catch((error: Error) =>
      this.log.warn({ error: error.message }, 'presence: could not give the lease back'),
    );
  }

  #settleSoon(sessionId: string): void {
    this.#unsettled.add(sessionId);
    this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#closed || this.#writeTimer) return;
    this.#writeTimer = setTimeout(() => {
      this.#writeTimer = null;
      void this.#write();
    }, WRITE_EVERY_MS);
    this.#writeTimer.unref();
  }

  /** One writing at a time. Never rejects: what could not be written is tried again. */
  #write(): Promise<void> {
    return (this.#writing = this.#writing.then(async () => {
      try {
        await this.#writeNow();
      } catch (error) {
        this.log.warn({ error: (error as Error).message }, 'presence: could not write who is connected');
      }
      if (this.#unsettled.size) this.#writeSoon();
    }));
  }

  async #writeNow(): Promise<void> {
    const come: string[] = [];
    const gone: string[] = [];
    for (const id of this.#unsettled) {
      const held = this.#held.get(id)!;
      if (held.connections.size) {
        if (held.written) this.#unsettled.delete(id);
        else come.push(id);
      } else if (performance.now() - held.leftAt >= GRACE_MS) gone.push(id);
    }
    if (come.length) {
      const userIds = come.map((id) => this.#held.get(id)!.userId);
      // The share lock keeps this node from being swept in between. Swept already, nothing is written: the next renewal writes everybody anew.
      await this.sql(
        `insert into presence (session_id, node_id, user_id) select s.id, n.id, s.user_id from unnest($1::uuid[], $2::uuid[]) s(id, user_id), nodes n where n.id = $3
         order by s.id for share of n on conflict do nothing`,
        [come, userIds, this.#node],
      );
      for (const id of come) {
        this.#held.get(id)!.written = true;
        if (this.#held.get(id)!.connections.size) this.#unsettled.delete(id);
      }
      this.news.tell(new Set(userIds));
    }
    if (gone.length) await this.#takeAway(gone);
  }

  async #takeAway(sessionIds: string[]): Promise<void> {
    const userIds = [...new Set(sessionIds.map((id) => this.#held.get(id)!.userId))];
    await this.sql('delete from presence where session_id = any($1) and node_id = $2', [sessionIds, this.#node]);
    await this.sql(
      `update sessions s set away = false from (select id from sessions where id = any($1) and away order by id for no key update) l
       where s.id = l.id and not exists (select from presence p where p.session_id = s.id)`,
      [sessionIds],
    );
    await this.#leave(userIds, userIds.map(() => this.clock.now()));
    for (const id of sessionIds) {
      const held = this.#held.get(id)!;
      held.written = false;
      // Back while the row was being taken away: it stays unsettled, and is written again.
      if (held.connections.size) continue;
      this.#unsettled.delete(id);
      this.#held.delete(id);
    }
    this.news.tell(userIds);
  }

  /** Notes when those were last seen who have no connection left, on any node. Asked after the rows are gone, so of two nodes the later notes it. */
  async #leave(userIds: string[], seenAt: Date[]): Promise<void> {
    await this.sql(
      `update users u set last_seen_at = greatest(u.last_seen_at, l.seen_at)
       from (select u.id, g.seen_at from unnest($1::uuid[], $2::timestamptz[]) g(id, seen_at) join users u on u.id = g.id order by u.id for no key update of u) l
       where u.id = l.id and not exists (select from presence p where p.user_id = u.id)`,
      [userIds, seenAt],
    );
  }

  async #beat(): Promise<void> {
    try {
      await this.#renew();
      await this.#sweep();
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'presence: could not renew the lease');
    }
  }

  async #renew(): Promise<void> {
    const [lease] = await this.sql<{ fresh: boolean }>(
      `insert into nodes (id, lease_until) values ($1, now() + make_interval(secs => $2))
       on conflict (id) do update set lease_until = excluded.lease_until returning xmax = 0 as fresh`,
      [this.#node, this.options.leaseMs / 1000],
    );
    if (!lease!.fresh) return;
    // Swept by another node while this one could not answer, or lost with the unlogged tables: everybody is written anew.
    for (const [id, held] of this.#held) {
      held.written = false;
      this.#settleSoon(id);
    }
  }

  /** Clears up behind nodes that have died: each by one of the others. Their people were last seen when the lease lapsed. */
  async #sweep(): Promise<void> {
    const left = await this.sql<{ userId: string; seenAt: Date }>(
      `with dead as (select id, lease_until from nodes where lease_until < now() for update skip locked),
            gone as (delete from presence p using dead where p.node_id = dead.id returning p.user_id, dead.lease_until),
            dropped as (delete from nodes n using dead where n.id = dead.id)
       select user_id as "userId", max(lease_until) as "seenAt" from gone group by user_id`,
    );
    if (!left.length) return;
    const userIds = left.map((row) => row.userId);
    await this.#leave(userIds, left.map((row) => row.seenAt));
    this.news.tell(userIds);
  }
}
