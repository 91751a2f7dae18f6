import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readCsv, writeCsv, type FiledProduct } from '../../src/services/commerce/product-tables.js';
import { openShop, type Shop } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { fails, World, type Person } from '../testkit/world.js';

describe('products as files', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann);
    await ann.api.createCategory({ input: { shopId: shop.id, name: 'Teas' } });
  });
  after(() => world.stop());

  const take = async (format: 'CSV' | 'JSON', content: string, { dryRun = false, shopId = shop.id, person = ann, idempotencyKey = world.key() } = {}) =>
    (await person.api.importProducts({ input: { shopId, format, content, dryRun, idempotencyKey } })).importProducts.lines;
  const give = async (format: 'CSV' | 'JSON', shopId = shop.id, person = ann) => (await person.api.exportProducts({ shopId, format })).exportProducts;

  const TABLE = `slug,title,status,categories,attributes,sku,option:Size,price:CHF,compare_at:CHF,price:EUR,stock,weight_grams
sencha,Sencha,PUBLISHED,teas,Origin=Japan; Kind=green,s-50,50 g,900,1000,950,5,50
sencha,,,,,s-100,100 g,1600,,,2,100
assam,"Assam, ""fine""",DRAFT,,,a-1,,700,,,0,
wrong,No such category,DRAFT,coffees,,w-1,,1,,,,
twice,Taken sku,DRAFT,,,s-50,,1,,,,
amount,Not a number,DRAFT,,,n-1,,12.50,,,,
,No slug,DRAFT,,,n-2,,1,,,,
unsold,No price,PUBLISHED,,,n-3,,,,,,
`;

  it('a table is taken line by line, with a report of each', async () => {
    const before = await digest(world);
    const dry = await take('CSV', TABLE, { dryRun: true });
    assert.deepEqual(await digest(world), before);
    const idempotencyKey = world.key();
    const lines = await take('CSV', TABLE, { idempotencyKey });
    assert.deepEqual(lines, dry);
    assert.deepEqual(lines.map(({ line, slug, outcome, code, field }) => [line, slug, outcome, code, field]), [
      [2, 'sencha', 'CREATED', null, null],
      [4, 'assam', 'CREATED', null, null],
      [5, 'wrong', 'FAILED', 'NOT_FOUND', 'categories'],
      [6, 'twice', 'FAILED', 'INVALID_INPUT', 'variants.sku'],
      [7, 'amount', 'FAILED', 'INVALID_INPUT', 'price:CHF'],
      [8, null, 'FAILED', 'INVALID_INPUT', 'slug'],
      [9, 'unsold', 'FAILED', 'STATE_CONFLICT', 'status'],
    ]);
    const { productBySlug: product } = await bob.api.productBySlug({ shop: shop.slug, slug: 'sencha' });
    assert.deepEqual(product!.variants.map(({ sku, available, prices }) => [sku, available, prices]), [
      ['s-50', 5, [{ amount: 900, currency: 'CHF' }, { amount: 950, currency: 'EUR' }]],
      ['s-100', 2, [{ amount: 1_600, currency: 'CHF' }]],
    ]);
    assert.deepEqual([product!.categories.map(({ slug }) => slug), product!.attributes.length], [['teas'], 2]);
    const after = await digest(world);
    assert.deepEqual(await take('CSV', TABLE, { idempotencyKey }), lines);
    assert.deepEqual(await digest(world), after);
    assert.deepEqual((await take('CSV', TABLE.split('\n').slice(0, 3).join('\n'))).map(({ outcome }) => outcome), ['UPDATED']);
  });

  for (const format of ['CSV', 'JSON'] as const) {
    it(`what is given as ${format} is taken elsewhere as it was`, async () => {
      const other = await openShop(world, ann);
      await ann.api.createCategory({ input: { shopId: other.id, name: 'Teas' } });
      const { content, count, after } = await give(format);
      assert.deepEqual([count, after], [2, null]);
      assert.deepEqual((await take(format, content, { shopId: other.id })).map(({ outcome }) => outcome), ['CREATED', 'CREATED']);
      assert.deepEqual((await give(format, other.id)).content, content);
    });
  }

  it('any products come back from a table as they went', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((value) => value.replace(/[\p{Cc}\ufeff]/gu, '').trim()).filter((value) => value.length > 0 && value === value.trim());
    const product: fc.Arbitrary<FiledProduct> = fc.record(
      {
      slug: fc.uuid(), title: text, description: fc.option(text, { nil: null }), status: fc.constantFrom('DRAFT' as const, 'PUBLISHED' as const),
      categories: fc.array(text, { maxLength: 3 }),
      attributes: fc.array(fc.record({ name: text.filter((name) => !name.includes('=') && !name.startsWith('[')), value: text }, { noNullPrototype: true }), { maxLength: 3 }),
      media: fc.array(fc.webUrl(), { maxLength: 2 }), taxClass: fc.constantFrom('standard', 'reduced'),
      options: fc.constant([]),
      variants: fc.array(
        fc.record({
          sku: text, optionValues: fc.constant([]), trackStock: fc.boolean(), picture: fc.option(fc.webUrl(), { nil: null }), weightGrams: fc.option(fc.nat(), { nil: null }), stock: fc.nat(),
          prices: fc.option(fc.record({ currency: fc.constant('CHF'), amount: fc.nat(), compareAt: fc.option(fc.nat(), { nil: null }) }, { noNullPrototype: true }), { nil: null }).map((price) => (price ? [price] : [])),
        }, { noNullPrototype: true }),
        { minLength: 1, maxLength: 3 },
      ),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.uniqueArray(product, { minLength: 1, maxLength: 4, selector: ({ slug }) => slug }), (products) => {
        assert.deepEqual(readCsv(writeCsv(products)).map((filed) => ('product' in filed ? filed.product : filed)), products);
      }),
      { numRuns: 60 },
    );
  });

  it('what is no file of products is refused, and changes nothing', async () => {
    const before = await digest(world);
    await fails(take('CSV', 'a,b\n1,2'), 'INVALID_INPUT', 'content');
    await fails(take('CSV', 'slug,title\nx,y'), 'INVALID_INPUT', 'content');
    await fails(take('CSV', 'slug,title,sku\n"x'), 'INVALID_INPUT', 'content');
    await fails(take('CSV', 'slug,title,sku\n'), 'INVALID_INPUT', 'content');
    await fails(take('JSON', '{}'), 'INVALID_INPUT', 'content');
    await fails(take('JSON', 'nonsense'), 'INVALID_INPUT', 'content');
    await fails(take('JSON', JSON.stringify(Array(501).fill({}))), 'INVALID_INPUT', 'content');
    await fails(take('JSON', `[${' '.repeat(600_000)}]`), 'INVALID_INPUT', 'content');
    await fails(take('CSV', TABLE, { person: bob }), 'FORBIDDEN');
    await fails(give('CSV', shop.id, bob), 'FORBIDDEN');
    assert.deepEqual(await digest(world), before);
    const odd = await take('JSON', JSON.stringify([null, 7, { slug: 'x' }, { slug: 'y', title: 1 }, { slug: 'z', title: 'Z', variants: [{ sku: 'z', prices: [{ currency: 'CHF', amount: 1.5 }] }] }]));
    assert.deepEqual(odd.map(({ outcome, field }) => [outcome, field]), [['FAILED', 'slug'], ['FAILED', 'slug'], ['FAILED', 'title'], ['FAILED', 'title'], ['FAILED', 'variants.prices']]);
  });
});
