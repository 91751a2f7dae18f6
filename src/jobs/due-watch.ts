import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Sweeper } from './sweeper.js';

/** What happens at a moment of its own is late by at most this. */
export const WATCH_MS = 500;
/** Pauses after failures grow to this. */
const MAX_PAUSE_MS = 30_000;

export type Ask = (statement: { name: string; text: string; values: unknown[] }) => Promise<{ rows: { due: string[] }[] }>;

/**
 * Asks for all sweeps that have a condition by one statement, and wakes those whose condition holds: a server with nothing to do costs
 * the database one look at some indexes, however many sweeps there are.
 */
export class DueWatch {
  readonly #sweepers: ReadonlyMap<string, Sweeper>;
  readonly #text: string;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #failures = 0;
  #stopped = false;

  constructor(
    sweepers: readonly Sweeper[],
    private readonly ask: Ask,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const watched = sweepers.filter(({ sweep }) => sweep.due !== undefined);
    this.#sweepers = new Map(watched.map((sweeper) => [sweeper.sweep.name, sweeper]));
    const each = watched.map(({ sweep }) => `case when ${sweep.due} then '${sweep.name}' end`);
    this.#text = `select array_remove(array[${each.join(', ')}]::text[], null) as due`;
  }

  start(): void {
    if (this.#sweepers.size) this.#after(WATCH_MS);
  }

  /** Resolves when the look that is under way has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
  }

  #after(pause: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => (this.#round = this.#look()), pause);
  }

  async #look(): Promise<void> {
    try {
      const { rows } = await this.ask({ name: 'due', text: this.#text, values: [this.clock.now()] });
      this.#failures = 0;
      if (!this.#stopped) for (const name of rows[0]!.due) this.#sweepers.get(name)!.wake();
    } catch (error) {
      this.#failures++;
      this.log.error({ error: (error as Error).message }, 'what is due could not be looked for; it is tried again');
    }
    this.#after(Math.min(WATCH_MS * 2 ** this.#failures, MAX_PAUSE_MS));
  }
}
