import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';

/** A send is not kept waiting for longer than this by what rules ask of the database. */
const BUDGET_MS = 50;
const KEPT = 10_000;
/** Messages of a chat that are looked through. */
const MAX_LOOKED_AT = 300;
/** Sends that one person's row here remembers: past that many every rule has spoken. */
const MAX_REMEMBERED = 128;

/** How many messages somebody has sent into a chat of late: what this process has let through at once, and what the others have written. */
export class FloodWatch {
  readonly #own = new LRUCache<string, Map<string, number>>({ max: KEPT });
  #keys = 0;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  /** By seconds, not counting this one. A repeat under a key counts once, in the place of its first try: by that it was let through, or not. */
  async recent(chatId: string, senderId: string, key: string | null, longest: number): Promise<(seconds: number) => number> {
    const now = this.clock.now().getTime();
    const slot = `${chatId} ${senderId}`;
    const own = this.#own.get(slot) ?? new Map<string, number>();
    this.#own.set(slot, own);
    for (const [one, at] of own) if (at < now - longest * 1000 || own.size >= MAX_REMEMBERED) own.delete(one);
    const name = key ?? `none ${++this.#keys}`;
    if (!own.has(name)) own.set(name, now);
    const before: number[] = [];
    for (const [one, at] of own) {
      if (one === name) break;
      before.push(at);
    }
    const written = await this.#written(chatId, senderId, new Date(now - longest * 1000));
    return (seconds) => {
      const since = now - seconds * 1000;
      const late = (times: readonly number[]) => times.filter((at) => at > since).length;
      return Math.max(late(before), late(written));
    };
  }

  async #written(chatId: string, senderId: string, since: Date): Promise<number[]> {
    let timer: NodeJS.Timeout | undefined;
    const budget = new Promise<number[]>((resolve) => (timer = setTimeout(() => resolve([]), BUDGET_MS)));
    const asked = this.sql<{ at: Date }>(
      `select m.created_at as at from (select sender_id, created_at from messages where chat_id = $1 order by seq desc limit $4) m where m.sender_id = $2 and m.created_at > $3`,
      [chatId, senderId, since, MAX_LOOKED_AT],
    ).then((rows) => rows.map(({ at }) => at.getTime()));
    try {
      return await Promise.race([asked, budget]);
    } finally {
      clearTimeout(timer);
      asked.catch(() => undefined); // past the budget nobody waits for it
    }
  }
}
