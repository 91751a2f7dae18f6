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

export interface CallNodeOptions {
  /** Where its media is. */
  region: string;
  /** Media workers, each of a core. */
  workers: number;
  /** A process that has not renewed its lease for this long is dead, and so is what it carried. It is renewed three times as often. */
  leaseMs: number;
  /** This process was taken for dead while it could not answer: what it carries is carried elsewhere by now. */
  onRevived: () => Promise<void>;
}

/** This process, as other processes and the one after it know that it carries calls and holds people's connections. */
export class CallNode {
  readonly id = randomUUID();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly media: Pick<Media, 'state'>,
    private readonly log: Logger,
    private readonly options: CallNodeOptions,
  ) {}

  async start(): Promise<void> {
    await this.#renew(true);
    this.#timer = setInterval(() => {
      this.#renew(false).catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not renew the lease'));
    }, this.options.leaseMs / 3);
    this.#timer.unref();
  }

  /**
   * Where a new call's media goes: to the process with the fewest seats a worker in that region (by default that of this process), where none there has media, elsewhere; to this one unless another has clearly more room.
   * Throws CALLS_UNAVAILABLE with the remedy.
   */
  async choose(sql: Sql, region: string | null): Promise<string> {
    const state = this.media.state();
    const [chosen] = await sql<{ id: string }>(
      `select n.id from (
         select id, region, workers from call_nodes where case when id = $1 then $2 else media and lease_until > now() end order by region = $3 desc, id = $1 desc, random() limit $4
       ) n, lateral (
         select count(*) as seats from calls c join call_participants p on p.call_id = c.id where c.media_node = n.id and c.state <> 'ENDED' and p.state = 'JOINED'
       ) l
       order by n.region = $3 desc, l.seats::float8 / n.workers - case when n.id = $1 then $5 else 0 end, random() limit 1`,
      [this.id, state.state === 'ready', region ?? this.options.region, COMPARED, NEAR],
    );
    if (chosen) return chosen.id;
    if (state.state === 'ready') return this.id;
    throw unavailable(state);
  }

  /** Throws CALLS_UNAVAILABLE, with the remedy, where neither this process nor another has media. */
  async assertThere(sql: Sql): Promise<void> {
    const state = this.media.state();
    if (state.state === 'ready') return;
    if (!(await sql('select from call_nodes where media and lease_until > now() and id <> $1 limit 1', [this.id])).length) throw unavailable(state);
  }

  /** Says goodbye: nobody waits for the lease to lapse. */
  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.sql('delete from call_nodes where id = $1', [this.id]).catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not give the lease back'));
  }

  async #renew(first: boolean): Promise<void> {
    const [lease] = await this.sql<{ fresh: boolean }>(
      `insert into call_nodes (id, seen_at, lease_until, media, region, workers) values ($1, $2, now() + make_interval(secs => $3), $4, $5, $6)
       on conflict (id) do update set seen_at = excluded.seen_at, lease_until = excluded.lease_until, media = excluded.media returning xmax = 0 as fresh`,
      [this.id, this.clock.now(), this.options.leaseMs / 1000, this.media.state().state === 'ready', this.options.region, this.options.workers],
    );
    if (lease!.fresh && !first) await this.options.onRevived();
  }
}

const unavailable = ({ state, remedy }: Exclude<ReturnType<Media['state']>, { state: 'ready' }>): DomainError => new DomainError('CALLS_UNAVAILABLE', remedy, state === 'starting' ? { retryAfter: 5 } : {});
