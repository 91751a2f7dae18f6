import { setImmediate } from 'node:timers/promises';

/** The items a portion at a time, the loop that serves people having its turn between two. */
export async function* chunks<Item>(items: readonly Item[], size: number): AsyncGenerator<{ part: readonly Item[]; from: number }> {
  for (let from = 0; from < items.length; from += size) {
    yield { part: items.slice(from, from + size), from };
    await setImmediate();
  }
}
