import assert from 'node:assert/strict';
import { Seat, startCall } from '../testkit/calls.js';
import { ADDRESS, openShop, sell } from '../testkit/commerce.js';
import { bbcFeed, story } from '../testkit/feeds.js';
import { addSource, administrator, articles, fetchFeeds, signedInAgain } from '../testkit/news.js';
import { encryptedChat, MlsDevice } from '../testkit/mls-device.js';
import { PIXEL } from '../testkit/pictures.js';
import { Publisher } from '../testkit/publisher.js';
import { befriend } from '../testkit/statuses.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';
import { decodeId, encodeId, newId } from '../../src/lib/ids.js';
import { webPush } from './inputs.js';
import type { Outsider } from './outsiders.js';
import type { Role } from './table.js';

/** Whoever asks: by a column, or outside of the tables. */
export type Asker = Role | Outsider | 'administrator';

/** Who asks, and what there is to ask for: all of it the owner's, or made by her. */
export interface Stage {
  world: World;
  /** The access token of each; null for nobody. */
  tokens: Record<Asker, string | null>;
  /** Ids and the like, by the name of the field or argument that takes them. */
  things: Record<string, string>;
  /** Other things in place of those, by the name that rows have them by: `sendMessage@direct`. */
  aside: Record<string, Record<string, string>>;
  stop(): Promise<void>;
}

const TOKEN_OVER_MS = 16 * 60_000;

