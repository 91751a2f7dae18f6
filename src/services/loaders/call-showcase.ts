import type { LoaderDef } from '../../db/loaders.js';

export interface ShowcasedRow {
  callId: string;
  productId: string;
  shownAt: Date;
}

/** What is shown in a call, the newest first; bounded. */
export const showcaseOfCall: LoaderDef<string, ShowcasedRow[]> = {
  async batch(ids, { sql }) {
    const rows = await sql<ShowcasedRow>('select call_id as "callId", product_id as "productId", shown_at as "shownAt" from call_showcase where call_id = any($1) order by place desc', [ids]);
    const byCall = Map.groupBy(rows, (row) => row.callId);
    return ids.map((id) => byCall.get(id) ?? []);
  },
};
