import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { StreamHead } from '../../events/log.js';

const HEADS = keyed<{ id: string; epoch: string; head: string }>('select id, epoch, head from streams where id = any($1)');

/** Heads of streams, by name. A stream that has no row yet is given one, so that its epoch is settled. */
export const streamHead: LoaderDef<string, StreamHead> = {
  async batch(streams, { sql }) {
    let rows = await HEADS(sql, streams);
    if (rows.length < streams.length) {
      await sql('insert into streams (id) select unnest($1::text[]) on conflict do nothing', [streams]);
      rows = await HEADS(sql, streams);
    }
    const heads = inOrder(streams, rows, (row) => row.id);
    return heads.map((row) => row && { epoch: row.epoch, head: Number(row.head) });
  },
};