export async function setStage(): Promise<Stage> {
  const publisher = await Publisher.start();
  // Without jobs, so that nothing happens by itself between two looks at the database.
  const world = await World.start({ settings: { JOBS: 'false', NEWS: 'true', NEWS_BUILT_IN: 'false', NOTIFICATIONS: 'true', TURN_URLS: 'turn:turn.example.com:3478', TURN_SECRET: 'a secret of some length', ...publisher.settings } });
  const first = await world.person('Owner');
  world.clock.advance(TOKEN_OVER_MS);
  const owner = await signedInAgain(world, first);
  const [stranger, blocked, exMember, member] = await world.people('Stranger', 'Blocked', 'Gone', 'Member');
  const [admin, plain, target] = await world.people('Admin', 'Moderator', 'Target');
  await world.sql(`update users set role = 'MODERATOR' where id = $1`, [decodeId('User', plain.id)]);
  const moderator = await signedInAgain(world, plain);
  const root = await administrator(world);

  const chatId = await world.groupChat(owner, [exMember, member, admin, target, blocked]);
  await owner.api.updateChatMemberRole({ input: { chatId, userId: admin.id, role: 'ADMIN' } });
  const { group } = (await owner.api.createGroup({ input: { name: 'A secret group', visibility: 'SECRET', joinPolicy: 'OPEN', idempotencyKey: world.key() } })).createGroup;
  await owner.api.createGroup({ input: { name: 'An open house', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key() } });
  await owner.api.addGroupMembers({ input: { groupId: group.id, userIds: [exMember, member, admin, target, blocked].map(({ id }) => id) } });
  await owner.api.updateGroupMemberRole({ input: { groupId: group.id, userId: admin.id, role: 'ADMIN' } });
  const { inviteLink } = (await owner.api.createInviteLink({ input: { chatId, idempotencyKey: world.key() } })).createInviteLink;
  const messageId = (await world.say(owner, chatId, 'hello')).id;
  const targetMessageId = (await world.say(target, chatId, 'hello too')).id;
  const poll = (await owner.api.sendMessage({ input: { chatId, poll: { question: 'Tea?', options: ['yes', 'no'] }, idempotencyKey: world.key() } })).sendMessage.message;
  await owner.api.pinMessage({ input: { messageId } });
  await exMember.api.leaveChat({ input: { chatId } });
  await exMember.api.leaveGroup({ input: { groupId: group.id } });
  await befriend(owner, member);
  await befriend(owner, admin);
  await befriend(owner, blocked);

  await owner.api.updateProfile({ input: { about: 'Who has all of it', presencePrivacy: 'CONTACTS' } });
  // Whoever listens is present.
  const listening = owner.client.inboxEvents();
  await eventually(async () => (await member.api.user({ id: owner.id })).user?.viewerState?.presence?.status === 'ONLINE', 'the owner is present');
  const notificationId = await notified(world, owner, () => member.api.addReaction({ input: { messageId, emoji: '👍' } }));

  const sendAt = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
  const things: Record<string, string> = {
    chatId, messageId, notificationId, targetMessageId, pollId: poll.id, groupId: group.id, inviteLinkId: inviteLink.id, sendAt,
    groupName: 'A secret group', userId: target.id, ownerId: owner.id, ownerHandle: owner.handle, sessionId: owner.sessionId,
    scheduledMessageId: (await owner.api.scheduleMessage({ input: { chatId, text: 'later', sendAt, idempotencyKey: world.key() } })).scheduleMessage.scheduledMessage.id,
    documentId: (await owner.api.createWhiteboard({ input: { chatId, idempotencyKey: world.key() } })).createWhiteboard.document.id,
    coBrowsingId: (await owner.api.startCoBrowsing({ input: { chatId, idempotencyKey: world.key() } })).startCoBrowsing.document.id,
    fileId: (await world.upload(owner, PIXEL, { contentType: 'image/png' })).id!,
    exportId: (await owner.api.requestDataExport({ input: { idempotencyKey: world.key() } })).requestDataExport.dataExport.id,
    pushDeviceId: (await owner.api.registerPushDevice({ input: { webPush: webPush() } })).registerPushDevice.pushDevice.id,
    startedAt: world.clock.now().toISOString(),
    // Nobody was suggested anything here.
    suggestionId: encodeId('SuggestedGroup', newId()),
    ...(await inShop(world, owner, chatId)), ...(await inCall(world, owner, target, chatId)), ...(await ofApps(world, owner)), ...(await ofStatuses(world, owner)), ...(await ofBots(world, owner, chatId)), ...(await ofCards(world, owner, chatId)),
    ...(await ofNews(world, owner, root, publisher)), ...(await ofCases(world, owner, targetMessageId)), ...(await ofEncryption(world, owner, [member, admin, blocked], target)),
  };
  Object.assign(things, await ofSupport(world, owner, target, things['botId']!, chatId));
  const { token: guest } = (await owner.api.createCallToken({ input: { callId: things['callId']!, name: 'Sitting', skipLobby: true, idempotencyKey: world.key() } })).createCallToken;
  const sitting = world.client(guest);
  await Seat.take({ client: sitting, api: sitting.api }, things['callId']!);
  const aside = {
    direct: await ofTwo(world, owner, blocked, things),
    blocked: { userId: blocked.id, ownerId: blocked.id, ownerHandle: blocked.handle },
    public: { groupName: 'An open house' },
  };
  // At the very end: until now they were each other's contacts, and could see of each other all that contacts see.
  await owner.api.blockUser({ input: { userId: blocked.id } });
  const tokens = { administrator: root.accessToken, suspended: (await suspendedPerson(world, moderator)).accessToken, guest, app: await keyOf(owner, world, ['users:issue']), nobody: null, expired: first.accessToken, stranger: stranger.accessToken, blocked: blocked.accessToken, exMember: exMember.accessToken, member: member.accessToken, admin: admin.accessToken, moderator: moderator.accessToken, owner: owner.accessToken };
  return { world, tokens, things, aside, stop: async () => {
    listening.close();
    await world.stop();
    await publisher.stop();
  } };
}

/** What the owner and somebody whom she will block have between the two of them: a direct chat, and what stands in it. */
async function ofTwo(world: World, owner: Person, blocked: Person, { shopId, variantId }: Record<string, string>): Promise<Record<string, string>> {
  const { api } = owner;
  const chatId = await world.directChat(owner, blocked);
  const poll = (await api.sendMessage({ input: { chatId, poll: { question: 'Coffee?', options: ['yes', 'no'] }, idempotencyKey: world.key() } })).sendMessage.message;
  const cartId = (await api.createCart({ input: { shopId: shopId!, idempotencyKey: world.key() } })).createCart.cart.id;
  await api.shareCart({ input: { cartId, chatId, idempotencyKey: world.key() } });
  const deadline = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
  return {
    chatId, messageId: (await world.say(owner, chatId, 'hello')).id, pollId: poll.id, cartId,
    documentId: (await api.createWhiteboard({ input: { chatId, idempotencyKey: world.key() } })).createWhiteboard.document.id,
    coBrowsingId: (await api.startCoBrowsing({ input: { chatId, idempotencyKey: world.key() } })).startCoBrowsing.document.id,
    groupBuyId: (await api.createGroupBuy({ input: { chatId, variantId: variantId!, tiers: [{ quantity: 1, price: { amount: 900, currency: 'CHF' } }], deadline, idempotencyKey: world.key() } })).createGroupBuy.groupBuy.id,
  };
}

