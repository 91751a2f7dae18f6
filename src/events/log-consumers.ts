import { randomUUID } from 'node:crypto';
import type { Sql } from '../db/database.js';
import { isConflict, isUnavailable } from '../db/failures.js';
import { DomainError } from '../lib/errors.js';
import { inTime } from '../lib/in-time.js';
import type { Logger } from '../lib/logger.js';
import type { EventKind } from './catalogue.js';
import type { Hub } from './hub.js';
import { readInCommitOrder, type ConsumedEvent, type LogPosition, type LogRead } from './commit-order.js';

/**
 * What must follow from events, whatever happens to the process that committed them. Each event comes at least once, and in
 * each stream in order; an event whose transaction rolls back never comes.
 */
export interface LogConsumer {
  /** Its position is kept under this name: a new name begins anew. */
  readonly name: string;
  readonly kinds: readonly EventKind[];
  /** Where it begins at its very first start: with what is committed from then on, or with all that the log holds. */
  readonly from: 'now' | 'start';
  /** In place of the usual `roundEveryMs`, for what may come a little later. */
  readonly roundEveryMs?: number;
  /**
   * Takes some events, in order: in one transaction, or so that a repeat does no harm. What asks the outside world belongs into a job that is
   * enqueued here. When it throws, the events come again; one that fails by itself TRIES times is set aside. What passes
   * (PostgreSQL is away, a DomainError with `retryAfter`) is waited for without counting.
   */
  handle(events: ConsumedEvent[]): Promise<void>;
}

export interface ConsumerFigures {
  name: string;
  /** Whether this process works for it. */
  held: boolean;
  /** How long the oldest event that has not been taken has waited, seconds. */
  lag: number;
  /** Since the start of this process: events handed over, failures, events set aside. */
  taken: number;
  failed: number;
  setAside: number;
}

export interface ConsumerTiming {
  /** Looked for without being woken, this often. */
  pollMs: number;
  /** Events gather for this long. */
  gatherMs: number;
  /** So many rounds follow each other like that; where events never cease, there is one in so many milliseconds, for all that has gathered. */
  freeRounds: number;
  roundEveryMs: number;
  /** A process that has not renewed its hold for this long is taken for dead. */
  leaseMs: number;
  /** The pause after a first failure; doubled with each further one. */
  retryMs: number;
  /** An event that takes longer has failed. */
  patienceMs: number;
}

export const CONSUMER_TIMING: ConsumerTiming = { pollMs: 2_000, gatherMs: 50, freeRounds: 20, roundEveryMs: 250, leaseMs: 15_000, retryMs: 250, patienceMs: 60_000 };

/** Events that are read, and handed over, at once. */
export const CONSUMER_BATCH = 1_000;
/** How often an event is tried before it is set aside. */
export const CONSUMER_TRIES = 5;
const MAX_PAUSE_MS = 30_000;
const MAX_ERROR = 1_000;
const MEASURE_EVERY_MS = 1_000;

interface Hold {
  position: LogPosition;
  /** How often the event behind the position has failed. Above 0 events are handed over one by one, and each try is written down before it is made, should the process die of it. */
  stumbles: number;
}

/** Works for one consumer, in whichever process holds it. */
export class ConsumerLoop {
  readonly #id = randomUUID();
  #hold: Hold | null = null;
  #loop: Promise<void> | null = null;
  #stopping = false;
  #woken = false;
  #wake: (() => void) | null = null;
  #measuredAt = -Infinity;
  #renewedAt = -Infinity;
  /** Rounds that need not wait, as of then. */
  #free: number;
  #freeAt = performance.now();
  /** After a failure the next are few, so that what failed is soon alone. */
  #batch = CONSUMER_BATCH;
  #lastError = 'its process ended while it was taken';
  readonly figures: ConsumerFigures;

