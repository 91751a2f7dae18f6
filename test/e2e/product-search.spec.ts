import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ProductFilter, SearchProductsQueryVariables } from '../../sdk/generated/graphql.js';
import { openShop, sell, type Shop, type Sold } from '../testkit/commerce.js';
import { fails, World, type Person } from '../testkit/world.js';

type Sort = NonNullable<SearchProductsQueryVariables['sort']>;

describe('finding products', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  let teas: string;
  let green: string;
  const made: (Sold & { amount: number; stock: number })[] = [];
  before(async function () {
    this.timeout(60_000);
    world = await World.start({ settings: { JOBS: 'false', RECONCILE: '60', MAX_QUERY_COST: '50000' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann);
    const category = async (name: string, parentId: string | null) => (await ann.api.createCategory({ input: { shopId: shop.id, name, parentId } })).createCategory.category.id;
    teas = await category('Teas', null);
    green = await category('Green teas', teas);
    for (let index = 0; index < 30; index++) {
      const [amount, stock] = [100 * (1 + (index * 7) % 10), index % 3];
      const product = await sell(world, shop, `${index % 2 ? 'Sencha' : 'Assam'} number ${index}`, {
        amount, stock, categoryIds: [index % 2 ? green : teas], description: 'from the hills',
        attributes: [{ name: 'Origin', value: index % 2 ? 'Japan' : 'India' }, { name: 'Pack', value: `${index % 4}` }],
      });
      made.push({ ...product, amount, stock });
      world.clock.advance(10);
    }
    await sell(world, await openShop(world, bob), 'Coffee of Assam', { amount: 10_000 });
    await ann.api.createProduct({ input: { shopId: shop.id, title: 'Assam in secret', variants: [], idempotencyKey: world.key() } });
    for (const [index, rating] of [[3, 5], [4, 2], [5, 4]] as const) await bob.api.reviewProduct({ input: { productId: made[index]!.id, rating } });
  });
  after(() => world.stop());

  const search = async (variables: SearchProductsQueryVariables) => (await bob.api.searchProducts(variables)).searchProducts;
  const all = async (variables: SearchProductsQueryVariables, first = 7) => {
    const found: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof search>> = await search({ ...variables, first, after });
      found.push(...page.edges.map(({ node }) => node.id));
      if (!page.pageInfo.hasNextPage) return found;
      after = page.pageInfo.endCursor ?? null;
    }
  };
  const facets = async (filter: ProductFilter = {}, query: string | null = null) => (await bob.api.productFacets({ query, filter: { shopId: shop.id, ...filter } })).searchProducts.facets;
  const mine = { shopId: '' };
  before(() => void (mine.shopId = shop.id));

  it('by words, the last by its beginning; drafts are not found', async () => {
    const titles = async (query: string) => (await search({ query, first: 100 })).edges.map(({ node }) => node.title);
    assert.equal((await titles('assa')).length, 16);
    assert.ok((await titles('assam')).includes('Coffee of Assam'));
    assert.deepEqual(await titles('sencha number 7'), ['Sencha number 7']);
    assert.equal((await titles('hills japan')).length, 15);
    assert.deepEqual(await titles('nothing of the kind'), []);
    assert.deepEqual(await titles(made[9]!.variants[0]!.sku), ['Sencha number 9']);
    assert.deepEqual(await titles('&|!:*()'), []);
  });

  const orders: [Sort, (a: (typeof made)[number], b: (typeof made)[number]) => number][] = [
    ['PRICE_LOW', (a, b) => a.amount - b.amount || (a.id < b.id ? -1 : 1)],
    ['PRICE_HIGH', (a, b) => b.amount - a.amount || (a.id < b.id ? 1 : -1)],
    ['NEWEST', (a, b) => (a.id < b.id ? 1 : -1)],
  ];
  for (const [sort, compare] of orders) {
    it(`in the order of ${sort}, page by page, each once`, async () => {
      const found = await all({ filter: { ...mine, price: { currency: 'CHF' } }, sort });
      assert.deepEqual(found, [...made].sort(compare).map(({ id }) => id));
    });
  }

  it('in the order of relevance, of rating, and of sales, each once too', async () => {
    for (const variables of [{ query: 'number', filter: mine }, { sort: 'RATING', filter: mine }, { sort: 'BEST_SELLING', filter: mine }] satisfies SearchProductsQueryVariables[]) {
      const found = await all(variables);
      assert.deepEqual([found.length, new Set(found).size], [30, 30]);
    }
    assert.deepEqual((await all({ sort: 'RATING', filter: mine })).slice(0, 3), [3, 5, 4].map((index) => made[index]!.id));
  });

  it('by any filters together finds exactly what fits, and facets count it', async () => {
    const origins = fc.option(fc.constantFrom('Japan', 'India', 'JAPAN'), { nil: null });
    const packs = fc.option(fc.uniqueArray(fc.constantFrom('0', '1', '2', '3'), { minLength: 1 }), { nil: null });
    const property = fc.asyncProperty(
      origins, packs, fc.option(fc.integer({ min: 0, max: 1_100 }), { nil: null }), fc.option(fc.integer({ min: 0, max: 1_100 }), { nil: null }), fc.option(fc.boolean(), { nil: null }), fc.boolean(),
      async (origin, pack, min, max, inStock, onlyGreen) => {
        const attributes = [...(origin ? [{ name: 'origin', values: [origin] }] : []), ...(pack ? [{ name: 'Pack', values: pack }] : [])];
        const filter = { ...mine, attributes, price: { currency: 'CHF', min, max }, inStock, categoryIds: onlyGreen ? [green] : null };
        const fits = made.filter((product, index) => {
          const japan = index % 2 === 1;
          return (
            (!origin || (origin.toLowerCase() === 'japan') === japan) && (!pack || (pack as string[]).includes(`${index % 4}`)) && (min === null || product.amount >= min) && (max === null || product.amount <= max) &&
            (inStock === null || product.stock > 0 === inStock) && (!onlyGreen || japan)
          );
        });
        assert.deepEqual((await search({ filter, first: 100 })).edges.map(({ node }) => node.id).sort(), fits.map(({ id }) => id).sort());
        const counted = await facets(filter);
        assert.deepEqual([counted.total, counted.inStock], [fits.length, fits.filter(({ stock }) => stock > 0).length]);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  it('facets tell of categories, attributes and prices', async () => {
    const { total, inStock, categories, attributes, price } = await facets({ price: { currency: 'CHF' } });
    assert.deepEqual([total, inStock, price], [30, 20, { min: { amount: 100, currency: 'CHF' }, max: { amount: 1_000, currency: 'CHF' } }]);
    assert.deepEqual(categories, [{ categoryId: teas, count: 30 }, { categoryId: green, count: 15 }]);
    assert.deepEqual(attributes.find(({ name }) => name === 'Origin')!.values, [{ value: 'India', count: 15 }, { value: 'Japan', count: 15 }]);
    assert.equal((await facets({ price: { currency: 'EUR' } })).total, 0);
    assert.equal((await facets({ minRating: 4 })).total, 2);
  });

  it('a page costs a constant number of SQL statements', async () => {
    const query = `query ($first: Int, $shopId: ID!) { searchProducts(filter: { shopId: $shopId }, first: $first) { edges { node { id title price { min { amount } } inStock rating { average }
      shop { name owner { handle } } categories { name } variants { sku price { amount } available selectedOptions { value } stock { onHand } } reviews(first: 2) { edges { node { rating author { handle } } } } viewerState { review { rating } } } } facets { total } } }`;
    const statements = async (first: number) => {
      const counts: number[] = [];
      for (let run = 0; run < 4; run++) {
        const before = world.app.container.db.statements;
        const { searchProducts } = await ann.client.request<{ searchProducts: { edges: unknown[] } }, { first: number; shopId: string }>(query, { first, shopId: shop.id });
        assert.equal(searchProducts.edges.length, first);
        counts.push(world.app.container.db.statements - before);
      }
      return Math.min(...counts);
    };
    assert.deepEqual([await statements(3), await statements(30)], [8, 8]);
  });

  it('what can not be asked is refused', async () => {
    await fails(search({ sort: 'PRICE_LOW' }), 'INVALID_INPUT', 'filter.price');
    await fails(search({ sort: 'RELEVANCE' }), 'INVALID_INPUT', 'sort');
    await fails(search({ filter: { price: { currency: 'francs' } } }), 'INVALID_INPUT', 'filter.price.currency');
    await fails(search({ filter: { minRating: 6 } }), 'INVALID_INPUT', 'filter.minRating');
    await fails(search({ filter: { attributes: [{ name: 'a', values: [] }] } }), 'INVALID_INPUT', 'filter.attributes.values');
    await fails(search({ query: 'x'.repeat(300) }), 'INVALID_INPUT', 'query');
    await fails(search({ filter: { shopId: made[0]!.id } }), 'INVALID_ID', 'filter.shopId');
    const { pageInfo } = await search({ filter: mine, first: 1 });
    await fails(search({ filter: { ...mine, price: { currency: 'CHF' } }, sort: 'PRICE_LOW', after: Buffer.from('["x","y"]').toString('base64url') }), 'INVALID_CURSOR', 'after');
    await fails(search({ filter: mine, first: 101, after: pageInfo.endCursor ?? null }), 'INVALID_INPUT', 'first');
  });
});