async function suspendedPerson(world: World, moderator: Person): Promise<Person> {
  const person = await world.person('Suspended');
  await moderator.api.suspendUser({ input: { userId: person.id, reason: 'Because', seconds: null } });
  return person;
}

async function keyOf({ api }: Person, world: World, scopes: string[]): Promise<string> {
  const { app } = (await api.createApp({ input: { name: 'Narrow', redirectUris: [], scopes, idempotencyKey: world.key() } })).createApp;
  const key = (await api.createApiKey({ input: { appId: app.id, name: 'A key', idempotencyKey: world.key() } })).createApiKey.key!;
  // When it was used is noted, once a minute.
  await fails(world.client(key).api.viewer(), 'FORBIDDEN');
  return key;
}

/** What the owner is notified of when somebody does something: by the consumer that makes notifications, which runs for that long alone. */
async function notified(world: World, owner: Person, act: () => Promise<unknown>): Promise<string> {
  const { consumers } = world.app.container;
  await consumers.start();
  await act();
  const found = async () => (await owner.api.notifications({})).viewer!.notifications.edges[0]?.node.id;
  await eventually(async () => (await found()) !== undefined, 'the owner is notified');
  await consumers.stop(5_000);
  return (await found())!;
}

async function inShop(world: World, owner: Person, chatId: string): Promise<Record<string, string>> {
  const { api } = owner;
  const shop = await openShop(world, owner, 'the-shop');
  const product = await sell(world, shop, 'Tea', { slug: 'tea' });
  const variantId = product.variants[0]!.id;
  const locationId = (await api.shop({ id: shop.id })).shop!.viewerState!.locations[0]!.id;
  const { category } = (await api.createCategory({ input: { shopId: shop.id, name: 'Teas' } })).createCategory;
  const carts = [];
  for (let turn = 0; turn < 2; turn++) {
    const { cart } = (await api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await api.addToCart({ input: { cartId: cart.id, variantId, quantity: 2, idempotencyKey: world.key() } });
    carts.push(cart.id);
  }
  const { result } = (await api.checkout({ input: { cartId: carts[1]!, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout;
  assert.ok(result.__typename === 'CheckoutCompleted');
  const orderId = result.order.id;
  const lineId = result.order.lines[0]!.id;
  const sent = (await api.fulfillOrder({ input: { orderId, lines: [{ lineId, quantity: 1 }], idempotencyKey: world.key() } })).fulfillOrder.order;
  const { returns } = (await api.requestReturn({ input: { orderId, lines: [{ lineId, quantity: 1 }], idempotencyKey: world.key() } })).requestReturn.order;
  await api.setTaxRule({ input: { shopId: shop.id, country: 'CH', taxClass: 'standard', ratePpm: 81_000, included: true } });
  const money = { amount: 100, currency: 'CHF' };
  const deadline = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
  return {
    shopId: shop.id, shopSlug: shop.slug, productSlug: 'tea', productId: product.id, variantId, locationId, categoryId: category.id, cartId: carts[0]!, orderId, lineId, fulfillmentId: sent.fulfillments[0]!.id, returnId: returns[0]!.id,
    payoutId: (await api.requestPayout({ input: { shopId: shop.id, currency: 'CHF', amount: 1, idempotencyKey: world.key() } })).requestPayout.payout.id,
    addressId: (await api.saveAddress({ input: { address: ADDRESS } })).saveAddress.address.id,
    discountId: (await api.createDiscount({ input: { shopId: shop.id, code: 'SOME-CODE', kind: 'PERCENT', value: 100 } })).createDiscount.discountId,
    giftCardId: (await api.issueGiftCard({ input: { shopId: shop.id, value: money, idempotencyKey: world.key() } })).issueGiftCard.giftCardId,
    // To no country where anybody is: with a way of sending there, one would have to be chosen.
    shippingMethodId: (await api.createShippingMethod({ input: { shopId: shop.id, name: 'Boat', price: money, countries: ['AQ'] } })).createShippingMethod.shippingMethod.id,
    groupBuyId: (await api.createGroupBuy({ input: { chatId, variantId, tiers: [{ quantity: 1, price: { amount: 900, currency: 'CHF' } }], deadline, idempotencyKey: world.key() } })).createGroupBuy.groupBuy.id,
  };
}

/** A call of the chat's that the owner runs, with the target in it. */
async function inCall(world: World, owner: Person, target: Person, chatId: string): Promise<Record<string, string>> {
  const callId = await startCall(world, owner, chatId, { ring: false });
  const [mine, theirs] = [await Seat.take(owner, callId), await Seat.take(target, callId)];
  const [transportId, receiving] = [await mine.transport('SEND', true), await mine.transport('RECEIVE', true)];
  const producerId = await mine.produce(transportId);
  const consumerId = await mine.consume(receiving, await theirs.produce(await theirs.transport('SEND')));
  const sctpStreamParameters = { streamId: 0 };
  const sent = (await target.api.produceData({ input: { callId, transportId: await theirs.transport('SEND', true), sctpStreamParameters, label: 'chat' } })).produceData.producer.id;
  const dataProducerId = (await owner.api.produceData({ input: { callId, transportId, sctpStreamParameters, label: 'chat' } })).produceData.producer.id;
  const dataConsumerId = (await owner.api.consumeData({ input: { callId, transportId: receiving, dataProducerId: sent } })).consumeData.dataConsumer.id;
  const { tokenId } = (await owner.api.createCallToken({ input: { callId, name: 'Guest', idempotencyKey: world.key() } })).createCallToken;
  return { callId, participantId: theirs.participantId, transportId, producerId, dataProducerId, dataConsumerId, consumerId, tokenId };
}

async function ofApps(world: World, { api }: Person): Promise<Record<string, string>> {
  const { app } = (await api.createApp({ input: { name: 'An app', redirectUris: ['https://example.com/back'], scopes: ['chats:read'], idempotencyKey: world.key() } })).createApp;
  // Let, and not taken up yet: what there is to take back.
  await api.authorizeApp({ input: { clientId: app.id, redirectUri: 'https://example.com/back', scopes: ['chats:read'], codeChallenge: 'a'.repeat(43) } });
  const { apiKey } = (await api.createApiKey({ input: { appId: app.id, name: 'A key', idempotencyKey: world.key() } })).createApiKey;
  const { webhook } = (await api.createWebhook({ input: { url: 'https://example.com/hook', events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook;
  const { operations } = (await api.registerAppOperations({ input: { appId: app.id, documents: ['query Mine { viewer { user { id } } }'] } })).registerAppOperations;
  return { operationHash: operations[0]!.hash, appId: app.id, clientId: app.id, apiKeyId: apiKey.id, webhookId: webhook.id };
}

async function ofStatuses(world: World, { api }: Person): Promise<Record<string, string>> {
  const statusId = (await api.postStatus({ input: { text: 'A status', idempotencyKey: world.key() } })).postStatus.status.id;
  return { statusId, highlightId: (await api.createHighlight({ input: { title: 'Kept', statusIds: [statusId], idempotencyKey: world.key() } })).createHighlight.highlight.id };
}

async function ofBots(world: World, { api }: Person, chatId: string): Promise<Record<string, string>> {
  const botId = (await api.createBot({ input: { handle: 'tea_bot', displayName: 'A bot', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot.id;
  const { knowledge } = (await api.addBotKnowledge({ input: { botId, faq: [{ question: 'tea', answer: 'hot' }], idempotencyKey: world.key() } })).addBotKnowledge;
  await api.setBotTutor({ input: { botId, subject: 'Tea' } });
  const { exercise } = (await api.nextExercise({ input: { botId } })).nextExercise;
  const { version } = (await api.publishBot({ input: { botId, category: 'OTHER', description: 'It waits to be looked at.', idempotencyKey: world.key() } })).publishBot;
  await api.addBotToChat({ input: { botId, chatId } });
  const { schedule } = (await api.setBotSchedule({ input: { botId, chatId, every: 'DAY', at: '09:30', text: 'Good morning', idempotencyKey: world.key() } })).setBotSchedule;
  return { botId, knowledgeId: knowledge[0]!.id, scheduleId: schedule.id, versionId: version.id, exerciseId: exercise!.id };
}

/** A card of a bot's in the chat, on which the owner has pressed. */
async function ofCards(world: World, { api }: Person, chatId: string): Promise<Record<string, string>> {
  const { bot, token } = (await api.createBot({ input: { handle: 'cards_bot', displayName: 'Another bot', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
  await api.addBotToChat({ input: { botId: bot.id, chatId } });
  await api.setBotCommands({ input: { botId: bot.id, commands: [{ name: 'press', description: 'Press it' }] } });
  const card = { rows: [[{ key: 'yes', label: 'Yes' }]], form: { submitLabel: 'Send', fields: [{ key: 'name', kind: 'TEXT' as const, label: 'Name' }] } };
  const { message } = (await world.client(token).api.sendBotCard({ input: { chatId, text: 'Press', card, idempotencyKey: world.key() } })).sendBotCard;
  return { cardId: message.id, callbackId: (await api.pressButton({ input: { messageId: message.id, button: 'yes', idempotencyKey: world.key() } })).pressButton.callbackId };
}

/** Handed over by her bot to those of the chat: somebody else waits for one of them. */
async function ofSupport(world: World, { api }: Person, asker: Person, botId: string, chatId: string): Promise<Record<string, string>> {
  await api.setBotHandOver({ input: { botId, chatId } });
  return { supportCaseId: (await asker.api.requestPerson({ input: { botId, withTranscript: true, idempotencyKey: world.key() } })).requestPerson.supportCase.id };
}

/** An encrypted chat of the owner's, in whose group are her device and the target's: what she could send as the next thing into it. */
async function ofEncryption(world: World, owner: Person, others: Person[], target: Person): Promise<Record<string, string>> {
  const [mine, theirs] = [await MlsDevice.of(world, owner), await MlsDevice.of(world, target)];
  const encryptedChatId = await encryptedChat(mine, [...others, target]);
  const { input } = await mine.prepare(encryptedChatId, [], []);
  const another = await mine.newGroup(`${encryptedChatId}/2`);
  return {
    encryptedChatId, deviceId: theirs.id, welcomeId: encodeId('Welcome', newId()), keyPackage: (await mine.packages(1))[0]!, commit: input.commit, nextGroupInfo: input.groupInfo,
    anotherGroupInfo: another.groupInfo, ciphertext: await mine.encrypt(encryptedChatId, 'a secret'),
  };
}

async function ofNews(world: World, owner: Person, root: Person, publisher: Publisher): Promise<Record<string, string>> {
  const feed = bbcFeed([{ path: '/story', title: 'A story', summary: story('Bread', 1), at: world.clock.now() }], publisher.at(''));
  const sourceId = (await addSource(world, root, publisher.serve('/feed', { body: feed, type: 'application/rss+xml' }))).id;
  await fetchFeeds(world);
  const articleId = (await articles(owner))[0]!.id;
  // The first who asks has it made, for everybody.
  await owner.api.summarizeArticle({ input: { articleId } });
  return { sourceId, articleId };
}

/** What was reported, and waits for a moderator of the chat. */
async function ofCases(world: World, owner: Person, messageId: string): Promise<Record<string, string>> {
  await owner.api.reportContent({ input: { targetId: messageId, reason: 'SPAM' } });
  const [found] = await world.sql<{ id: string }>('select id from moderation_cases');
  return { caseId: encodeId('ModerationCase', found!.id) };
}
