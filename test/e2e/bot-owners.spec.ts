import assert from 'node:assert/strict';
import type { InboxEvent } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { decodeId } from '../../src/lib/ids.js';
import { eventually, fails, settle, take, within, World, type Person } from '../testkit/world.js';

const QUIET = ['ReceiptsChanged', 'ViewerReceiptChanged', 'InboxCheckpoint'];

describe('owners of bots', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { BOTS: 'true', WEBHOOKS: 'true', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob], 'Shop');
  });
  after(() => world.stop());

  /** Consumers of the log move by themselves. */
  const look = async () => {
    const { log_consumers: _moving, ...tables } = await digest(world);
    return tables;
  };
  const make = async (handle: string, engine: 'EXTERNAL' | 'BUILT_IN' = 'EXTERNAL') => {
    const { bot, token } = (await ann.api.createBot({ input: { handle, displayName: handle, engine, idempotencyKey: world.key() } })).createBot;
    return { id: bot.id, userId: bot.user.id, client: world.client(token) };
  };
  const commandsIn = async (person: Person) => (await person.api.chatBotCommands({ chatId })).chat?.botCommands.map(({ bot, name, description }) => [bot.handle, name, description]);

  it('declare commands, which members of a chat are shown', async () => {
    const clerk = await make('clerk');
    const other = await make('helper');
    for (const { id } of [clerk, other]) await ann.api.addBotToChat({ input: { botId: id, chatId } });
    const commands = [{ name: 'order', description: 'Order something' }, { name: 'help', description: 'What I can do' }];
    assert.deepEqual((await ann.api.setBotCommands({ input: { botId: clerk.id, commands } })).setBotCommands.bot.commands, commands);
    // The bot itself may, too.
    await other.client.api.setBotCommands({ input: { botId: other.id, commands: [{ name: 'help', description: 'Help' }] } });
    const shown = [['clerk', 'help', 'What I can do'], ['helper', 'help', 'Help'], ['clerk', 'order', 'Order something']];
    assert.deepEqual(await commandsIn(bob), shown);
    const before = await look();
    await ann.api.setBotCommands({ input: { botId: clerk.id, commands } });
    for (const who of [bob.api, other.client.api]) await fails(who.setBotCommands({ input: { botId: clerk.id, commands: [] } }), 'NOT_FOUND', 'botId');
    const wrong = [[{ name: 'Order', description: 'x' }], [{ name: 'a b', description: 'x' }], [{ name: '', description: 'x' }], [{ name: 'a', description: '' }], [{ name: 'a', description: 'x'.repeat(257) }], [{ name: 'a', description: 'x' }, { name: 'a', description: 'y' }]];
    for (const given of [...wrong, Array.from({ length: 51 }, (_, at) => ({ name: `c${at}`, description: 'x' }))]) await fails(ann.api.setBotCommands({ input: { botId: clerk.id, commands: given } }), 'INVALID_INPUT', 'commands');
    assert.deepEqual(await look(), before);
    const eve = await world.person('Eve');
    assert.equal(await commandsIn(eve), undefined);
    await ann.api.removeChatMember({ input: { chatId, userId: other.userId } });
    assert.deepEqual(await commandsIn(bob), shown.filter(([handle]) => handle === 'clerk'));
  });

  it('have external bots that hear in a group what every member does: words, mentions, replies, and commands', async () => {
    const listener = await make('listener');
    await ann.api.addBotToChat({ input: { botId: listener.id, chatId } });
    const stream = listener.client.inboxEvents();
    await settle();
    const { id } = (await listener.client.api.sendMessage({ input: { chatId, text: 'Here I am.', idempotencyKey: world.key() } })).sendMessage.message;
    await world.say(bob, chatId, 'nothing for a bot');
    await world.say(bob, chatId, 'what do you say, @listener?');
    await bob.api.sendMessage({ input: { chatId, text: 'really?', replyToId: id, idempotencyKey: world.key() } });
    await world.say(bob, chatId, '/order two teas');
    await world.say(bob, chatId, '/order@listener two teas');
    await world.say(bob, chatId, 'mail/order@listener.example');
    const heard = (await take(stream, 7, QUIET)) as Extract<InboxEvent, { __typename: 'MessageSent' }>[];
    stream.close();
    assert.deepEqual(heard.map(({ message }) => [message!.text, message!.mentions.map(({ handle }) => handle), message!.replyTo?.id ?? null]), [
      ['Here I am.', [], null], ['nothing for a bot', [], null], ['what do you say, @listener?', ['listener'], null], ['really?', [], id], ['/order two teas', [], null], ['/order@listener two teas', ['listener'], null], ['mail/order@listener.example', [], null],
    ]);
  });

  it('have bots of this server answer their commands, and no others', async () => {
    const tilly = await make('tilly', 'BUILT_IN');
    await ann.api.addBotKnowledge({ input: { botId: tilly.id, faq: [{ question: 'When are you open?', answer: 'From nine to five.' }], idempotencyKey: world.key() } });
    await ann.api.setBotCommands({ input: { botId: tilly.id, commands: [{ name: 'hours', description: 'When we are open' }] } });
    await ann.api.addBotToChat({ input: { botId: tilly.id, chatId } });
    await world.say(bob, chatId, '/hour when are you open?');
    await world.say(bob, chatId, 'when are you open? /hours');
    for (const text of ['/hours when are you open?', '/hours@tilly when are you open?']) {
      const asked = await world.say(bob, chatId, text);
      const answered = async () => (await bob.api.chatMessages({ id: chatId, last: 5 })).chat!.messages.edges.find(({ node }) => node.replyTo?.id === asked.id)?.node;
      await eventually(async () => (await answered()) !== undefined, 'it is answered', 20_000);
      assert.deepEqual([(await answered())!.text, (await answered())!.sender.handle], ['From nine to five.', 'tilly']);
    }
    assert.equal((await world.sql('select from bot_replies where bot_id = $1', [decodeId('Bot', tilly.id)])).length, 2);
  });

  it('hear on their other devices what they change, once', async () => {
    const phone = world.client(ann.accessToken).inboxEvents();
    const atBob = bob.client.inboxEvents();
    await settle();
    const changed = async () => {
      const [event] = await take(phone, 1, [...QUIET, 'MessageSent', 'SessionsChanged']);
      assert.ok(event!.__typename === 'BotChanged', event!.__typename);
      return event;
    };
    const bot = await make('changing');
    assert.deepEqual([(await changed()).botId, bot.id], [bot.id, bot.id]);
    await ann.api.updateBot({ input: { botId: bot.id, instructions: 'Be kind.', displayName: 'Kind one' } });
    const { bot: shown, settings } = await changed();
    assert.deepEqual([shown!.user.displayName, settings!.instructions], ['Kind one', 'Be kind.']);
    await ann.api.updateBot({ input: { botId: bot.id, instructions: 'Be kind.', displayName: 'Kind one' } });
    const { knowledge } = (await ann.api.addBotKnowledge({ input: { botId: bot.id, text: 'Tea is hot.', idempotencyKey: world.key() } })).addBotKnowledge;
    await changed();
    await ann.api.removeBotKnowledge({ input: { knowledgeId: knowledge[0]!.id } });
    await changed();
    await bot.client.api.setBotCommands({ input: { botId: bot.id, commands: [{ name: 'be', description: 'Be kind' }] } });
    assert.deepEqual((await changed()).bot!.commands, [{ name: 'be', description: 'Be kind' }]);
    // Twice each: the second time it is so already, and nothing is told.
    for (const time of [1, 2]) {
      await ann.api.setBotTutor({ input: { botId: bot.id, subject: 'Tea' } });
      if (time === 1) await changed();
      await ann.api.setBotHandOver({ input: { botId: bot.id, chatId } });
      if (time === 1) await changed();
    }
    await ann.api.setBotTutor({ input: { botId: bot.id } });
    await changed();
    await ann.api.setBotHandOver({ input: { botId: bot.id } });
    await changed();
    await ann.api.deleteBot({ input: { botId: bot.id } });
    const gone = await changed();
    assert.deepEqual([gone.botId, gone.bot, gone.settings], [bot.id, null, null]);
    await bob.api.updateChatSettings({ input: { chatId, pinned: true } });
    assert.deepEqual((await take(atBob, 1, [...QUIET, 'MessageSent'])).map(({ __typename }) => __typename), ['ChatSettingsChanged']);
    phone.close();
    atBob.close();
  });

  it('delete a bot: its token is void, it leaves its chats, what it knew is gone, and what it has said stays', async () => {
    const doomed = await make('doomed');
    await ann.api.addBotToChat({ input: { botId: doomed.id, chatId } });
    await ann.api.addBotKnowledge({ input: { botId: doomed.id, text: 'A secret recipe.', idempotencyKey: world.key() } });
    const { message } = (await doomed.client.api.sendBotCard({ input: { chatId, text: 'My last words', card: { rows: [[{ key: 'yes', label: 'Yes' }]] }, idempotencyKey: world.key() } })).sendBotCard;
    await bob.api.pressButton({ input: { messageId: message.id, button: 'yes', idempotencyKey: world.key() } });
    await doomed.client.api.createWebhook({ input: { url: 'http://127.0.0.1:9/hook', events: ['MESSAGE_SENT'], idempotencyKey: world.key() } });
    const direct = await world.directChat(bob, { id: doomed.userId } as Person);
    await world.say(bob, direct, 'between us');
    await fails(bob.api.deleteBot({ input: { botId: doomed.id } }), 'NOT_FOUND');
    await fails(doomed.client.api.deleteBot({ input: { botId: doomed.id } }), 'NOT_FOUND');
    await ann.api.setBotHandOver({ input: { botId: doomed.id, chatId } });
    const { supportCase } = (await bob.api.requestPerson({ input: { botId: doomed.id, idempotencyKey: world.key() } })).requestPerson;
    const open = doomed.client.inboxEvents();
    const atBob = bob.client.chatEvents(chatId);
    await settle();

    await ann.api.deleteBot({ input: { botId: doomed.id } });
    await fails(doomed.client.api.viewer(), 'SESSION_ENDED');
    const end = async () => {
      for (;;) if ((await open.next()).done) return;
    };
    await within(end().catch(() => undefined), 'its connection ends');
    await fails(bob.api.pressButton({ input: { messageId: message.id, button: 'yes', idempotencyKey: world.key() } }), 'STATE_CONFLICT');
    assert.equal((await ann.api.bot({ id: doomed.id })).bot, null);
    assert.ok(!(await ann.api.bots({})).viewer!.bots.edges.some(({ node }) => node.id === doomed.id));
    await fails(ann.api.deleteBot({ input: { botId: doomed.id } }), 'NOT_FOUND');
    await fails(ann.api.updateBot({ input: { botId: doomed.id, displayName: 'Back' } }), 'NOT_FOUND');
    await fails(ann.api.rotateBotToken({ input: { botId: doomed.id } }), 'NOT_FOUND');
    await fails(ann.api.addBotToChat({ input: { botId: doomed.id, chatId } }), 'NOT_FOUND', 'botId');

    const [left] = (await take(atBob, 1, [...QUIET, 'MessageSent'])) as Extract<InboxEvent, { __typename: 'MemberLeft' }>[];
    atBob.close();
    assert.deepEqual([left!.__typename, left!.userId], ['MemberLeft', doomed.userId]);
    const said = (await bob.api.messageBySeq({ chatId, seq: message.seq })).chat!.message!;
    assert.deepEqual([said.text, said.deletedAt, said.sender.displayName, said.sender.kind], ['My last words', null, 'Deleted account', 'BOT']);
    assert.equal((await bob.api.chatLine({ id: direct })).chat!.id, direct, 'a direct chat has two members for ever');
    const key = decodeId('Bot', doomed.id);
    for (const rows of ['bot_knowledge where bot_id', 'bot_callbacks where bot_id', 'bot_memories where bot_id', 'webhooks where owner_id']) assert.deepEqual(await world.sql(`select from ${rows} = $1`, [key]), [], rows);
    assert.deepEqual(await world.sql('select state from support_cases where id = $1', [decodeId('SupportCase', supportCase.id)]), [{ state: 'CANCELLED' }]);
    // Its name is free again.
    await make('doomed');
  });

  it('take their bots with them when they delete their account', async () => {
    const dora = await world.person('Dora');
    const theirs = (await dora.api.createBot({ input: { handle: 'doras_bot', displayName: 'Dora’s', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
    const group = await world.groupChat(dora, [ann], 'Dora’s');
    await dora.api.addBotToChat({ input: { botId: theirs.bot.id, chatId: group } });
    const bot = world.client(theirs.token);
    const { id, seq } = (await bot.api.sendMessage({ input: { chatId: group, text: 'I stay.', idempotencyKey: world.key() } })).sendMessage.message;
    await dora.api.deleteAccount({ input: { handle: 'dora', password: 'password of dora' } });
    await eventually(async () => (await world.sql('select from erasures where finished_at is not null')).length === 1, 'she is forgotten', 30_000);
    await fails(bot.api.viewer(), 'SESSION_ENDED');
    assert.equal((await ann.api.bot({ id: theirs.bot.id })).bot, null);
    const members = (await ann.api.chatMembers({ id: group, first: 10 })).chat!.members.edges.map(({ node }) => node.user.handle);
    assert.deepEqual(members, ['ann']);
    const said = (await ann.api.messageBySeq({ chatId: group, seq })).chat!.message!;
    assert.deepEqual([said.id, said.text, said.sender.displayName], [id, 'I stay.', 'Deleted account']);
  });
});
