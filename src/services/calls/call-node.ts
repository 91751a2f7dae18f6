import { randomUUID } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Media } from '../../media/contract.js';

/** Processes that are compared when a call is given to one: of many, some at random. */
const COMPARED = 8;
/** With so many more seats a media worker than elsewhere a call is still carried by the process that was asked: what is asked of another takes the way over the bus. */
const NEAR = 4;

/** Until the lease is tried again that could not be renewed. */
const AGAIN_MS = 250;

const FIRST_ALONE_MS = 60_000;
const MOST_ALONE_MS = 3_600_000;

export interface CallNodeOptions {
  /** Where its media is. */
  region: string;
  /** Media workers, each of a core. */
  workers: number;
  /** Seats of one call before the next ones go to another node; 0: none of its calls is shared. */
  capacity: number;
  /** A process that has not renewed its lease for this long is dead, and so is what it carried. It is renewed three times as often. */
  leaseMs: number;
  /** The lease had lapsed: this process may have been taken for dead meanwhile, and what it carries be carried elsewhere by now. */
  onRevived: () => Promise<void>;
}

/** What a process that stops says to whoever would begin a call in it. */
const RETIRED = { state: 'starting', remedy: 'This server stops: try again in a moment.' } as const;

/** This process, as other processes and the one after it know that it carries calls and holds people's connections. */
export class CallNode {
  readonly id = randomUUID();
  #timer: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | undefined;
  #closed = false;
  /** Until when the lease stands, and since when it has stood without a break, by this process's own clock; from the start on it is taken to have always stood. */
  #lease = { until: 0, since: -Infinity };
  /** For how long it shares no calls after it could not reach another node, and until when. */
  #alone = { ms: FIRST_ALONE_MS, until: 0 };
  #retired = false;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly media: Pick<Media, 'state'>,
    private readonly log: Logger,
    private readonly options: CallNodeOptions,
  ) {}

  async start(): Promise<void> {
    await this.#renew(true);
    this.#timer = setInterval(() => void this.#beat(), this.options.leaseMs / 3);
    this.#timer.unref();
  }

  /**
   * Whether this process may take others for dead: not while its own lease has lapsed or just now stands again, since then the database was away, and all are late to say that
   * they live.
   */
  get steady(): boolean {
    const now = performance.now();
    return now < this.#lease.until && now - this.#lease.since >= this.options.leaseMs;
  }

  /**
   * Where a new call's media goes: to the process with the fewest seats a worker in that region (by default that of this process), where none there has media, elsewhere; to this one unless another has clearly more room.
   * Throws CALLS_UNAVAILABLE with the remedy.
   */
  async choose(sql: Sql, region: string | null): Promise<string> {
    const state = this.#state;
    const [chosen] = await sql<{ id: string }>(
      `select n.id from (
         select id, region, workers from call_nodes where case when id = $1 then $2 else media and lease_until > now() end order by region = $3 desc, id = $1 desc, random() limit $4
       ) n, lateral (
         select count(*) as seats from call_participants p where p.media_node = n.id and p.state = 'JOINED'
       ) l
       order by n.region = $3 desc, l.seats::float8 / n.workers - case when n.id = $1 then $5 else 0 end, random() limit 1`,
      [this.id, state.state === 'ready', region ?? this.options.region, COMPARED, NEAR],
    );
    if (chosen) return chosen.id;
    if (state.state === 'ready') return this.id;
    throw unavailable(state);
  }

  /** Whether a process that carries calls is there. */
  async lives(sql: Sql, node: string): Promise<boolean> {
    return (await sql('select from call_nodes where id = $1 and lease_until > now()', [node])).length > 0;
  }

  /**
   * Where somebody's media goes who joins a call that goes on: to its home, if that is in their region (by default that of this process) and has room for more of the call; else to
   * a node with room that is there, by preference one that has seats of the call already. Null: its home is gone.
   */
  async near(sql: Sql, { id, mediaNode }: { id: string; mediaNode: string }, region: string | null): Promise<string | null> {
    const near = region ?? this.options.region;
    const [home] = await sql<{ region: string; capacity: number; seats: number }>(
      `select n.region, n.capacity, (select count(*)::int from call_participants p where p.call_id = $2 and p.state = 'JOINED' and p.media_node = n.id) as seats from call_nodes n where n.id = $1 and n.lease_until > now()`,
      [mediaNode, id],
    );
    if (!home) return null;
    if (home.capacity === 0 || (home.region === near && home.seats < home.capacity)) return mediaNode;
    const [chosen] = await sql<{ id: string }>(
      `select n.id from (
         select id, region, workers, capacity from call_nodes where media and capacity > 0 and lease_until > now() and (region = $3 or region = $4) order by region = $3 desc, id = $2 desc, random() limit $5
       ) n, lateral (
         select count(*) filter (where p.call_id = $1) as here, count(*) as seats from call_participants p where p.media_node = n.id and p.state = 'JOINED'
       ) l
       order by l.here >= n.capacity, n.region = $3 desc, case when l.here >= n.capacity then l.here::float8 / n.capacity else 0 end, l.here > 0 desc, n.id = $2 desc, l.seats::float8 / n.workers, random() limit 1`,
      [id, mediaNode, near, home.region, COMPARED],
    );
    return chosen?.id ?? mediaNode;
  }

  /** Throws CALLS_UNAVAILABLE, with the remedy, where neither this process nor another has media. */
  async assertThere(sql: Sql): Promise<void> {
    const state = this.#state;
    if (state.state === 'ready') return;
    if (!(await sql('select from call_nodes where media and lease_until > now() and id <> $1 limit 1', [this.id])).length) throw unavailable(state);
  }

  /** This process and another that carries calls can't reach each other: it shares none for a minute, and longer each time. */
  async shareNone(): Promise<void> {
    const { ms, until } = this.#alone;
    const now = performance.now();
    if (now < until) return;
    this.#alone = { ms: Math.min(ms * 2, MOST_ALONE_MS), until: now + ms };
    await this.#renew(false);
  }

  /** It stops: nobody is seated here any more, by itself or by others. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.#renew(false);
  }

  /** Says goodbye: nobody waits for the lease to lapse. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    clearTimeout(this.#again);
    await this.sql('delete from call_nodes where id = $1', [this.id]).catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not give the lease back'));
  }

  get #state(): ReturnType<Media['state']> {
    return this.#retired ? RETIRED : this.media.state();
  }

  /** Renews the lease; where that fails it is tried again and again, so that it stands as soon as the database is back. */
  async #beat(): Promise<void> {
    clearTimeout(this.#again);
    try {
      await this.#renew(false);
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'calls: could not renew the lease');
      clearTimeout(this.#again);
      if (!this.#closed) this.#again = setTimeout(() => void this.#beat(), AGAIN_MS).unref();
    }
  }

  async #renew(first: boolean): Promise<void> {
    const asked = performance.now();
    const [lease] = await this.sql<{ fresh: boolean }>(
      `insert into call_nodes (id, seen_at, lease_until, media, region, workers, capacity) values ($1, $2, now() + make_interval(secs => $3), $4, $5, $6, $7)
       on conflict (id) do update set seen_at = excluded.seen_at, lease_until = excluded.lease_until, media = excluded.media, capacity = excluded.capacity returning xmax = 0 as fresh`,
      [this.id, this.clock.now(), this.options.leaseMs / 1000, this.#state.state === 'ready', this.options.region, this.options.workers, performance.now() < this.#alone.until ? 0 : this.options.capacity],
    );
    const now = performance.now();
    const lapsed = !first && (lease!.fresh || now >= this.#lease.until);
    this.#lease = { until: asked + this.options.leaseMs, since: lapsed ? now : this.#lease.since };
    if (lapsed) await this.options.onRevived();
  }
}

const unavailable = ({ state, remedy }: Exclude<ReturnType<Media['state']>, { state: 'ready' }>): DomainError => new DomainError('CALLS_UNAVAILABLE', remedy, state === 'starting' ? { retryAfter: 5 } : {});
