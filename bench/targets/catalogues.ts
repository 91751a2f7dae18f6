import { encodeId, newId } from '../../src/lib/ids.js';
import type { Ground } from '../lib/ground.js';
import { CATALOGUE, makeCatalogue, TERMS, type CataloguePage, type CatalogueTarget } from '../scenarios/catalogue.js';
import { OmniTalkTarget } from './omnitalk.js';
import { startPeer } from './peers.js';

const body = (query: string, variables: object) => JSON.stringify({ query, variables });

const LIST = `query ($shopId: ID!, $after: String) { searchProducts(filter: { shopId: $shopId }, sort: NEWEST, first: ${CATALOGUE.page}, after: $after) {
  edges { node { id slug title description variants { id sku inStock price { amount currency } } } } pageInfo { endCursor } } }`;
const SEARCH = `query ($shopId: ID!, $query: String!) { searchProducts(query: $query, filter: { shopId: $shopId }, first: ${CATALOGUE.page}) {
  edges { node { id slug title inStock price { min { amount currency } } } } } }`;

interface Answer {
  data: { searchProducts: { edges: { node: { title: string; variants?: { price: object | null }[] } }[]; pageInfo?: { endCursor: string } } };
}

/** Ours, over a shop that is made by SQL. */
export const startCatalogue = (page: CataloguePage) => async (ground: Ground): Promise<CatalogueTarget> => {
  await makeCatalogue(ground);
  const target = await OmniTalkTarget.start(ground);
  const [reader] = await target.people(1);
  const [shopId, locationId] = [newId(), newId()];
  await ground.sql.query('truncate shops, products cascade');
  await ground.sql.query(`insert into shops (id, owner_id, slug, name, currency, created_at) values ($1, $2, 'bench', 'Bench', 'CHF', now())`, [shopId, reader!.userId]);
  await ground.sql.query(`insert into stock_locations (id, shop_id, name, position, created_at) values ($1, $2, 'Here', 0, now())`, [locationId, shopId]);
  const ids = Array.from({ length: CATALOGUE.products }, newId);
  await ground.sql.query(
    `insert into products (id, shop_id, slug, title, description, status, words, created_at, updated_at, published_at)
     select i.id, $1, c.slug, c.title, c.description, 'PUBLISHED', setweight(to_tsvector('simple', c.title), 'A') || setweight(to_tsvector('simple', c.description), 'C'), now(), now(), now() - make_interval(secs => c.n)
     from bench_catalogue c join unnest($2::uuid[]) with ordinality i(id, n) on i.n = c.n`,
    [shopId, ids],
  );
  await ground.sql.query(
    `insert into product_variants (id, product_id, shop_id, sku, option_values, position, track_stock)
     select gen_random_uuid(), p.id, p.shop_id, 'sku-' || p.slug || '-' || v, array[v::text], v, true from products p, generate_series(0, 1) v`,
  );
  await ground.sql.query(
    `insert into variant_prices (variant_id, currency, amount) select v.id, 'CHF', c.price + v.position * 100 from product_variants v join products p on p.id = v.product_id join bench_catalogue c on c.slug = p.slug`,
  );
  await ground.sql.query(`insert into product_prices (product_id, currency, min_amount, max_amount) select p.id, 'CHF', c.price, c.price + 100 from products p join bench_catalogue c on c.slug = p.slug`);
  await ground.sql.query('insert into stock_levels (variant_id, location_id, on_hand) select v.id, $1, c.stock from product_variants v join products p on p.id = v.product_id join bench_catalogue c on c.slug = p.slug', [locationId]);
  await ground.sql.query('vacuum analyze');
  const shop = encodeId('Shop', shopId);
  const bodies: string[] = page === 'search' ? TERMS.map((query) => body(SEARCH, { shopId: shop, query })) : [];
  for (let after: string | null = null; bodies.length < CATALOGUE.pages; ) {
    bodies.push(body(LIST, { shopId: shop, after }));
    const { searchProducts }: Answer['data'] = (await target.ask(reader!, LIST, { shopId: shop, after })) as unknown as Answer['data'];
    after = searchProducts.pageInfo!.endCursor;
  }
  return {
    server: target.server, port: target.port, path: '/graphql', headers: { authorization: `Bearer ${reader!.token}` }, bodies,
    count(answer) {
      const nodes = (JSON.parse(answer.toString()) as Answer).data.searchProducts.edges.map((edge) => edge.node);
      return { products: new Set(nodes.map((node) => node.title)).size, variants: nodes.flatMap((node) => node.variants ?? []).filter((variant) => variant.price).length };
    },
    stop: () => target.stop(),
  };
};

const VENDURE_LIST = `query ($skip: Int!) { products(options: { take: ${CATALOGUE.page}, skip: $skip }) { items { id slug name description variants { id sku stockLevel priceWithTax currencyCode } } } }`;
const VENDURE_SEARCH = `query ($term: String!) { search(input: { term: $term, take: ${CATALOGUE.page}, groupByProduct: true }) {
  items { productId slug productName inStock currencyCode priceWithTax { ... on PriceRange { min } ... on SinglePrice { value } } } } }`;

interface VendureItem {
  name?: string;
  productName?: string;
  variants?: { priceWithTax: number }[];
}

/** Vendure with its own search, over the same catalogue in a schema of its own. */
export const startVendure = (page: CataloguePage) => async (ground: Ground): Promise<CatalogueTarget> => {
  await makeCatalogue(ground);
  await ground.sql.query('drop schema if exists vendure cascade');
  await ground.sql.query('create schema vendure');
  const { server, port } = await startPeer(ground, 'vendure');
  await ground.sql.query('vacuum analyze');
  return {
    server, port, path: '/shop-api', headers: {},
    bodies: page === 'search' ? TERMS.map((term) => body(VENDURE_SEARCH, { term })) : Array.from({ length: CATALOGUE.pages }, (_, index) => body(VENDURE_LIST, { skip: index * CATALOGUE.page })),
    count(answer) {
      const { data } = JSON.parse(answer.toString()) as { data: Record<'products' | 'search', { items: VendureItem[] }> };
      const { items } = data.products ?? data.search;
      return { products: new Set(items.map((item) => item.name ?? item.productName)).size, variants: items.flatMap((item) => item.variants ?? []).filter((variant) => variant.priceWithTax > 0).length };
    },
    stop: () => server.stop(),
  };
};
