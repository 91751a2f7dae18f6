import type { Sql } from '../../db/database.js';
import type { Tx } from '../../db/unit-of-work.js';

/** Names of `Tx.changed`: what a product costs or says of itself by its id, and what is left of a variant by its. */
export const PRODUCTS = 'product';
export const STOCK = 'stock';

/** What is left of variants has changed: whoever shows them hears of it once this commits. */
export const stockChanged = (tx: Tx, variantIds: Iterable<string>): void => {
  for (const id of new Set(variantIds)) tx.changed(STOCK, id);
};

export interface ProductState {
  id: string;
  variantIds: string[];
  /** Differs whenever something differs that is told: prices, stock, what is said of it, whether it is sold. */
  text: string;
}

/** How products stand now, in one statement. Those that are not there are left out. */
export async function readProductStates(sql: Sql, ids: readonly string[]): Promise<ProductState[]> {
  const rows = await sql<{ id: string; version: number; status: string; variantIds: string[]; stock: number[] }>(
    `select p.id, p.version, p.status, coalesce(v.ids, '{}') as "variantIds", coalesce(v.stock, '{}') as stock from products p
     left join lateral (
       select array_agg(v.id order by v.id) as ids, array_agg(s.free order by v.id) as stock from product_variants v
       cross join lateral (select coalesce(sum(l.on_hand - l.reserved), 0)::int as free from stock_levels l where l.variant_id = v.id) s where v.product_id = p.id) v on true
     where p.id = any($1)`,
    [ids],
  );
  return rows.map(({ id, version, status, variantIds, stock }) => ({ id, variantIds, text: `${version} ${status} ${stock.join(' ')}` }));
}
