import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';

const WRITTEN_EVERY_MS = 5_000;
/** Apps and days that wait to be written; past this it is written at once. */
const MAX_WAITING = 5_000;

interface Counted {
  appId: string;
  day: string;
  operations: number;
  refused: number;
  cost: number;
}

/** What apps ask for, by day (UTC): counted in the process, and added to the database every few seconds, so that no operation waits for it. A process that is killed loses the last of them. */
export class AppUsage {
  #waiting = new Map<string, Counted>();
  #writing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.#timer = setInterval(() => void this.write(), WRITTEN_EVERY_MS);
    this.#timer.unref();
  }

  /** An operation of an app. `cost` null: it was refused. */
  note(appId: string, cost: number | null): void {
    const day = this.clock.now().toISOString().slice(0, 10);
    const key = `${appId} ${day}`;
    let counted = this.#waiting.get(key);
    if (!counted) {
      if (this.#waiting.size >= MAX_WAITING) void this.write();
      this.#waiting.set(key, (counted = { appId, day, operations: 0, refused: 0, cost: 0 }));
    }
    if (cost === null) counted.refused++;
    else {
      counted.operations++;
      counted.cost += cost;
    }
  }

  /** Adds what waits to the database. What can't be written is given up, with a warning: it is a figure, and must not pile up. */
  write(): Promise<void> {
    const rows = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (rows.length) this.#writing = this.#writing.then(() => this.#add(rows));
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  async #add(rows: readonly Counted[]): Promise<void> {
    await this.sql(
      `insert into app_usage as u (app_id, day, operations, refused, cost)
       select a.id, n.day, n.operations, n.refused, n.cost from unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[]) n(app_id, day, operations, refused, cost) join apps a on a.id = n.app_id
       on conflict (app_id, day) do update set operations = u.operations + excluded.operations, refused = u.refused + excluded.refused, cost = u.cost + excluded.cost`,
      [rows.map(({ appId }) => appId), rows.map(({ day }) => day), rows.map(({ operations }) => operations), rows.map(({ refused }) => refused), rows.map(({ cost }) => cost)],
    ).catch((error: Error) => this.log.warn({ error: error.message, rows: rows.length }, 'what apps have asked for could not be written'));
  }
}