  constructor(
    readonly consumer: LogConsumer,
    private readonly sql: Sql,
    private readonly log: Pick<Logger, 'warn' | 'error'>,
    private readonly timing: ConsumerTiming,
  ) {
    this.#free = timing.freeRounds;
    this.figures = { name: consumer.name, held: false, lag: 0, taken: 0, failed: 0, setAside: 0 };
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There is something new in the log. */
  wake(): void {
    this.#woken = true;
    if (this.#hold) this.#wake?.();
  }

  /** Ends after what is being handed over, and gives the hold back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping) {
      let pause = this.timing.pollMs;
      let wakeable = true;
      try {
        this.#woken = false;
        this.#hold ??= await this.#acquire();
        this.figures.held = this.#hold !== null;
        const more = this.#hold ? await this.#round(this.#hold) : false;
        failures = 0;
        if (more) pause = 0;
        await this.#measure();
      } catch (error) {
        wakeable = false;
        pause = Math.min(this.timing.retryMs * 2 ** failures++, MAX_PAUSE_MS);
        this.log.error({ consumer: this.consumer.name, error: (error as Error).message, stack: (error as Error).stack }, 'a consumer of the log failed; it is tried again');
      }
      if (pause) await this.#rest(pause, wakeable);
    }
    await this.#release();
  }

  /** Waits for the next round: until woken or polled, and for events to gather. */
  async #rest(pause: number, wakeable: boolean): Promise<void> {
    if (!this.#stopping && !(wakeable && this.#woken && this.#hold)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        this.#wake = () => {
          if (!wakeable && !this.#stopping) return;
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    if (wakeable && this.#woken && !this.#stopping) await new Promise((resolve) => setTimeout(resolve, this.#gatherMs()));
  }

  /** For how long events gather before the next round. A round costs some statements for each consumer, however little it finds: a steady flow must not pay for that with every event. */
  #gatherMs(): number {
    const { freeRounds, gatherMs } = this.timing;
    const { roundEveryMs = this.timing.roundEveryMs } = this.consumer;
    const now = performance.now();
    this.#free = Math.min(freeRounds, this.#free + (now - this.#freeAt) / roundEveryMs) - 1;
    this.#freeAt = now;
    return Math.max(gatherMs, -this.#free * roundEveryMs);
  }

  /** Becomes the one who works for this consumer, unless another process does. */
  async #acquire(): Promise<Hold | null> {
    const { name, from } = this.consumer;
    await this.sql(
      `insert into log_consumers (name, xid) select $1, case when $2 then pg_snapshot_xmin(pg_current_snapshot()) else '0'::xid8 end
       where not exists (select from log_consumers where name = $1) on conflict do nothing`,
      [name, from === 'now'],
    );
    const [row] = await this.sql<{ xid: string; stream: string; pos: string; ahead: LogPosition['ahead']; stumbles: number; strange: boolean }>(
      `update log_consumers set holder = $2, lease_until = now() + make_interval(secs => $3), stumbles = greatest(stumbles, (holder is not null)::int)
       where name = $1 and (holder is null or lease_until < now())
       returning xid::text, stream, pos, ahead, stumbles, xid > pg_snapshot_xmax(pg_current_snapshot()) as strange`,
      [name, this.#id, this.timing.leaseMs / 1000],
    );
    if (!row) return null;
    const hold = { position: { xid: row.xid, stream: row.stream, pos: Number(row.pos), ahead: row.ahead }, stumbles: row.stumbles };
    if (row.strange) {
      // Transactions are counted from the beginning in a new cluster: nothing below this position will ever come.
      const [now] = await this.sql<{ xid: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as xid');
      this.log.warn({ consumer: name, position: row.xid, now: now!.xid }, 'a consumer of the log was ahead of the database, which must have been restored: it goes on from now');
      hold.position = { xid: now!.xid, stream: '', pos: 0, ahead: {} };
    }
    return hold;
  }

  async #release(): Promise<void> {
    if (!this.#hold) return;
    this.#hold = null;
    this.figures.held = false;
    await this.sql(`update log_consumers set holder = null, lease_until = '-infinity' where name = $1 and holder = $2`, [this.consumer.name, this.#id]).catch((error: Error) =>
      this.log.warn({ consumer: this.consumer.name, error: error.message }, 'a consumer of the log could not be given back'),
    );
  }

  /** Reads once and hands over what it read. True when there is more. */
  async #round(hold: Hold): Promise<boolean> {
    const renewing = setInterval(() => void this.#renew().then(() => this.#measure()).catch(() => undefined), this.timing.leaseMs / 3); // a hold that is lost is noticed at the next save
    try {
      const read = await readInCommitOrder(this.sql, hold.position, CONSUMER_BATCH);
      const goesOn = () => !this.#stopping && this.#hold === hold;
      let next = 0;
      while (next < read.events.length && goesOn()) next = await this.#take(hold, read, next);
      if (next === read.events.length && read.end !== hold.position && this.#hold === hold) await this.#save(hold, read.end);
      else if (performance.now() - this.#renewedAt > this.timing.leaseMs / 3) await this.#renew();
      return read.more && goesOn();
    } finally {
      clearInterval(renewing);
    }
  }

  /** Hands over some of what was read, from an index on; answers the index from which to go on. */
  async #take(hold: Hold, { events }: LogRead, from: number): Promise<number> {
    const kinds: readonly string[] = this.consumer.kinds;
    const most = hold.stumbles ? 1 : this.#batch;
    const wanted: ConsumedEvent[] = [];
    let next = from;
    for (; next < events.length && wanted.length < most; next++) if (kinds.includes(events[next]!.event.ref.kind)) wanted.push(events[next]!.event);
    if (wanted.length) {
      if (hold.stumbles >= CONSUMER_TRIES) await this.#setAside(wanted[0]!);
      else if (!(await this.#hand(hold, wanted))) return from;
    }
    // With the last of them the end of the reading is saved.
    if (next < events.length) await this.#save(hold, events[next - 1]!.after);
    return next;
  }

  /** Whether the consumer took them; after a failure it has waited. */
  async #hand(hold: Hold, events: ConsumedEvent[]): Promise<boolean> {
    const before = hold.stumbles;
    if (before) await this.#stumble(hold, before + 1);
    try {
      await inTime(this.consumer.handle(events), this.timing.patienceMs);
      this.figures.taken += events.length;
      this.#batch = Math.min(this.#batch * 2, CONSUMER_BATCH);
      return true;
    } catch (caught) {
      const error = caught as Error;
      const waitMs = passes(error);
      this.figures.failed++;
      this.#lastError = error.message;
      this.log.warn(
        { consumer: this.consumer.name, first: nameOf(events[0]!), events: events.length, tries: before + 1, error: error.message, stack: error.stack },
        waitMs === null ? 'a consumer of the log could not take its events' : 'a consumer of the log waits for what it needs',
      );
      if (waitMs === null && !before) await this.#stumble(hold, 1);
      else if (waitMs !== null && before) await this.#stumble(hold, before);
      this.#batch = 1;
      if (hold.stumbles < CONSUMER_TRIES) await this.#pause(Math.max(waitMs ?? 0, this.timing.retryMs * 2 ** hold.stumbles));
      return false;
    }
  }

  async #setAside(event: ConsumedEvent): Promise<void> {
    await this.sql('insert into log_consumer_failures (consumer, stream, pos, kind, error) values ($1, $2, $3, $4, $5) on conflict do nothing', [
      this.consumer.name, event.stream, event.pos, event.ref.kind, this.#lastError.slice(0, MAX_ERROR),
    ]);
    this.figures.setAside++;
    this.log.error({ consumer: this.consumer.name, event: nameOf(event), error: this.#lastError }, 'a consumer of the log has set an event aside');
  }

  async #save(hold: Hold, position: LogPosition): Promise<void> {
    const held = await this.sql(
      `update log_consumers set xid = $3::xid8, stream = $4, pos = $5, ahead = $6, stumbles = 0, lease_until = now() + make_interval(secs => $7) where name = $1 and holder = $2 returning 1`,
      [this.consumer.name, this.#id, position.xid, position.stream, position.pos, JSON.stringify(position.ahead), this.timing.leaseMs / 1000],
    );
    this.#keep(held.length > 0);
    hold.position = position;
    hold.stumbles = 0;
  }

  async #stumble(hold: Hold, stumbles: number): Promise<void> {
    this.#keep((await this.sql('update log_consumers set stumbles = $3 where name = $1 and holder = $2 returning 1', [this.consumer.name, this.#id, stumbles])).length > 0);
    hold.stumbles = stumbles;
  }

  async #renew(): Promise<void> {
    if (!this.#hold) return;
    const held = await this.sql('update log_consumers set lease_until = now() + make_interval(secs => $3) where name = $1 and holder = $2 returning 1', [this.consumer.name, this.#id, this.timing.leaseMs / 1000]);
    this.#keep(held.length > 0);
  }

  /** Whether this process still holds the consumer: another may have taken it for dead. */
  #keep(held: boolean): void {
    if (held) this.#renewedAt = performance.now();
    else this.#hold = null;
  }

  /** How far behind it is, whichever process holds it. */
  async #measure(): Promise<void> {
    if (performance.now() - this.#measuredAt < MEASURE_EVERY_MS) return;
    this.#measuredAt = performance.now();
    const [oldest] = await this.sql<{ seconds: number }>(
      `select extract(epoch from now() - e.at)::float8 as seconds from log_consumers c,
              lateral (select at from events where xid >= c.xid and (xid, stream, pos) > (c.xid, c.stream, c.pos) order by xid, stream, pos limit 1) e where c.name = $1`,
      [this.consumer.name],
    );
    this.figures.lag = Math.max(0, oldest?.seconds ?? 0);
  }

  async #pause(ms: number): Promise<void> {
    await this.#rest(Math.min(ms, MAX_PAUSE_MS), false);
  }
}

const nameOf = ({ stream, pos, ref }: ConsumedEvent): string => `${stream} ${pos} ${ref.kind}`;

/** For how long to wait, milliseconds, where the failure says nothing about the events; else null. */
function passes(error: unknown): number | null {
  if (error instanceof DomainError) return error.details.retryAfter === undefined ? null : error.details.retryAfter * 1000;
  return isUnavailable(error) || isConflict(error) ? 0 : null;
}

/** Those consumers of the log for which this process works, or may have to. */
export class LogConsumers {
  #loops: ConsumerLoop[] = [];

  constructor(
    private readonly consumers: readonly LogConsumer[],
    private readonly sql: Sql,
    private readonly hub: Pick<Hub, 'onGrown'>,
    private readonly log: Pick<Logger, 'warn' | 'error'>,
    private readonly timing: ConsumerTiming = CONSUMER_TIMING,
  ) {
    const names = new Set(consumers.map((consumer) => consumer.name));
    if (names.size < consumers.length) throw new Error('two consumers of the log have one name');
  }

  async start(): Promise<void> {
    this.#loops = this.consumers.map((consumer) => new ConsumerLoop(consumer, this.sql, this.log, this.timing));
    await this.hub.onGrown(() => {
      for (const loop of this.#loops) loop.wake();
    });
    for (const loop of this.#loops) loop.start();
  }

  /** Of this process. Empty where it does not run jobs. */
  figures(): ConsumerFigures[] {
    return this.#loops.map((loop) => loop.figures);
  }

  /** Takes no more events and waits for those under way, at most so long; another process takes them again then. Idempotent. */
  async stop(patienceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<true>((resolve) => (timer = setTimeout(() => resolve(true), patienceMs)));
    if (await Promise.race([Promise.all(this.#loops.map((loop) => loop.stop())), late]) === true) this.log.warn('consumers of the log were still at work at the stop; their events come again');
    clearTimeout(timer);
  }
}
