import { inTime } from '../lib/in-time.js';
import type { Logger } from '../lib/logger.js';

/**
 * Work that falls due row by row, at times of its own (a message to be sent, one that disappears). It is looked for by
 * the injected clock and over an index, so it is exact within an interval and tests can move time: with a condition by the
 * statement that all of them share (`DueWatch`), else by its own rounds.
 */
export interface Sweep {
  name: string;
  /** An SQL condition, cheap by an index, that holds while there may be something to do; $1 is the time. */
  due?: string;
  /** Without a condition: the pause after a round that found nothing more, ms. */
  everyMs?: number;
  /** Milliseconds after which a batch has failed by not ending, and the next begins beside it; half an hour unless told. */
  limitMs?: number;
  /** Does one bounded batch; true when there may be more. Safe beside other processes (rows are locked, locked ones skipped). */
  run(): Promise<boolean>;
}

/** The first pause after a failure of a sweep with a condition, ms. */
const FIRST_PAUSE_MS = 500;
/** Many times what a batch takes; what it asks has limits of its own. */
const LIMIT_MS = 30 * 60_000;
/** Pauses after failures grow to this. */
const MAX_PAUSE_MS = 30_000;

/** Runs one sweep over and over, or whenever it is woken, until it is stopped. */
export class Sweeper {
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #failures = 0;
  #stopped = false;

  constructor(
    readonly sweep: Sweep,
    private readonly log: Logger,
  ) {}

  start(): void {
    if (this.sweep.everyMs !== undefined) this.#after(this.sweep.everyMs);
  }

  /** There is something to do: it begins at once, unless it is at it or waits after a failure. */
  wake(): void {
    if (!this.#timer) this.#after(0);
  }

  /** Resolves when the round that is under way has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
  }

  #after(pause: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => (this.#round = this.#run()), pause);
  }

  async #run(): Promise<void> {
    const { everyMs, limitMs = LIMIT_MS } = this.sweep;
    let more = false;
    try {
      more = await inTime(this.sweep.run(), limitMs);
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.log.error({ sweep: this.sweep.name, error: (error as Error).message, stack: (error as Error).stack }, 'a sweep failed');
    }
    this.#timer = null;
    if (this.#failures) this.#after(Math.min((everyMs ?? FIRST_PAUSE_MS) * 2 ** this.#failures, MAX_PAUSE_MS));
    else if (more) this.#after(0);
    else if (everyMs !== undefined) this.#after(everyMs);
  }
}
