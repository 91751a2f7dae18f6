import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { StreamHead } from '../../events/log.js';

/** Heads of streams, by name. A stream that has no row yet is given one, so that its epoch is settled. */
export const streamHead: LoaderDef<string, StreamHead> = {
  async batch(streams, { sql }) {
    const read = () => sql<{ id: string; epoch: string; head: string }>('select id, epoch, head from streams where id = any($1)', [streams]);
    let rows = await read();
    if (rows.length < streams.length) {
      await sql('insert into streams (id) select unnest($1::text[]) on conflict do nothing', [streams]);
      rows = await read();
    }
    const heads = inOrder(streams, rows, (row) => row.id);
    return heads.map((row) => row && { epoch: row.epoch, head: Number(row.head) });
  },
};
