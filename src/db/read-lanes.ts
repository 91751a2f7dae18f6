import { Client, type ClientConfig } from 'pg';
import { isUnavailable } from './failures.js';
import { noticeSilence, SILENT_MS } from './lost-connections.js';

/** Connections that many readings share at once. Two are enough for a process that fills its core. */
const LANES = 2;
/** Readings on their way over one connection; what finds no place goes over the pool. */
const MAX_UNDER_WAY = 32;
/** A connection whose next answer has been due this long does something long: nothing more is put behind it. Longer than a busy loop takes to read an answer that has come. */
const HELD_UP_MS = 50;
/** A text that never took less than this in `WATCHED` executions is a long one. */
const LONG_MS = 15;
const WATCHED = 8;
/** A connection that could not be had is not asked for again at once. */
const AGAIN_AFTER_MS = 1_000;

/**
 * What can't hold up others for long, and may be asked twice: one `select` that locks no rows and calls nothing that writes, waits
 * or locks. Every other statement has a connection of the pool to itself.
 */
const SELECT = /^\s*(?:\(\s*)*(?:select|with)\b/i;
const MORE_THAN_READING = /\bfor\s+(?:no\s+key\s+)?(?:update|(?:key\s+)?share)\b|\b(?:insert|update|delete|merge|into|call)\b|\b(?:send_messages|ensure_event_partitions|drop_event_partitions|nextval|setval|set_config)\s*\(|\bgraphile_worker\.|\bpg_\w*(?:lock|sleep|terminate|cancel|notify)\w*\s*\(/i;
export const onlyReads = (text: string): boolean => SELECT.test(text) && !MORE_THAN_READING.test(text);

/** How long executions of one text take. */
class Pace {
  #shortest = Infinity;
  #watched = 0;
  /** Until it is known, it goes over the pool. */
  short = false;

  constructor(readonly reads: boolean) {}

  /** The shortest of several counts: the others may have waited for this process. */
  took(ms: number): void {
    this.#shortest = Math.min(this.#shortest, ms);
    if (++this.#watched < WATCHED) return;
    this.short = this.reads && this.#shortest < LONG_MS;
    this.#shortest = Infinity;
    this.#watched = 0;
  }
}

/** Of a statement whose connection was lost before its answer came; reading again does no harm. */
export class LaneLost extends Error {}

interface Wired {
  connection: { stream: { cork(): void; uncork(): void } };
}

/** One connection in pipeline mode: statements are written behind each other without waiting for answers, which come in that order. */
class Lane {
  #client: Client | null = null;
  #connecting = false;
  #notBefore = 0;
  #underWay = 0;
  /** Since when the next answer has been due. */
  #since = 0;
  #corked = false;
  #ended = false;

  constructor(private readonly options: ClientConfig) {}

  get underWay(): number {
    return this.#underWay;
  }

  get connected(): boolean {
    return this.#client !== null;
  }

  /** Whether one more reading would be answered at once. Opens the connection where there is none. */
  takes(now: number): boolean {
    if (this.#client === null) {
      if (!this.#connecting && !this.#ended && now >= this.#notBefore) void this.#connect();
      return false;
    }
    return this.#underWay === 0 || (this.#underWay < MAX_UNDER_WAY && now - this.#since < HELD_UP_MS);
  }

  async query<Row extends object>(name: string, text: string, values: unknown[], pace: Pace): Promise<Row[]> {
    const client = this.#client!;
    this.#gather(client);
    if (this.#underWay++ === 0) this.#since = performance.now();
    try {
      const { rows } = await client.query<Row>({ name, text, values });
      pace.took(performance.now() - this.#since);
      return rows;
    } catch (error) {
      if (this.#client !== client || isUnavailable(error)) throw new LaneLost((error as Error).message);
      throw error;
    } finally {
      if (this.#client === client) {
        this.#underWay--;
        this.#since = performance.now();
      }
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    const client = this.#client;
    this.#forget(client);
    await client?.end();
  }

  /** What is asked within one turn of the loop leaves in one write: the server's process is woken once for all of it. */
  #gather(client: Client): void {
    if (this.#corked) return;
    const { stream } = (client as unknown as Wired).connection;
    stream.cork();
    this.#corked = true;
    setImmediate(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    const client = new Client({ ...this.options, pipeline: true });
    // Whoever waits for an answer hears of it by a rejection.
    client.on('error', () => this.#forget(client));
    client.on('end', () => this.#forget(client));
    try {
      await client.connect();
      noticeSilence(client, SILENT_MS, () => this.#client === client && this.#underWay > 0);
      if (this.#ended) await client.end();
      else this.#client = client;
    } catch {
      this.#notBefore = performance.now() + AGAIN_AFTER_MS;
      void client.end().catch(() => undefined);
    } finally {
      this.#connecting = false;
    }
  }

  #forget(client: Client | null): void {
    if (client === null || this.#client !== client) return;
    this.#client = null;
    this.#underWay = 0;
    this.#notBefore = performance.now() + AGAIN_AFTER_MS;
  }
}

/**
 * Short readings outside of transactions, many at once over few connections. A round trip costs both processes more than the
 * statement itself where each has been put to sleep in between; in a pipeline one waking serves all that is asked meanwhile.
 * Statements are told apart by their texts, which are constants of the source: a long one goes over the pool, so that it holds up nobody.
 */
export class ReadLanes {
  readonly #lanes: readonly Lane[];
  readonly #paces = new Map<string, Pace>();

  constructor(options: ClientConfig) {
    this.#lanes = Array.from({ length: LANES }, () => new Lane(options));
  }

  /** Connections that stand. */
  get connected(): number {
    return this.#lanes.filter((lane) => lane.connected).length;
  }

  /**
   * Runs a reading over a lane, or else by `byPool`: where no lane is free, where the text is long or new or more than a reading,
   * and where the lane's connection was lost meanwhile.
   */
  async run<Row extends object>(name: string, text: string, values: unknown[], byPool: () => Promise<Row[]>): Promise<Row[]> {
    const pace = this.#paceOf(text);
    if (!pace.reads) return byPool();
    const lane = pace.short ? this.#free() : null;
    if (lane) {
      try {
        return await lane.query<Row>(name, text, values, pace);
      } catch (error) {
        if (!(error instanceof LaneLost)) throw error;
      }
    }
    const since = performance.now();
    const rows = await byPool();
    pace.took(performance.now() - since);
    return rows;
  }

  async end(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.end()));
  }

  #paceOf(text: string): Pace {
    let pace = this.#paces.get(text);
    if (!pace) this.#paces.set(text, (pace = new Pace(onlyReads(text))));
    return pace;
  }

  #free(): Lane | null {
    const now = performance.now();
    let best: Lane | null = null;
    for (const lane of this.#lanes) if (lane.takes(now) && (best === null || lane.underWay < best.underWay)) best = lane;
    return best;
  }
}
