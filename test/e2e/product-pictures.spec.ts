import assert from 'node:assert/strict';
import sharp from 'sharp';
import { openShop, sell, type Shop, type Sold } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

describe('pictures of products', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start({ settings: { LINK_PREVIEWS: 'false' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann);
  });
  after(() => world.stop());

  let drawn = 0;
  const picture = async (person = ann) => {
    const body = await sharp({ create: { width: 8, height: 6, channels: 3, background: { r: ++drawn, g: 0, b: 0 } } }).png().toBuffer();
    return (await world.upload(person, body, { name: 'tea.png', contentType: 'image/png' })).id!;
  };
  const shown = async ({ id }: Pick<Sold, 'id'>) => (await bob.api.product({ id })).product!;
  const state = async (id: string) => (await ann.api.file({ id })).file?.state ?? null;

  it('are files of the seller, which whoever sees the product may have, until it shows them no more', async () => {
    const [one, two, three] = [await picture(), await picture(), await picture()];
    const variants = [{ sku: 'sencha', prices: [{ amount: 900, currency: 'CHF' }], picture: { fileId: two } }];
    const tea = await sell(world, shop, 'Sencha', { media: [{ fileId: one }, { url: 'https://example.com/b.jpg' }], variants });
    const { media, variants: [variant] } = await shown(tea);
    assert.deepEqual(media.map(({ file, url }) => [file?.id, file?.width, url.startsWith('http')]), [[one, 8, true], [undefined, undefined, true]]);
    assert.equal(media[1]!.url, 'https://example.com/b.jpg');
    for (const url of [media[0]!.url, variant!.picture!.url]) assert.equal((await sharp(Buffer.from(await (await fetch(url)).arrayBuffer())).metadata()).width, 8);
    // A change of something else keeps them; others in their place let them go, at once.
    await ann.api.updateProduct({ input: { productId: tea.id, title: 'Sencha, spring' } });
    assert.deepEqual([(await shown(tea)).media.length, await state(one)], [2, 'READY']);
    await ann.api.updateProduct({ input: { productId: tea.id, media: [{ fileId: three }, { fileId: two }] } });
    await eventually(async () => (await fetch(media[0]!.url)).status === 404, 'what nothing shows is gone', 20_000);
    assert.notEqual(await state(one), 'READY');
    await ann.api.updateProduct({ input: { productId: tea.id, media: [] } });
    assert.deepEqual([(await shown(tea)).media, await state(two), (await shown(tea)).variants[0]!.picture !== null], [[], 'READY', true]);
  });

  it('that are no file of one’s own, or none at all, are refused, and nothing is changed', async () => {
    const tea = await sell(world, shop, 'Assam');
    const [foreign, own] = [await picture(bob), await picture()];
    const text = (await world.upload(ann, Buffer.from('hello'), { name: 'a.txt', contentType: 'text/plain' })).id;
    const before = await digest(world);
    const change = (media: object[]) => ann.api.updateProduct({ input: { productId: tea.id, media } });
    await fails(change([{ fileId: foreign }]), 'NOT_FOUND', 'media');
    await fails(change([{ fileId: own }, { fileId: text }]), 'INVALID_INPUT', 'media');
    await fails(change([{ fileId: own, url: 'https://example.com/a.jpg' }]), 'INVALID_INPUT', 'media');
    await fails(change([{ fileId: tea.id }]), 'INVALID_ID', 'media.fileId');
    await fails(change([{}]), 'INVALID_INPUT', 'media');
    assert.deepEqual(await digest(world), before);
  });

  for (const format of ['CSV', 'JSON'] as const) {
    it(`go with a product as ${format}, into another shop of the same seller`, async () => {
      const [here, there] = [await openShop(world, ann), await openShop(world, ann)];
      const [one, two] = [await picture(), await picture()];
      await sell(world, here, 'Gyokuro', { media: [{ fileId: one }, { url: 'https://example.com/g.jpg' }], variants: [{ sku: 'g', prices: [{ amount: 1, currency: 'CHF' }], picture: { fileId: two } }] });
      const give = async ({ id: shopId }: Shop) => (await ann.api.exportProducts({ shopId, format })).exportProducts.content;
      const take = async (person: Person, { id: shopId }: Shop, content: string) =>
        (await person.api.importProducts({ input: { shopId, format, content, idempotencyKey: world.key() } })).importProducts.lines.map(({ outcome, code, field }) => [outcome, code, field]);
      const content = await give(here);
      assert.ok(content.includes(`file:${one}`) && content.includes(`file:${two}`));
      assert.deepEqual(await take(ann, there, content), [['CREATED', null, null]]);
      assert.equal(await give(there), content);
      assert.deepEqual(await take(ann, here, content), [['UPDATED', null, null]]);
      assert.deepEqual(await take(bob, await openShop(world, bob), content), [['FAILED', 'NOT_FOUND', 'media']]);
      // Each of the two shops shows it for itself.
      const { edges } = (await ann.api.shopCatalogue({ shopId: here.id, first: 1 })).shopCatalogue!;
      await ann.api.updateProduct({ input: { productId: edges[0]!.node.id, media: [] } });
      assert.equal(await state(one), 'READY');
    });
  }
});
