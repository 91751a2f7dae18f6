import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql';
import { OmniTalkError, type OmniTalk } from '../../sdk/index.js';
import { ERROR_CODES } from '../../src/lib/errors.js';
import { decodeId } from '../../src/lib/ids.js';
import { Seat, startCall } from '../testkit/calls.js';
import { ADDRESS, openShop, sell } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { bbcFeed, story } from '../testkit/feeds.js';
import { anotherDevice, encryptedChat, MlsDevice } from '../testkit/mls-device.js';
import { addSource, administrator, articles, fetchFeeds } from '../testkit/news.js';
import { PIXEL } from '../testkit/pictures.js';
import { Publisher } from '../testkit/publisher.js';
import { eventually, World, type Person } from '../testkit/world.js';

/**
 * Every mutation of the schema, each field of its input in turn, with values that no client should send. Whatever is
 * answered with an error has a documented code (never INTERNAL) and has changed nothing.
 */
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const mutations = Object.values(schema.getMutationType()!.getFields());
const codes = new Set<string>(ERROR_CODES);

/** Ways in: they need no session. */
const FOR_ANYBODY = new Set([
  'signUp', 'signIn', 'signInWithIdentity', 'refreshSession', 'verifyEmail', 'requestPasswordReset', 'resetPassword', 'requestPhoneCode', 'verifyPhoneCode',
]);
const UNKNOWN = '0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa';
/** A Yjs update that holds nothing. */
const NO_CHANGE = 'AAA=';
const LONE_SURROGATE = 'a\ud800b';

