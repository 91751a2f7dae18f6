import type { ChatEventRef, UserEventRef } from '../../src/events/catalogue.js';
import { decodeId } from '../../src/lib/ids.js';
import { ADDRESS, sellRich } from './commerce.js';
import { cnnFeed, story } from './feeds.js';
import { addSource, administrator, articles, fetchFeeds } from './news.js';
import { digitsIn } from './outbox.js';
import { anotherDevice, encryptedChat, MlsDevice } from './mls-device.js';
import { PIXEL } from './pictures.js';
import type { Publisher } from './publisher.js';
import { befriend } from './statuses.js';
import { eventually, type Person, type World } from './world.js';

/** What a person's inbox can bring; calls have a spec of their own (calls-state.spec.ts), and so has what bots alone are told (bot-cards.spec.ts). */
export type InboxKind = Exclude<(ChatEventRef | UserEventRef)['kind'], 'button.pressed' | 'form.submitted'>;
/** What people do, as the devices of one of them (Bob) come to hear of it. The compiler asks for one of each kind. */
export type Scenarios = Record<InboxKind, () => Promise<void>>;

/** Who plays: Ann owns the chat, Bob is in it, Carol is not yet. Other people come and go. */
export interface Stage {
  world: World;
  ann: Person;
  bob: Person;
  carol: Person;
  chatId: string;
  /** Whom the world's settings let it ask, for news (NEWS_BUILT_IN off) and previews of links. */
  publisher: Publisher;
}

