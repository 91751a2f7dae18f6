import assert from 'node:assert/strict';
import { openShop, sell, type Shop } from '../testkit/commerce.js';
import { take, World, type Person } from '../testkit/world.js';

describe('links to products in messages', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  let chatId: string;
  /** No page is fetched: what is ours needs none. A test says when messages are looked at. */
  before(async () => {
    world = await World.start({ settings: { PUBLIC_URL: 'https://app.example/', LINK_PREVIEWS: 'false', JOBS: 'false' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann, 'teas');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(() => world.stop());

  const look = async () => {
    while (await world.app.container.jobs.linkPreviews!.sweep());
  };
  const say = async (text: string) => (await bob.api.sendMessage({ input: { chatId, text, idempotencyKey: world.key() } })).sendMessage.message;
  const read = async (id: string) => {
    const { node } = await ann.api.message({ id });
    assert.ok(node?.__typename === 'Message');
    return node;
  };

  it('become its card, with the price and the stock of whenever they are read', async () => {
    const tea = await sell(world, shop, 'Sencha', { amount: 900, description: 'From Japan', media: [{ url: 'https://example.com/sencha.jpg' }] });
    assert.equal(tea.url, 'https://app.example/shops/teas/products/sencha');
    const live = ann.client.chatEvents(chatId, (await ann.api.chat({ id: chatId })).chat!.eventCursor);
    const sent = await say(`Shall we? ${tea.url}?from=chat, it is good.`);
    assert.deepEqual([sent.linkPreview, sent.version], [null, 1]);
    await look();
    const [first, second] = await take(live, 2);
    live.close();
    assert.ok(first!.__typename === 'MessageSent' && second!.__typename === 'MessageUpdated');
    const at = (amount: number, inStock: boolean) => ({ id: tea.id, title: 'Sencha', inStock, price: { min: { amount, currency: 'CHF' } } });
    assert.deepEqual([second!.message!.version, second!.message!.linkPreview], [2, {
      url: `${tea.url}?from=chat`, title: 'Sencha', description: 'From Japan', imageUrl: 'https://example.com/sencha.jpg', siteName: 'teas',
      productCard: { productId: tea.id, product: at(900, true), variant: null },
    }]);
    const [variant] = tea.variants;
    await ann.api.updateProduct({ input: { productId: tea.id, variants: [{ sku: variant!.sku, prices: [{ amount: 950, currency: 'CHF' }] }] } });
    await ann.api.adjustStock({ input: { variantId: variant!.id, onHand: 0, idempotencyKey: world.key() } });
    assert.deepEqual((await read(sent.id)).linkPreview!.productCard!.product, at(950, false));
    await ann.api.setProductStatus({ input: { productId: tea.id, status: 'DRAFT' } });
    const gone = (await read(sent.id)).linkPreview!;
    assert.deepEqual([gone.title, gone.description, gone.imageUrl, gone.siteName, gone.productCard], [null, null, null, null, { productId: tea.id, product: null, variant: null }]);
    // The same link, now that there is nothing to see: no preview, and what was made before stays.
    const late = await say(tea.url!);
    await look();
    assert.equal((await read(late.id)).linkPreview, null);
    await ann.api.setProductStatus({ input: { productId: tea.id, status: 'PUBLISHED' } });
    await bob.api.editMessage({ input: { messageId: late.id, text: `${tea.url} again` } });
    await look();
    assert.equal((await read(late.id)).linkPreview!.title, 'Sencha');
    await bob.api.removeLinkPreview({ input: { messageId: late.id } });
    await look();
    assert.equal((await read(late.id)).linkPreview, null);
  });

  it('and other links become nothing where no page is fetched', async () => {
    const draft = (await ann.api.createProduct({ input: { shopId: shop.id, title: 'Not yet', variants: [], idempotencyKey: world.key() } })).createProduct.product;
    const sent = await Promise.all([draft.url!, 'https://app.example/shops/teas/products/none', 'https://app.example/about', 'https://elsewhere.example/shops/teas/products/sencha'].map(say));
    await look();
    for (const { id } of sent) assert.deepEqual([(await read(id)).linkPreview, (await read(id)).version], [null, 1]);
    assert.deepEqual(await world.sql(`select from messages where preview is null and text like '%://%'`), []);
  });
});