describe('bad input', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let stranger: Person;
  let other: Person;
  /** Ids by the name of the field that takes them: those of the caller, and those of people whom the caller has nothing to do with. */
  let publisher: Publisher;
  let own: Record<string, string>;
  let foreign: Record<string, string>;
  /** Bytes by the name of the field that takes them. */
  let bytes: Record<string, string> = {};
  let who: OmniTalk[];

  before(async function () {
    // Everybody and everything that a mutation can name: on a busy machine that takes a while.
    this.timeout(60_000);
    // Without jobs, so that nothing happens by itself between two looks at the database.
    publisher = await Publisher.start();
    world = await World.start({ settings: { JOBS: 'false', NEWS: 'true', NEWS_BUILT_IN: 'false', ...publisher.settings } });
    [ann, bob, stranger] = await world.people('Ann', 'Bob', 'Stranger');
    other = await world.person('Other');
    const chatId = await world.groupChat(ann, [bob]);
    const theirs = await world.groupChat(stranger, [other]);
    const group = (person: Person) => person.api.createGroup({ input: { name: 'A group', visibility: 'SECRET', joinPolicy: 'OPEN', idempotencyKey: world.key() } });
    const link = (person: Person, id: string) => person.api.createInviteLink({ input: { chatId: id, idempotencyKey: world.key() } });
    const groupId = (await group(ann)).createGroup.group.id;
    const inviteLinkId = (await link(ann, chatId)).createInviteLink.inviteLink.id;
    const whiteboard = async (person: Person, id: string) => (await person.api.createWhiteboard({ input: { chatId: id, idempotencyKey: world.key() } })).createWhiteboard.document.id;
    const inShop = async (person: Person, inChat: string) => {
      const shop = await openShop(world, person);
      const [product, { shop: read }] = [await sell(world, shop, 'Tea'), await person.api.shop({ id: shop.id })];
      const { category } = (await person.api.createCategory({ input: { shopId: shop.id, name: 'Teas' } })).createCategory;
      const { cart } = (await person.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
      // Ordered from another cart, by whoever sells it: both parts are the caller's.
      const bought = (await person.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart.cart;
      for (const cartId of [cart.id, bought.id]) await person.api.addToCart({ input: { cartId, variantId: product.variants[0]!.id, quantity: 2, idempotencyKey: world.key() } });
      const { result } = (await person.api.checkout({ input: { cartId: bought.id, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout;
      assert.ok(result.__typename === 'CheckoutCompleted');
      const [line] = result.order.lines;
      const sent = (await person.api.fulfillOrder({ input: { orderId: result.order.id, lines: [{ lineId: line!.id, quantity: 1 }], idempotencyKey: world.key() } })).fulfillOrder.order;
      const { returns } = (await person.api.requestReturn({ input: { orderId: sent.id, lines: [{ lineId: line!.id, quantity: 1 }], idempotencyKey: world.key() } })).requestReturn.order;
      const { payout } = (await person.api.requestPayout({ input: { shopId: shop.id, currency: 'CHF', amount: 1, idempotencyKey: world.key() } })).requestPayout;
      const { address } = (await person.api.saveAddress({ input: { address: ADDRESS } })).saveAddress;
      const { discountId } = (await person.api.createDiscount({ input: { shopId: shop.id, code: 'SOME-CODE', kind: 'PERCENT', value: 100 } })).createDiscount;
      const { giftCardId } = (await person.api.issueGiftCard({ input: { shopId: shop.id, value: { amount: 100, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
      // To no country where anybody is: with a way of sending there, one would have to be chosen.
      const { shippingMethod } = (await person.api.createShippingMethod({ input: { shopId: shop.id, name: 'Boat', price: { amount: 1, currency: 'CHF' }, countries: ['AQ'] } })).createShippingMethod;
      const deadline = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
      const tiers = [{ quantity: 1, price: { amount: 900, currency: 'CHF' } }];
      const { groupBuy } = (await person.api.createGroupBuy({ input: { chatId: inChat, variantId: product.variants[0]!.id, tiers, deadline, idempotencyKey: world.key() } })).createGroupBuy;
      const more = { groupBuyId: groupBuy.id, returnId: returns[0]!.id, payoutId: payout.id, addressId: address.id, discountId, giftCardId, shippingMethodId: shippingMethod.id };
      return { ...more, orderId: sent.id, lineId: line!.id, fulfillmentId: sent.fulfillments[0]!.id, cartId: cart.id, shopId: shop.id, productId: product.id, variantId: product.variants[0]!.id, categoryId: category.id, locationId: read!.viewerState!.locations[0]!.id };
    };
    const webhook = async (person: Person) => (await person.api.createWebhook({ input: { url: 'https://example.com/hook', events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook.webhook.id;
    const fileId = async (person: Person) => (await world.upload(person, PIXEL, { contentType: 'image/png' })).id!;
    const status = async (person: Person) => (await person.api.postStatus({ input: { text: 'A status', idempotencyKey: world.key() } })).postStatus.status.id;
    const highlight = async (person: Person, statusId: string) => (await person.api.createHighlight({ input: { title: 'Kept', statusIds: [statusId], idempotencyKey: world.key() } })).createHighlight.highlight.id;
    const [shown, theirStatus] = [await status(ann), await status(stranger)];
    const feed = bbcFeed([{ path: '/story', title: 'A story', summary: story('Bread', 1), at: world.clock.now() }], publisher.at(''));
    const sourceId = (await addSource(world, await administrator(world), publisher.serve('/feed', { body: feed, type: 'application/rss+xml' }))).id;
    await fetchFeeds(world);
    const articleId = (await articles(ann))[0]!.id;
    const bot = async (person: Person, inChat: string) => {
      const botId = (await person.api.createBot({ input: { handle: `bot_of_${person.handle}`, displayName: 'A bot', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot.id;
      const { knowledge } = (await person.api.addBotKnowledge({ input: { botId, faq: [{ question: 'tea', answer: 'hot' }], idempotencyKey: world.key() } })).addBotKnowledge;
      await person.api.setBotTutor({ input: { botId, subject: 'Tea' } });
      const { exercise } = (await person.api.nextExercise({ input: { botId } })).nextExercise;
      const { version } = (await person.api.publishBot({ input: { botId, category: 'OTHER', description: 'It waits to be looked at.', idempotencyKey: world.key() } })).publishBot;
      // Asked for by Bob, who is in neither's way.
      await person.api.setBotHandOver({ input: { botId, chatId: person === ann ? chatId : theirs } });
      const { supportCase } = (await bob.api.requestPerson({ input: { botId, withTranscript: true, idempotencyKey: world.key() } })).requestPerson;
      await person.api.addBotToChat({ input: { botId, chatId: inChat } });
      const { schedule } = (await person.api.setBotSchedule({ input: { botId, chatId: inChat, every: 'HOURS', hours: 1, text: 'Tea time', idempotencyKey: world.key() } })).setBotSchedule;
      return { botId, scheduleId: schedule.id, knowledgeId: knowledge[0]!.id, supportCaseId: supportCase.id, versionId: version.id, exerciseId: exercise!.id };
    };
    own = { ...(await bot(ann, chatId)), ...(await inShop(ann, chatId)), webhookId: await webhook(ann), articleId, sourceId, fileId: await fileId(ann), statusId: shown, highlightId: await highlight(ann, shown), documentId: await whiteboard(ann, chatId), groupId, inviteLinkId, chatId, userId: bob.id, memberIds: bob.id, userIds: bob.id, sessionId: ann.sessionId, messageId: (await world.say(ann, chatId, 'hello')).id };
    foreign = { ...(await bot(stranger, theirs)), ...(await inShop(stranger, theirs)), webhookId: await webhook(stranger), fileId: await fileId(stranger), statusId: theirStatus, highlightId: await highlight(stranger, theirStatus), documentId: await whiteboard(stranger, theirs), groupId: (await group(stranger)).createGroup.group.id, inviteLinkId: (await link(stranger, theirs)).createInviteLink.inviteLink.id, chatId: theirs, userId: stranger.id, sessionId: stranger.sessionId, messageId: (await world.say(stranger, theirs, 'secret')).id };
  });
  after(async () => {
    await world.stop();
    await publisher.stop();
  });

  /** A call that the person runs, with somebody else in it, and ids of what is in it. */
  const callOf = async (person: Person, other: Person): Promise<Record<string, string>> => {
    const callId = await startCall(world, person, await world.groupChat(person, [other]), { ring: false });
    const [mine, theirs] = [await Seat.take(person, callId), await Seat.take(other, callId)];
    const [transportId, receiving] = [await mine.transport('SEND', true), await mine.transport('RECEIVE', true)];
    const producerId = await mine.produce(transportId);
    const consumerId = await mine.consume(receiving, await theirs.produce(await theirs.transport('SEND')));
    // That they follow the call is written behind the answer to it.
    const unlinked = () => world.sql(`select from call_participants where call_id = $1 and state = 'JOINED' and link_node is null`, [decodeId('Call', callId)]);
    await eventually(async () => (await unlinked()).length === 0, 'both follow the call');
    const { tokenId } = (await person.api.createCallToken({ input: { callId, name: 'Guest', idempotencyKey: world.key() } })).createCallToken;
    return { callId, participantId: theirs.participantId, transportId, producerId, dataProducerId: producerId, consumerId, tokenId };
  };
  const inEncryption = (mutation: string): boolean => ['registerDevice', 'uploadKeyPackages', 'claimKeyPackages', 'createMlsGroup', 'commitMlsGroup', 'sendEncryptedMessage'].includes(mutation);
  /** An encrypted chat of Ann's and Bob's, and what Ann's device could send as the next thing into it. */
  const encryptedWorld = async (): Promise<void> => {
    const [mine, theirs, strange] = [await MlsDevice.of(world, await anotherDevice(world, ann, 'phone')), await MlsDevice.of(world, await anotherDevice(world, bob, 'phone')), await MlsDevice.of(world, await anotherDevice(world, stranger, 'phone'))];
    const chatId = await encryptedChat(mine, [bob]);
    const messageId = (await mine.say(chatId, 'hello')).id;
    const { input } = await mine.prepare(chatId, [], []);
    const packages = await mine.packages(2);
    who = [mine.person.client, world.client()];
    bytes = { content: await mine.encrypt(chatId, 'a secret'), commit: input.commit, groupInfo: input.groupInfo, keyPackages: packages[0]!, lastResortKeyPackage: packages[1]! };
    own = { ...own, chatId, messageId, deviceIds: theirs.id, removedDeviceIds: theirs.id };
    foreign = { ...foreign, deviceIds: strange.id, removedDeviceIds: strange.id };
  };
  const inCalls = (input: GraphQLInputObjectType): boolean => ['callId', 'tokenId'].some((name) => name in input.getFields());

  /** A value that fits the field, as good as its name and type let one guess. */
  const fitting = (field: GraphQLInputField, type: GraphQLInputType = field.type): unknown => {
    if (isNonNullType(type)) return fitting(field, type.ofType);
    if (isListType(type)) return [fitting(field, type.ofType)];
    if (isInputObjectType(type)) return baseline(type);
    if (isEnumType(type)) return type.getValues()[0]!.value;
    switch (type.name) {
      case 'ID':
        return idFor(field.name, own);
      case 'Int':
        return 1;
      case 'BigInt':
        return 1;
      case 'Float':
        return field.name === 'bytes' ? 4 : 1.5;
      case 'Boolean':
        return true;
      case 'Bytes':
        return bytes[field.name] ?? NO_CHANGE;
      case 'DateTime':
        return new Date(world.clock.now().getTime() + 3_600_000).toISOString();
      case 'JSON':
        return { codecs: [], fingerprints: [], streamId: 1 };
      default:
        return textFor(field.name);
    }
  };
  const idFor = (name: string, ids: Record<string, string>): string => {
    if (name === 'idempotencyKey') return world.key();
    if (name in ids) return ids[name]!;
    if (/message|reply|root/i.test(name)) return ids['messageId']!;
    if (/chat/i.test(name)) return ids['chatId']!;
    if (/session/i.test(name)) return ids['sessionId']!;
    if (/group/i.test(name)) return ids['groupId']!;
    if (/status/i.test(name)) return ids['statusId']!;
    if (/categor|parent/i.test(name)) return ids['categoryId']!;
    if (/document/i.test(name)) return ids['documentId']!;
    if (/invite/i.test(name)) return ids['inviteLinkId']!;
    if (/file|attachment/i.test(name)) return ids['fileId']!;
    return ids['userId']!;
  };
  const textFor = (name: string): string => {
    if (/email/i.test(name)) return `p${world.key()}@example.com`;
    if (/phone/i.test(name)) return '+41791234567';
    if (/url/i.test(name)) return 'https://example.com/a.png';
    if (/handle/i.test(name)) return `h_${world.key().replace('-', '_')}`;
    if (/emoji/i.test(name)) return '👍';
    if (name === 'sha256') return 'ab'.repeat(32);
    if (name === 'contentType') return 'text/plain';
    if (/currency/i.test(name)) return 'CHF';
    if (/slug|sku/i.test(name)) return `s-${world.key()}`;
    if (/country/i.test(name)) return 'CH';
    if (/code/i.test(name)) return `CODE-${world.key()}`;
    if (name === 'taxClass') return 'standard';
    if (name === 'provider') return 'sandbox';
    if (name === 'method') return 'sandbox_ok';
    return 'some text';
  };
  const baseline = (type: GraphQLInputObjectType): Record<string, unknown> =>
    Object.fromEntries(Object.values(type.getFields()).filter((field) => isNonNullType(field.type)).map((field) => [field.name, fitting(field)]));

  const bad = (field: GraphQLInputField): unknown[] => {
    const type = getNamedType(field.type);
    const wrap = (value: unknown) => (isListType(isNonNullType(field.type) ? field.type.ofType : field.type) ? [value] : value);
    const singles: unknown[] =
      isEnumType(type) ? ['NO_SUCH_VALUE', 1]
      : isInputObjectType(type) ? [{ noSuchField: 1 }, 'text']
      : type.name === 'ID' && field.name === 'idempotencyKey' ? ['', 'x'.repeat(200), 'with space', 'snow☃man', '\u0000']
      : type.name === 'ID' ? ['', 'nonsense', `usr_${UNKNOWN}`, `cht_${UNKNOWN}`, `msg_${UNKNOWN}_1`, 'msg_1', `msg_${UNKNOWN}_99999999999`, idFor(field.name, foreign), '\u0000', 'x'.repeat(5000)]
      : type.name === 'Int' ? [-1, 2_147_483_647, -2_147_483_648, 9_999_999_999, 1.5, 'one']
      : type.name === 'BigInt' ? [-1, 2 ** 53, -(2 ** 53), 1e300, 1.5, 'one', '1e3', Number.MAX_SAFE_INTEGER]
      : type.name === 'Float' ? [1e308, -1e308, 'one']
      : type.name === 'Boolean' ? ['true', 1]
      : type.name === 'JSON' ? ['text', 12, [], {}, { codecs: 'x' }, { a: 'x'.repeat(100_000) }, { nul: '\u0000' }]
      : type.name === 'DateTime' ? ['yesterday', '1970-01-01T00:00:00Z', '9999-12-31T00:00:00Z', 12]
      : ['', ' ', 'x'.repeat(17_000), '€'.repeat(6_000), 'nul\u0000', 'bell\u0007', LONE_SURROGATE, '\u202eevil', 12, { a: 1 }];
    return [...singles.map(wrap), ...(isNonNullType(field.type) ? [null, undefined] : []), ...(wrap(1) === 1 ? [] : [Array(5000).fill(fitting(field, getNamedType(field.type) as GraphQLInputType))])];
  };

  it('nobody but those who come to sign in may do anything', async () => {
    const before = await digest(world);
    for (const mutation of mutations.filter(({ name }) => !FOR_ANYBODY.has(name))) {
      const input = getNamedType(mutation.args[0]!.type) as GraphQLInputObjectType;
      const call = world.client().request(`mutation($input: ${input.name}!) { ${mutation.name}(input: $input) { __typename } }`, { input: baseline(input) });
      await assert.rejects(call, (error: OmniTalkError) => error.code === 'UNAUTHENTICATED', mutation.name);
    }
    assert.deepEqual(await digest(world), before);
  });

  for (const mutation of mutations) {
    const input = getNamedType(mutation.args[0]!.type) as GraphQLInputObjectType;
    it(`${mutation.name}: every error has a code, and changes nothing`, async function () {
      this.timeout(60_000);
      bytes = {};
      who = [ann.client, world.client()];
      if (inEncryption(mutation.name)) await encryptedWorld();
      if (inCalls(input)) [own, foreign] = [{ ...own, ...(await callOf(ann, bob)) }, { ...foreign, ...(await callOf(stranger, other)) }];
      const document = `mutation($input: ${input.name}!) { ${mutation.name}(input: $input) { __typename } }`;
      const cases = Object.values(input.getFields()).flatMap((field) => bad(field).map((value) => ({ name: field.name, value })));
      for (const client of who) {
        let before = await digest(world);
        for (const { name, value } of cases) {
          const what = `${name}=${JSON.stringify(value)?.slice(0, 80)}`;
          // Signing out is a right of the caller that would end this test.
          if (mutation.name === 'signOut' && client === ann.client) continue;
          const error = await client.request(document, { input: { ...baseline(input), [name]: value } }).then(
            () => null,
            (caught: unknown) => caught,
          );
          const now = await digest(world);
          if (error) {
            assert.ok(error instanceof OmniTalkError, `${what}: ${String(error)}`);
            for (const { extensions, message } of error.errors) {
              assert.ok(codes.has(extensions?.code ?? ''), `${what}: ${extensions?.code} is not documented (${message})`);
              assert.notEqual(extensions?.code, 'INTERNAL', what);
            }
            assert.deepEqual(now, before, `${what}: ${error.code}, yet something changed`);
          }
          before = now;
        }
      }
    });
  }
});
