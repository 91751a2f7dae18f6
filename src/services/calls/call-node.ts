import { randomUUID } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Media } from '../../media/contract.js';

export interface CallNodeOptions {
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

  /** Where a new call's media goes: here when it can be had here, else to a process that has it. Throws CALLS_UNAVAILABLE with the remedy. */
  async choose(sql: Sql): Promise<string> {
    const state = this.media.state();
    if (state.state === 'ready') return this.id;
    const [other] = await sql<{ id: string }>('select id from call_nodes where media and lease_until > now() and id <> $1 order by random() limit 1', [this.id]);
    if (other) return other.id;
    throw new DomainError('CALLS_UNAVAILABLE', state.remedy, state.state === 'starting' ? { retryAfter: 5 } : {});
  }

  /** Says goodbye: nobody waits for the lease to lapse. */
  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.sql('delete from call_nodes where id = $1', [this.id]).catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not give the lease back'));
  }

  async #renew(first: boolean): Promise<void> {
    const [lease] = await this.sql<{ fresh: boolean }>(
      `insert into call_nodes (id, seen_at, lease_until, media) values ($1, $2, now() + make_interval(secs => $3), $4)
       on conflict (id) do update set seen_at = excluded.seen_at, lease_until = excluded.lease_until, media = excluded.media returning xmax = 0 as fresh`,
      [this.id, this.clock.now(), this.options.leaseMs / 1000, this.media.state().state === 'ready'],
    );
    if (lease!.fresh && !first) await this.options.onRevived();
  }
}
