import type { Ground } from '../lib/ground.js';
import { measurePages, type PagesTarget } from '../lib/pages.js';
import type { Row } from '../lib/report.js';

export const CATALOGUE = { products: 10_000, page: 50, pages: 40, concurrency: 16, warmUp: 40, requests: 80, rounds: 3 };
export type CataloguePage = 'list' | 'search';

const KINDS = ['Green', 'Black', 'White', 'Herbal', 'Roasted', 'Smoked', 'Spring', 'Autumn', 'Mountain', 'Garden'];
const THINGS = ['Tea', 'Cup', 'Pot', 'Tray', 'Whisk', 'Kettle', 'Strainer', 'Caddy', 'Bowl', 'Spoon'];
/** What is looked for: each is found by 100 products. */
export const TERMS = KINDS.flatMap((kind) => THINGS.slice(0, 4).map((thing) => `${kind} ${thing}`));

/** What everybody sells, made once, from which each makes its own tables. */
export async function makeCatalogue(ground: Ground): Promise<void> {
  await ground.sql.query('drop table if exists bench_catalogue');
  await ground.sql.query(
    `create table bench_catalogue as
     select n, ($2::text[])[1 + n % 10] || ' ' || ($3::text[])[1 + n / 10 % 10] || ' ' || n as title, 'product-' || n as slug, 'No. ' || n || ' of our house: made by hand in small numbers, and sent within two days.' as description,
       500 + n * 7 % 5000 as price, 1 + n % 50 as stock
     from generate_series(1, $1::int) n`,
    [CATALOGUE.products, KINDS, THINGS],
  );
}

export interface CatalogueTarget extends PagesTarget {
  /** How many products an answer shows, and how many variants of them (of a list), each with a price. */
  count(body: Buffer): { products: number; variants: number };
}

/** Pages of 50 products, of the whole catalogue with their variants, or of what words find. */
export function runCatalogue(ground: Ground, target: CatalogueTarget, page: CataloguePage, profile?: string): Promise<Row> {
  const check = (body: Buffer) => {
    const { products, variants } = target.count(body);
    if (products !== CATALOGUE.page || variants !== (page === 'list' ? CATALOGUE.page * 2 : 0)) throw new Error(`an answer shows ${products} products, ${variants} variants`);
  };
  return measurePages(ground, target, CATALOGUE, check, profile);
}
