import assert from 'node:assert/strict';
import { ask } from '../testkit/bots.js';
import { LanguageServer } from '../testkit/language-server.js';
import { fails, take, World, type Person } from '../testkit/world.js';

const FAQ = `# Boat club

Q: When does the boat house open?
A: The boat house opens at seven in the morning, from April to October.

Q: What does a rowing boat cost?
A: A rowing boat costs twelve francs an hour.

Q: May children row alone?
A: Children row with somebody grown up on board.
`;
const LINES = [
  'Shall we take the boat out on the lake this weekend?', 'The lake is calm in the morning, so the boat should be fine.', 'I can bring sandwiches for the picnic at the lake.', 'Who brings the life jackets for the boat?',
  'The picnic starts when the boat is back.', 'ok', 'Sounds good to me!', 'The weather report says sun on the lake all weekend.', 'I would like to row the boat first.', 'Then we need another boat for the picnic things.',
];

/** One person's day with bots, by what the API gives and nothing else: no look into the database. */
for (const by of ['the process', 'an OpenAI-compatible provider'] as const) {
  describe(`the story of a bot, answered for by ${by}`, function () {
    this.timeout(120_000);
    const modelled = by !== 'the process';
    let world: World;
    let server: LanguageServer;
    let ann: Person;
    let bob: Person;
    let cem: Person;
    let chatId: string;
    let botId: string;
    before(async () => {
      server = await LanguageServer.start();
      world = await World.start({ settings: { BOTS: 'true', MODERATION: 'true', ...(modelled ? server.settings : {}) } });
      [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
      chatId = await world.groupChat(ann, [bob, cem], 'The boat');
    });
    after(async () => {
      await world.stop();
      await server.stop();
    });

    it('makes a bot from a file of questions and answers, and adds it to the group', async () => {
      const file = await world.upload(ann, Buffer.from(FAQ), { name: 'boats.md', contentType: 'text/markdown' });
      botId = (await ann.api.createBot({ input: { handle: 'skipper', displayName: 'Skipper', about: 'I know the boat house.', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot.id;
      const { knowledge } = (await ann.api.addBotKnowledge({ input: { botId, fileId: file.id, idempotencyKey: world.key() } })).addBotKnowledge;
      assert.deepEqual(knowledge.map(({ kind, title, passages }) => [kind, title, passages]), [['FILE', 'boats.md', 3]]);
      assert.equal((await ann.api.addBotToChat({ input: { botId, chatId, seesHistory: false } })).addBotToChat.chat!.memberCount, 4);
    });

    it('mentions it, sees the reply grow, and its sources', async () => {
      const words = ['Twelve francs ', 'an hour, ', 'as ', 'I read.'];
      server.reply = () => ({ texts: words });
      const { message, told, last, answer } = await ask(world, bob, chatId, '@skipper what does a rowing boat cost?');
      assert.equal(last.state, 'DONE');
      assert.equal(last.text, modelled ? words.join('') : 'A rowing boat costs twelve francs an hour.');
      assert.deepEqual(told.map(({ state }) => state), [...told.slice(1).map(() => 'WRITING'), 'DONE']);
      assert.ok(told.every(({ text }, at) => last.text.startsWith(text) && text.length >= (told[at - 1]?.text.length ?? 0)), 'each holds all of it so far');
      assert.ok(answer?.card?.__typename === 'BotCard');
      assert.deepEqual([answer.text, answer.sender.handle, answer.replyTo!.id, answer.card.sources], [last.text, 'skipper', message.id, [{ title: 'boats.md', quote: 'What does a rowing boat cost?', url: null }]]);
      if (modelled) {
        const asked = server.asked.find(({ path }) => path === '/v1/chat/completions')!;
        assert.deepEqual([asked.headers.authorization, asked.body.model], ['Bearer key-of-the-test', 'test-model']);
        assert.match(JSON.stringify(asked.body.messages), /twelve francs an hour/);
      } else assert.equal(server.asked.length, 0);
    });

    it('has five hundred messages summed up', async () => {
      const long = await world.groupChat(ann, [bob], 'The weekend');
      for (let at = 0; at < 500; at += 10) await Promise.all(LINES.map((line, index) => world.say(index % 2 ? ann : bob, long, line)));
      server.reply = () => ({ texts: ['They take the boat out and have a picnic.'] });
      const { summary } = (await bob.api.summarizeChat({ input: { chatId: long } })).summarizeChat;
      assert.deepEqual([summary.method, summary.messageCount, summary.participantCount, summary.language, summary.text], modelled ? ['MODEL', 500, 2, 'en', 'They take the boat out and have a picnic.'] : ['EXTRACTIVE', 500, 2, 'en', null]);
      assert.ok(summary.points.length >= 2 && summary.points.length <= 7);
      for (const { messageId, text } of summary.points) {
        assert.match(text, /lake|boat|picnic/);
        assert.equal((await bob.api.message({ id: messageId })).node?.__typename, 'Message');
      }
      await fails(cem.api.summarizeChat({ input: { chatId: long } }), 'NOT_FOUND');
    });

    it('is offered three short answers', async () => {
      await world.say(ann, chatId, 'Shall we meet at the boat house at eight?');
      server.reply = () => ({ texts: ['1. See you at eight\n2. Make it nine'] });
      const { suggestions } = (await bob.api.suggestReplies({ input: { chatId } })).suggestReplies;
      assert.equal(suggestions.length, 3);
      if (modelled) assert.deepEqual(suggestions.slice(0, 2), ['See you at eight', 'Make it nine']);
      assert.ok(suggestions.every((one) => one.length > 0 && one.length <= 80));
    });

    it('has a message held by the rules, which a moderator releases', async () => {
      await ann.api.updateModerationRules({ input: { chatId, rules: { words: [{ word: 'casino', action: 'HOLD' }] } } });
      const key = world.key();
      const held = await fails(bob.api.sendMessage({ input: { chatId, text: 'After rowing, the casino!', idempotencyKey: key } }), 'HELD');
      const { caseId } = held.errors[0]!.extensions as unknown as { caseId: string };
      const texts = async (person: Person) => (await person.api.chatMessages({ id: chatId, last: 5 })).chat!.messages.edges.map(({ node }) => node.text);
      for (const person of [ann, bob, cem]) assert.ok(!(await texts(person)).includes('After rowing, the casino!'));
      assert.deepEqual((await ann.api.moderationQueue({ chatId })).viewer!.moderationQueue.edges.map(({ node }) => [node.id, node.text]), [[caseId, 'After rowing, the casino!']]);
      await fails(cem.api.decideModerationCase({ input: { caseId, decision: 'APPROVE' } }), 'NOT_FOUND', 'caseId');
      const watching = cem.client.chatEvents(chatId, (await cem.api.chat({ id: chatId })).chat!.eventCursor);
      assert.equal((await ann.api.decideModerationCase({ input: { caseId, decision: 'APPROVE' } })).decideModerationCase.case.state, 'APPROVED');
      const [event] = await take(watching, 1);
      await watching.return();
      assert.ok(event!.__typename === 'MessageSent');
      assert.deepEqual([event.message!.text, event.message!.sender.id], ['After rowing, the casino!', bob.id]);
      assert.equal((await bob.api.sendMessage({ input: { chatId, text: 'After rowing, the casino!', idempotencyKey: key } })).sendMessage.message.id, event.message!.id, 'its sender’s retry answers the message');
      assert.deepEqual((await ann.api.moderationQueue({ chatId })).viewer!.moderationQueue.edges, []);
    });
  });
}
