import type { LoadDeps, LoaderDef } from './loaders.js';
import { emptyPage, toPage, type CursorValue, type Page, type PageRequest } from './pages.js';

/** One page of the list that hangs on one parent. */
export interface NestedKey<Parent> {
  parent: Parent;
  request: PageRequest;
}

/**
 * A list that hangs on many parents at once (who reacted, under each of fifty messages): the pages of all of them in one
 * statement. `read` answers rows with the `ord` of their key (1, 2, …), in each list's order of reading, at most `limit` for each.
 */
export function nestedPages<Parent, Row extends { ord: number }>(options: {
  keyOf(parent: Parent): string;
  read(keys: readonly NestedKey<Parent>[], deps: LoadDeps): Promise<Row[]>;
  cursorOf(row: Row): CursorValue[];
}): LoaderDef<NestedKey<Parent>, Page<Row>> {
  return {
    keyOf: ({ parent, request }) => `${options.keyOf(parent)} ${JSON.stringify([request.size, request.backward, request.from])}`,
    async batch(keys, deps) {
      const rows = await options.read(keys, deps);
      const lists: Row[][] = keys.map(() => []);
      for (const row of rows) lists[row.ord - 1]!.push(row);
      return keys.map(({ request }, index) => (request.size === 0 ? emptyPage<Row>() : toPage(lists[index]!, request, options.cursorOf)));
    },
  };
}
