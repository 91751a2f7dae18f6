import { LRUCache } from 'lru-cache';
import type { MessageRow } from './loaders/messages.js';

const KEPT = 4_000;

/**
 * Messages that this process has just written, by the event that tells of them: the event is delivered without reading
 * back what is known. Only the event of that very place in the stream asks for it, and only once it is live.
 */
export class RecentMessages {
  readonly #rows = new LRUCache<string, MessageRow>({ max: KEPT });

  put(stream: string, pos: number, row: MessageRow): void {
    this.#rows.set(`${stream} ${pos}`, row);
  }

  take(stream: string, pos: number): MessageRow | undefined {
    const key = `${stream} ${pos}`;
    const row = this.#rows.get(key);
    if (row) this.#rows.delete(key);
    return row;
  }
}
