import type { Logger } from '../lib/logger.js';

/**
 * Work that falls due row by row, at times of its own (a message to be sent, one that disappears). It is looked for by
 * the injected clock, at short intervals and over an index, so it is exact within an interval and tests can move time.
 */
export interface Sweep {
  name: string;
  /** The pause after a round that found nothing more, ms. */
  everyMs: number;
  /** Does one bounded batch; true when there may be more. Safe beside other processes (rows are locked, locked ones skipped). */
  run(): Promise<boolean>;
}

/** Pauses after failures grow to this. */
const MAX_PAUSE_MS = 30_000;

/** Runs one sweep over and over until it is stopped. */
export class Sweeper {
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #failures = 0;
  #stopped = false;

  constructor(
    private readonly sweep: Sweep,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#after(this.sweep.everyMs);
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
    let more = false;
    try {
      more = await this.sweep.run();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.log.error({ sweep: this.sweep.name, error: (error as Error).message, stack: (error as Error).stack }, 'a sweep failed');
    }
    this.#after(this.#failures ? Math.min(this.sweep.everyMs * 2 ** this.#failures, MAX_PAUSE_MS) : more ? 0 : this.sweep.everyMs);
  }
}