export function scenariosOf({ world, ann, bob, carol, chatId, publisher }: Stage): Scenarios {
  const say = (person: Person, text: string, more: object = {}) =>
    person.api.sendMessage({ input: { chatId, text, idempotencyKey: world.key(), ...more } }).then(({ sendMessage }) => sendMessage.message);
  const other = () => world.groupChat(ann, [bob, carol], 'Another');

  const scenarios: Scenarios = {
    'message.sent': async () => {
      const first = await say(ann, 'plain, for @bob');
      await say(bob, 'an answer', { replyToId: first.id });
      const poll = await ann.api.sendMessage({ input: { chatId, text: null, poll: { question: 'Tea?', options: ['yes', 'no'] }, idempotencyKey: world.key() } });
      await ann.api.sendMessage({ input: { chatId, location: { latitude: 47.4, longitude: 8.5, name: 'Zürich' }, idempotencyKey: world.key() } });
      const photo = await world.upload(ann, PIXEL, { name: 'dot.png', contentType: 'image/png' });
      await ann.api.sendMessage({ input: { chatId, text: 'look', attachments: [{ fileId: photo.id!, caption: 'a dot' }], idempotencyKey: world.key() } });
      const shared = (await ann.api.shareArticle({ input: { articleId: await article(), chatId, text: 'Read this', idempotencyKey: world.key() } })).shareArticle.message;
      await say(bob, 'so I did', { replyToId: shared.id });
      await show();
      const target = await other();
      await ann.api.forwardMessages({ input: { messageIds: [first.id, poll.sendMessage.message.id], chatIds: [target], idempotencyKey: world.key() } });
    },
    'message.updated': async () => {
      const edited = await say(ann, 'before');
      await ann.api.editMessage({ input: { messageId: edited.id, text: 'between' } });
      await ann.api.editMessage({ input: { messageId: edited.id, text: 'after' } });
      const root = await say(carol2(), 'a thread’s root');
      await say(bob, 'in the thread', { threadRootId: root.id });
      await say(ann, 'in the thread too', { threadRootId: root.id });
      const poll = (await ann.api.sendMessage({ input: { chatId, poll: { question: 'Which?', options: ['a', 'b', 'c'], multiple: true }, idempotencyKey: world.key() } })).sendMessage.message;
      await bob.api.votePoll({ input: { messageId: poll.id, optionIndexes: [0, 2] } });
      await ann.api.votePoll({ input: { messageId: poll.id, optionIndexes: [2] } });
      await bob.api.votePoll({ input: { messageId: poll.id, optionIndexes: [] } });
      await ann.api.closePoll({ input: { messageId: poll.id } });
      const linked = await say(ann, publisher.serve('/page', { body: '<title>A page</title><meta name="description" content="About it"><meta property="og:site_name" content="The site"><meta property="og:image" content="/a.png">' }));
      await eventually(async () => (await ann.api.messageBySeq({ chatId, seq: linked.seq })).chat!.message!.linkPreview !== null, 'the preview is there', 20_000);
      const { product } = await sellRich(world, ann);
      const offered = await say(ann, product.url!);
      await eventually(async () => (await ann.api.messageBySeq({ chatId, seq: offered.seq })).chat!.message!.linkPreview !== null, 'the card is there', 20_000);
    },
    'message.deleted': async () => {
      const gone = await say(ann, 'to be deleted');
      await bob.api.addReaction({ input: { messageId: gone.id, emoji: '👀' } });
      await ann.api.pinMessage({ input: { messageId: gone.id } });
      await ann.api.deleteMessage({ input: { messageId: gone.id, scope: 'FOR_EVERYONE' } });
      const root = await say(ann, 'a root to be deleted');
      await say(bob, 'an answer that stays', { threadRootId: root.id });
      await ann.api.deleteMessage({ input: { messageId: root.id, scope: 'FOR_EVERYONE' } });
    },
    'reactions.changed': async () => {
      const message = await say(ann, 'like me');
      for (const [person, emoji] of [[ann, '👍'], [bob, '👍'], [bob, '🎉']] as const) await person.api.addReaction({ input: { messageId: message.id, emoji } });
      await bob.api.removeReaction({ input: { messageId: message.id, emoji: '👍' } });
    },
    'pins.changed': async () => {
      const [one, two] = [await say(ann, 'pin one'), await say(ann, 'pin two')];
      for (const { id } of [one, two]) await ann.api.pinMessage({ input: { messageId: id } });
      await ann.api.unpinMessage({ input: { messageId: one.id } });
    },
    'member.joined': async () => {
      await ann.api.addChatMembers({ input: { chatId, memberIds: [carol.id] } });
      await say(carol, 'here I am');
    },
    'member.left': async () => {
      const dave = await world.person(`Dave${world.key().replace('-', '')}`);
      await ann.api.addChatMembers({ input: { chatId, memberIds: [dave.id] } });
      await dave.api.leaveChat({ input: { chatId } });
      const erin = await world.person(`Erin${world.key().replace('-', '')}`);
      await ann.api.addChatMembers({ input: { chatId, memberIds: [erin.id] } });
      await ann.api.removeChatMember({ input: { chatId, userId: erin.id } });
    },
    'member.updated': async () => {
      await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'ADMIN' } });
      await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'MEMBER' } });
      for (const seconds of [60, 0]) await ann.api.silenceChatMember({ input: { chatId, userId: bob.id, seconds, reason: 'a moment of silence' } });
      await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'ADMIN' } });
    },
    'chat.updated': async () => {
      await ann.api.updateChat({ input: { chatId, title: 'A better title' } });
      await ann.api.updateChat({ input: { chatId, slowModeSeconds: 5, messageTtlSeconds: 86_400 } });
      await ann.api.updateChat({ input: { chatId, slowModeSeconds: 0, messageTtlSeconds: null } });
    },
    'document.changed': async () => {
      const board = async () => (await ann.api.createWhiteboard({ input: { chatId, title: 'Plans', idempotencyKey: world.key() } })).createWhiteboard.document.id;
      const [kept, gone] = [await board(), await board()];
      await ann.api.updateWhiteboard({ input: { documentId: kept, title: 'Better plans', editing: 'ADMINS' } });
      await ann.api.deleteWhiteboard({ input: { documentId: gone } });
      const { document } = (await bob.api.startCoBrowsing({ input: { chatId, idempotencyKey: world.key() } })).startCoBrowsing;
      await bob.api.endCoBrowsing({ input: { documentId: document.id } });
    },
    'groupbuy.changed': async () => {
      const { product, shippingMethodId } = await sellRich(world, ann);
      const open = async () => {
        const input = {
          chatId, variantId: product.variants[0]!.id, tiers: [{ quantity: 1, price: { amount: 800, currency: 'CHF' } }], deadline: new Date(world.clock.now().getTime() + 3_600_000).toISOString(), idempotencyKey: world.key(),
        };
        return (await ann.api.createGroupBuy({ input })).createGroupBuy.groupBuy.id;
      };
      const [kept, gone] = [await open(), await open()];
      await bob.api.joinGroupBuy({ input: { groupBuyId: kept, quantity: 2, address: ADDRESS, shippingMethodId, idempotencyKey: world.key() } });
      await ann.api.cancelGroupBuy({ input: { groupBuyId: gone } });
    },
    'chat.added': async () => {
      const made = await world.groupChat(carol, [ann, bob], 'Carol’s');
      await carol.api.sendMessage({ input: { chatId: made, text: 'welcome', idempotencyKey: world.key() } });
      await world.say(bob, await world.directChat(bob, carol), 'hello Carol');
    },
    'chat.removed': async () => {
      const made = await other();
      await world.say(ann, made, 'first stay');
      await ann.api.removeChatMember({ input: { chatId: made, userId: bob.id } });
      await world.say(ann, made, 'without Bob');
      await ann.api.addChatMembers({ input: { chatId: made, memberIds: [bob.id] } });
      await world.say(ann, made, 'second stay');
      const left = await other();
      await bob.api.leaveChat({ input: { chatId: left } });
    },
    'chat.settings': async () => {
      await bob.api.updateChatSettings({ input: { chatId, muted: true, pinned: true, draft: 'half a sentence' } });
      await bob.api.updateChatSettings({ input: { chatId, muted: false, archived: true } });
    },
    'contact.changed': async () => {
      await bob.api.addContact({ input: { userId: ann.id, name: 'Annie' } });
      await bob.api.addContact({ input: { userId: carol.id } });
      await carol.api.addContact({ input: { userId: bob.id } }); // now they are mutual
      await bob.api.removeContact({ input: { userId: ann.id } });
    },
    'block.changed': async () => {
      const dave = await world.person(`Dave${world.key().replace('-', '')}`);
      await bob.api.blockUser({ input: { userId: dave.id } });
      await bob.api.blockUser({ input: { userId: ann.id } });
      await bob.api.unblockUser({ input: { userId: ann.id } });
    },
    'group.changed': async () => {
      const { createGroup } = await bob.api.createGroup({ input: { name: 'Chess', visibility: 'PUBLIC', joinPolicy: 'OPEN', topics: ['chess'], idempotencyKey: world.key() } });
      await ann.api.joinGroup({ input: { groupId: createGroup.group.id } });
      await bob.api.updateGroup({ input: { groupId: createGroup.group.id, description: 'Every Tuesday', rules: 'Touch, move.' } });
    },
    'message.marks': async () => {
      const [starred, unstarred, hidden] = [await say(ann, 'a star'), await say(ann, 'no star'), await say(ann, 'not for me')];
      for (const { id } of [starred, unstarred]) await bob.api.starMessage({ input: { messageId: id } });
      await bob.api.unstarMessage({ input: { messageId: unstarred.id } });
      await bob.api.deleteMessage({ input: { messageId: hidden.id, scope: 'FOR_ME' } });
    },
    'scheduled.changed': async () => {
      const schedule = async (text: string) =>
        (await bob.api.scheduleMessage({ input: { chatId, text, sendAt: new Date(world.clock.now().getTime() + 60_000).toISOString(), idempotencyKey: world.key() } })).scheduleMessage.scheduledMessage;
      await schedule('later');
      const cancelled = await schedule('never');
      await bob.api.cancelScheduledMessage({ input: { scheduledMessageId: cancelled.id } });
      await world.passTime(61_000);
      await eventually(async () => (await world.sql('select from messages where text = $1', ['later'])).length === 1, 'it has been sent');
    },
    'moderation.changed': async () => {
      const guarded = await world.groupChat(ann, [bob], 'Guarded');
      await ann.api.updateModerationRules({ input: { chatId: guarded, rules: { words: [{ word: 'bet', action: 'HOLD' }] } } });
      const held = async (text: string) => {
        await bob.api.sendMessage({ input: { chatId: guarded, text, idempotencyKey: world.key() } }).catch(() => undefined);
        return (await bob.api.moderationCases({ first: 1 })).viewer!.moderationCases.edges[0]!.node.id;
      };
      await ann.api.decideModerationCase({ input: { caseId: await held('a bet?'), decision: 'APPROVE' } });
      const caseId = await held('bet on it');
      await ann.api.decideModerationCase({ input: { caseId, decision: 'REJECT', note: 'No bets here.' } });
      await bob.api.appealModeration({ input: { caseId, text: 'It was a figure of speech.' } });
    },
    'support.changed': async () => {
      const botId = (await ann.api.createBot({ input: { handle: `help_${world.key().replace('-', '_')}`, displayName: 'Help', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot.id;
      await ann.api.setBotHandOver({ input: { botId, chatId: await world.groupChat(ann, [bob], 'Support') } });
      const asked = async (person: Person) => (await person.api.requestPerson({ input: { botId, withTranscript: true, idempotencyKey: world.key() } })).requestPerson.supportCase.id;
      const first = await asked(carol);
      await bob.api.takeSupportCase({ input: { supportCaseId: first } });
      await bob.api.resolveSupportCase({ input: { supportCaseId: first } });
      await bob.api.cancelSupportCase({ input: { supportCaseId: await asked(bob) } });
    },
    'profile.changed': async () => {
      await bob.api.updateProfile({ input: { about: 'Likes tea', displayName: 'Bobby', discoverable: false } });
      await ann.api.updateProfile({ input: { displayName: 'Anna' } });
    },
    'account.changed': async () => {
      const phone = `+4179${String(Date.now()).slice(-7)}`;
      await bob.api.requestPhoneCode({ input: { phone } });
      await world.sent();
      await bob.api.verifyPhoneCode({ input: { phone, code: digitsIn(world.outbox.textsTo(phone).at(-1)!) } });
    },
    'file.changed': async () => {
      const file = await world.upload(bob, PIXEL, { name: 'dot.png', contentType: 'image/png' });
      await bob.api.updateProfile({ input: { avatarFileId: file.id } });
      await world.upload(bob, PIXEL.subarray(0, 40), { name: 'half.png', contentType: 'image/png' });
    },
    'call.started': async () => {
      const made = await other();
      const callId = await ring(ann, made);
      await hangUp(ann, callId);
      const sale = await ring(ann, await other());
      await ann.api.joinCall({ input: { callId: sale } });
      const { product } = await sellRich(world, ann);
      await ann.api.showcaseProduct({ input: { callId: sale, productId: product.id } });
    },
    'call.ended': async () => {
      const callId = await ring(ann, await other());
      await bob.api.joinCall({ input: { callId } });
      await hangUp(ann, callId);
    },
    'call.incoming': async () => {
      const callId = await ring(ann, await other());
      await bob.api.declineCall({ input: { callId } });
    },
    'call.ring.ended': async () => {
      const callId = await ring(ann, await other());
      await hangUp(ann, callId);
    },
    'call.log': async () => {
      const callId = await ring(bob, await other());
      await ann.api.joinCall({ input: { callId } });
      await bob.api.joinCall({ input: { callId } });
      await bob.api.leaveCall({ input: { callId } });
      await hangUp(ann, callId);
    },
    'bot.changed': async () => {
      const make = async () => (await bob.api.createBot({ input: { handle: `b_${world.key().replace('-', '_')}`, displayName: 'Bob’s', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot.bot.id;
      const [kept, gone] = [await make(), await make()];
      await bob.api.updateBot({ input: { botId: kept, instructions: 'Be brief.', languages: ['en'], about: 'I am brief.' } });
      await bob.api.setBotCommands({ input: { botId: kept, commands: [{ name: 'brief', description: 'In short' }] } });
      const brief = await world.groupChat(bob, [ann], 'Brief');
      await bob.api.addBotToChat({ input: { botId: kept, chatId: brief } });
      await bob.api.updateChat({ input: { chatId: brief, title: 'Briefly' } });
      // What only a model can make it spend.
      await world.sql(`insert into bot_spending (bot_id, day, requests, input_tokens, output_tokens, cost) values ($1, (now() at time zone 'UTC')::date, 1, 20, 10, 300)`, [decodeId('Bot', kept, 'kept')]);
      await bob.api.deleteBot({ input: { botId: gone } });
    },
    'callback.answered': async () => {
      const { bot, token } = (await ann.api.createBot({ input: { handle: `b_${world.key().replace('-', '_')}`, displayName: 'Buttons', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
      await ann.api.addBotToChat({ input: { botId: bot.id, chatId } });
      const { api } = world.client(token);
      const form = { submitLabel: 'Send', fields: [{ key: 'name', kind: 'TEXT' as const, label: 'Name', required: true }] };
      const card = { heading: 'A card', rows: [[{ key: 'yes', label: 'Yes', payload: '1' }, { key: 'more', label: 'More', url: 'https://example.com' }]], form };
      const { message } = (await api.sendBotCard({ input: { chatId, text: 'Press', card, idempotencyKey: world.key() } })).sendBotCard;
      const { callbackId } = (await bob.api.pressButton({ input: { messageId: message.id, button: 'yes', idempotencyKey: world.key() } })).pressButton;
      await bob.api.submitForm({ input: { messageId: message.id, values: [{ key: 'name', text: 'Bob' }], idempotencyKey: world.key() } });
      await api.answerCallback({ input: { callbackId, notice: 'Thank you' } });
      await api.updateBotCard({ input: { messageId: message.id, text: 'Pressed', card } });
    },
    'order.changed': async () => {
      const { shop, product, shippingMethodId } = await sellRich(world, bob);
      const { cart } = (await ann.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
      await ann.api.addToCart({ input: { cartId: cart.id, variantId: product.variants[0]!.id, quantity: 2, idempotencyKey: world.key() } });
      const { result } = (await ann.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS, shippingMethodId }, idempotencyKey: world.key() } })).checkout;
      const orderId = 'order' in result ? result.order.id : '';
      const { order } = (await bob.api.fulfillOrder({ input: { orderId, idempotencyKey: world.key() } })).fulfillOrder;
      await bob.api.deliverFulfillment({ input: { fulfillmentId: order.fulfillments[0]!.id } });
      await ann.api.requestReturn({ input: { orderId, lines: [{ lineId: order.lines[0]!.id, quantity: 1 }], reason: 'too green', idempotencyKey: world.key() } });
      await bob.api.refundOrder({ input: { orderId, amount: 100, idempotencyKey: world.key() } });
    },
    'notification.added': async () => {
      const message = await say(bob, 'something to like');
      await ann.api.addReaction({ input: { messageId: message.id, emoji: '👍' } });
      const asked = await say(ann, 'what do you say, @bob?');
      for (const { id } of [message, asked]) await eventually(async () => (await notificationsOf(bob)).some((told) => told.message?.id === id), 'Bob is told');
      const { webhook } = (await bob.api.createWebhook({ input: { url: publisher.serve('/gone', { status: 410 }), events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook;
      await say(ann, 'for an endpoint that is gone');
      await eventually(async () => (await notificationsOf(bob)).some((told) => told.webhook?.id === webhook.id), 'Bob is told that his endpoint is switched off', 20_000);
    },
    'notifications.read': async () => {
      await say(ann, 'are you there, @bob?');
      await eventually(async () => (await notificationsOf(bob, true)).length > 0, 'Bob is told');
      await bob.api.markNotificationsRead({ input: { upToId: (await notificationsOf(bob))[0]!.id } });
    },
    'notification.preferences': async () => {
      await bob.api.updateNotificationPreferences({ input: { content: 'SENDER', chats: [{ chatId, level: 'MENTIONS' }] } });
      await bob.api.updateNotificationPreferences({ input: { content: 'TEXT', chats: [{ chatId, level: null }] } });
    },
    'sessions.changed': async () => {
      const { signIn } = await world.client().api.signIn({ input: { email: 'bob@example.com', password: 'password of bob' } });
      await bob.api.signOut({ input: { sessionId: signIn.session.id } });
    },
    'encryption.committed': async () => {
      const [annPhone, bobPhone] = await encrypted();
      const secret = await encryptedChat(annPhone, [bob]);
      await bobPhone.catchUp(secret);
      await bobPhone.change(secret, [], []);
    },
    'encryption.changed': async () => {
      const [annPhone] = await encrypted();
      await encryptedChat(annPhone, [bob]);
      await MlsDevice.of(world, await anotherDevice(world, bob, 'a new one'));
      await jobsDone();
    },
    'welcome.added': async () => {
      const [annPhone, bobPhone] = await encrypted();
      const secret = await encryptedChat(annPhone, [bob]);
      await bobPhone.catchUp(secret);
      const { id } = await annPhone.say(secret, 'for the devices of this chat');
      await bobPhone.say(secret, 'so is this');
      // By it, and what it shows of the chat, the group of an encrypted chat is seen.
      await ann.api.updateChat({ input: { chatId: secret, title: 'Secrets' } });
      await ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    },
    'keypackages.low': async () => {
      const [annPhone] = await encrypted();
      await encryptedChat(annPhone, [bob]);
    },
    'status.posted': async () => {
      await befriend(ann, bob);
      const answered = await post(ann, 'Off to the lake', { backgroundColor: '#00aaff', font: 'SERIF' });
      await post(ann, 'A picture', { fileId: (await world.upload(ann, PIXEL, { contentType: 'image/png' })).id });
      await post(ann, 'For Bob alone', { audience: { kind: 'ONLY', userIds: [bob.id] } });
      await post(ann, 'Not for Bob', { audience: { kind: 'EXCEPT', userIds: [bob.id] } });
      await post(bob, 'Staying at home', { audience: { kind: 'EXCEPT', userIds: [carol.id] } });
      await bob.api.reactToStatus({ input: { statusId: answered.id, emoji: '🌊' } });
      await bob.api.replyToStatus({ input: { statusId: answered.id, text: 'Me too!', idempotencyKey: world.key() } });
    },
    'status.deleted': async () => {
      for (const person of [ann, bob]) {
        const { id } = await post(person, 'A slip of the tongue');
        await person.api.deleteStatus({ input: { statusId: id } });
      }
    },
    'status.viewed': async () => {
      const { id: statusId } = await post(bob, 'Look at this');
      await ann.api.viewStatus({ input: { statusId } });
      await ann.api.reactToStatus({ input: { statusId, emoji: '👏' } });
      await eventually(async () => !(await world.sql('select from statuses where news_at is not null')).length, 'its author has been told');
    },
    'status.marks': async () => {
      const [seen, liked] = [await post(ann, 'Seen'), await post(ann, 'Liked')];
      await bob.api.viewStatus({ input: { statusId: seen.id } });
      await bob.api.reactToStatus({ input: { statusId: liked.id, emoji: '❤️' } });
    },
    'status.muted': async () => {
      for (const { id: userId } of [ann, carol]) await bob.api.muteStatuses({ input: { userId } });
      await bob.api.unmuteStatuses({ input: { userId: ann.id } });
    },
    'status.highlight': async () => {
      const make = (title: string, ...statusIds: string[]) => bob.api.createHighlight({ input: { title, statusIds, idempotencyKey: world.key() } });
      const [one, two] = [await post(bob, 'One'), await post(bob, 'Two')];
      const kept = (await make('Summer', one.id, two.id)).createHighlight.highlight.id;
      await bob.api.updateHighlight({ input: { highlightId: kept, title: 'Autumn', coverStatusId: two.id } });
      await bob.api.deleteHighlight({ input: { highlightId: (await make('Spring', one.id)).createHighlight.highlight.id } });
      // Of others: by it their chats' members see it, too.
      await ann.api.createHighlight({ input: { title: 'Lakes', statusIds: [(await post(ann, 'A lake')).id], idempotencyKey: world.key() } });
    },
  };
  const post = async (person: Person, text: string, more: object = {}) => (await person.api.postStatus({ input: { text, idempotencyKey: world.key(), ...more } })).postStatus.status;
  /** An article that was read, bookmarked and summarised; there from the first asking on. */
  const article = async (): Promise<string> => {
    if (!(await articles(ann)).length) {
      const root = await administrator(world);
      const text = story('Storm', 1);
      const feed = cnnFeed([{ path: '/storm', title: 'A storm', summary: text, at: new Date(world.clock.now().getTime() - 60_000), image: publisher.at('/storm') }], publisher.at(''));
      publisher.serve('/storm', { body: `<title>A storm</title><article>${text.split('. ').map((sentence) => `<p>${sentence}.</p>`).join('')}</article>` });
      await addSource(world, root, publisher.serve('/feed', { body: feed, type: 'application/rss+xml' }), { topics: ['Weather'] });
      await fetchFeeds(world);
      await eventually(async () => (await articles(ann)).length > 0, 'the article is there', 20_000);
      const { id } = (await articles(ann))[0]!;
      await ann.api.newsArticle({ id });
      await ann.api.summarizeArticle({ input: { articleId: id } });
      await bob.api.bookmarkArticle({ input: { articleId: id } });
    }
    return (await articles(ann))[0]!.id;
  };
  /** A product, and a cart, in the chat: as they stay. */
  const show = async () => {
    const { shop, product } = await sellRich(world, ann);
    await bob.api.reviewProduct({ input: { productId: product.id, rating: 5, title: 'Good', text: 'Very good' } });
    const variantId = product.variants[0]!.id;
    await ann.api.shareProduct({ input: { productId: product.id, variantId, chatId, idempotencyKey: world.key() } });
    const { cart } = (await bob.api.createCart({ input: { shopId: shop.id, title: 'Tea', idempotencyKey: world.key() } })).createCart;
    await bob.api.addToCart({ input: { cartId: cart.id, variantId, quantity: 2, idempotencyKey: world.key() } });
    await bob.api.shareCart({ input: { cartId: cart.id, chatId, idempotencyKey: world.key() } });
  };
  const encrypted = async (): Promise<[MlsDevice, MlsDevice]> => [await MlsDevice.of(world, await anotherDevice(world, ann, 'phone')), await MlsDevice.of(world, await anotherDevice(world, bob, 'phone'))];
  const jobsDone = () => eventually(async () => !(await world.sql(`select from graphile_worker.jobs where task_identifier = 'tell-of-devices'`)).length, 'it has been told');
  const notificationsOf = async (person: Person, unreadOnly = false) => (await person.api.notifications({ unreadOnly })).viewer!.notifications.edges.map(({ node }) => node);
  const ring = async (from: Person, id: string) => (await from.api.startCall({ input: { chatId: id, kind: 'VOICE', idempotencyKey: world.key() } })).startCall.call.id;
  const hangUp = (person: Person, callId: string) => person.api.endCall({ input: { callId } });
  /** Whoever of the two is in the chat already. */
  const carol2 = () => ann;
  return scenarios;
}

/** In the order in which they can be played. */
export const INBOX_KINDS = Object.keys(scenariosOf({} as Stage)) as InboxKind[];
