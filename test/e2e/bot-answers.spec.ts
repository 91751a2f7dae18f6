import assert from 'node:assert/strict';
import { decodeId } from '../../src/lib/ids.js';
import { LanguageServer } from '../testkit/language-server.js';
import { checkOut, fillCart, openShop, orderOf, sell } from '../testkit/commerce.js';
import { bbcFeed, story } from '../testkit/feeds.js';
import { addSource, administrator, fetchFeeds } from '../testkit/news.js';
import { Publisher } from '../testkit/publisher.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const ALL_TOOLS = ['SEARCH_MESSAGES', 'PRODUCTS', 'NEWS', 'ORDERS', 'CALCULATOR', 'DATE', 'REMEMBER'] as const;

/** Says something, and waits for the answer to it: the next message of a bot. */
async function ask(world: World, person: Person, chatId: string, text: string) {
  const { seq } = await world.say(person, chatId, text);
  const answer = async () => (await person.api.chatMessages({ id: chatId, last: 10 })).chat!.messages.edges.map(({ node }) => node).find((node) => node.seq > seq && node.sender.kind === 'BOT');
  await eventually(async () => (await answer()) !== undefined, `"${text}" is answered`, 30_000);
  const message = (await answer())!;
  return { text: message.text!, sources: message.card?.__typename === 'BotCard' ? message.card.sources : [] };
}

const makeBot = async (world: World, owner: Person, handle: string, more: object = {}) => (await owner.api.createBot({ input: { handle, displayName: handle, engine: 'BUILT_IN', idempotencyKey: world.key(), ...more } })).createBot.bot;

describe('what bots answer from', function () {
  this.timeout(120_000);
  describe('without a model', () => {
    let world: World;
    let publisher: Publisher;
    let ann: Person;
    let chatId: string;
    let botId: string;
    before(async () => {
      publisher = await Publisher.start();
      world = await World.start({ settings: { BOTS: 'true', ...publisher.settings } });
      ann = await world.person('Ann');
      chatId = await world.groupChat(ann, []);
    });
    beforeEach(async () => {
      botId = (await makeBot(world, ann, `guide_${world.key().replace('-', '_')}`)).id;
      await ann.api.addBotToChat({ input: { botId, chatId } });
    });
    after(async () => {
      await world?.stop();
      await publisher.stop();
    });
    const handle = async () => (await ann.api.bot({ id: botId })).bot!.user.handle;
    const learn = async (knowledge: object) => (await ann.api.addBotKnowledge({ input: { botId, idempotencyKey: world.key(), ...knowledge } })).addBotKnowledge.knowledge;

    it('a text', async () => {
      const [made] = await learn({ title: 'The garden', text: 'The botanical garden opens at nine in the morning.\n\nDogs are welcome in the garden on Sundays.' });
      assert.deepEqual([made!.kind, made!.title, made!.url], ['TEXT', 'The garden', null]);
      const { text, sources } = await ask(world, ann, chatId, `@${await handle()} when does the botanical garden open in the morning?`);
      assert.match(text, /opens at nine in the morning/);
      assert.deepEqual(sources.map(({ title, url }) => [title, url]), [['The garden', null]]);
      assert.match(sources[0]!.quote, /^The botanical garden opens/);
    });

    it('pairs of an FAQ', async () => {
      const [made] = await learn({ faq: [{ question: 'How much is a ticket?', answer: 'Ten francs.' }, { question: 'Is there parking?', answer: 'Behind the house.' }] });
      assert.deepEqual([made!.kind, made!.title, made!.passages], ['FAQ', 'FAQ', 2]);
      assert.deepEqual(await ask(world, ann, chatId, `@${await handle()} is there parking?`), { text: 'Behind the house.', sources: [{ title: 'FAQ', quote: 'Is there parking?', url: null }] });
    });

    it('pages of a site, as a reader would see them', async () => {
      const words = 'The lighthouse was built in 1874 by fishermen of the village. It is ninety metres tall, and its lamp can be seen from thirty miles. Visitors climb three hundred steps to the top.';
      const url = publisher.serve('/lighthouse', { body: `<!doctype html><title>Lighthouse</title><nav>Home Shop Contact Imprint</nav><article><h1>Lighthouse</h1><p>${words}</p><p>${words.replaceAll('lighthouse', 'tower')}</p></article><script>alert("evil")</script>` });
      const [made] = await learn({ title: 'Guide', urls: [url] });
      assert.deepEqual([made!.kind, made!.url], ['PAGE', url]);
      const { text, sources } = await ask(world, ann, chatId, `@${await handle()} when was the lighthouse built, and by which fishermen?`);
      assert.match(text, /built in 1874 by fishermen/);
      assert.doesNotMatch(text, /evil|Imprint/);
      assert.deepEqual([...new Set(sources.map((source) => source.url))], [url]);
    });

    it('and from nothing that was taken away', async () => {
      const [made] = await learn({ faq: [{ question: 'How much is a ticket?', answer: 'Ten francs.' }, { question: 'Is there parking?', answer: 'Behind the house.' }] });
      await ann.api.removeBotKnowledge({ input: { knowledgeId: made!.id } });
      const { text, sources } = await ask(world, ann, chatId, `@${await handle()} how much is a ticket?`);
      assert.match(text, /^I don’t know/);
      assert.deepEqual(sources, []);
    });
  });

  describe('with a model', () => {
    let world: World;
    let server: LanguageServer;
    let publisher: Publisher;
    let ann: Person;
    let bob: Person;
    before(async () => {
      [server, publisher] = await Promise.all([LanguageServer.start(), Publisher.start()]);
      // An answer of the server's costs 64 millionths of a dollar.
      world = await World.start({ settings: { BOTS: 'true', NEWS: 'true', NEWS_BUILT_IN: 'false', BOT_COST_A_DAY: '0.0001', ...publisher.settings, ...server.settings, LANGUAGE_EMBEDDING_MODEL: 'test-vectors' } });
      [ann, bob] = await world.people('Ann', 'Bob');
    });
    after(async () => {
      await world?.stop();
      await server.stop();
      await publisher.stop();
    });
    beforeEach(() => {
      server.asked.length = 0;
      server.reply = () => ({ texts: ['By the model.'] });
    });

    it('what was said before it came, as far as whoever brought it sees, if they say so', async () => {
      const chatId = await world.groupChat(bob, [], 'Old');
      await world.say(bob, chatId, 'the first secret: heron');
      await bob.api.addChatMembers({ input: { chatId, memberIds: [ann.id] } });
      await bob.api.updateChatMemberRole({ input: { chatId, userId: ann.id, role: 'ADMIN' } });
      await world.say(bob, chatId, 'the second word: kingfisher');
      const seen = async (handle: string, seesHistory: boolean) => {
        const { id } = await makeBot(world, ann, handle);
        await ann.api.addBotToChat({ input: { botId: id, chatId, seesHistory } });
        server.asked.length = 0;
        await ask(world, bob, chatId, `@${handle} what was said here?`);
        const prompt = JSON.stringify(server.asked[0]!.body.messages);
        return [prompt.includes('heron'), prompt.includes('kingfisher')];
      };
      assert.deepEqual(await seen('blind', false), [false, false]);
      assert.deepEqual(await seen('seeing', true), [false, true]);
    });

    it('as much as a bot may cost a day, and then without it', async () => {
      const chatId = await world.groupChat(ann, []);
      const { id } = await makeBot(world, ann, 'spender');
      await ann.api.addBotKnowledge({ input: { botId: id, faq: [{ question: 'How much is a ticket?', answer: 'Ten francs.' }, { question: 'Is there parking?', answer: 'Behind the house.' }], idempotencyKey: world.key() } });
      await ann.api.addBotToChat({ input: { botId: id, chatId } });
      const answers = [];
      for (let time = 0; time < 3; time++) answers.push((await ask(world, ann, chatId, '@spender how much is a ticket?')).text);
      assert.deepEqual(answers, ['By the model.', 'By the model.', 'Ten francs.']);
      const vectors = server.asked.filter(({ path }) => path.endsWith('/embeddings')).length;
      assert.deepEqual([server.asked.length - vectors, vectors], [2, 3], 'vectors of what it has read, and of two questions: for the third nothing was asked');
      const other = await makeBot(world, ann, 'saver');
      await ann.api.addBotToChat({ input: { botId: other.id, chatId } });
      assert.equal((await ask(world, ann, chatId, '@saver how much is a ticket?')).text, 'By the model.', 'another bot has its own budget');
      // Its owner may let it cost less than the operator does, or nothing.
      const span = { since: new Date(Date.now() - 2 * 86_400_000).toISOString(), until: new Date(Date.now() + 86_400_000).toISOString() };
      const spent = async (person: Person, botId: string) => (await person.api.botSpending({ botId, ...span })).bot!.spending;
      const [today, ...others] = (await spent(ann, id))!;
      assert.deepEqual([today!.requests, others], [2, []]);
      assert.ok(today!.cost > 0 && today!.inputTokens > 0 && today!.outputTokens > 0);
      assert.equal(await spent(bob, id), null);
      await fails(ann.api.botSpending({ botId: id, since: span.until, until: span.since }), 'INVALID_INPUT', 'until');
      await fails(ann.api.updateBot({ input: { botId: other.id, costADay: -1 } }), 'INVALID_INPUT', 'costADay');
      await ann.api.addBotKnowledge({ input: { botId: other.id, faq: [{ question: 'How much is a ticket?', answer: 'Twelve francs.' }, { question: 'Is there parking?', answer: 'None.' }], idempotencyKey: world.key() } });
      const saver = async (costADay: number | null) => {
        assert.equal((await ann.api.updateBot({ input: { botId: other.id, costADay } })).updateBot.bot.settings!.costADay, costADay);
        return (await ask(world, ann, chatId, '@saver how much is a ticket?')).text;
      };
      server.asked.length = 0;
      assert.deepEqual([await saver(0), await saver(0.000_001)], ['Twelve francs.', 'Twelve francs.']);
      assert.deepEqual(server.asked, [], 'no model is asked for anything');
    });

    it('no more than that in the middle of an answer either, with what broke off counted', async () => {
      const chatId = await world.groupChat(ann, []);
      const { id } = await makeBot(world, ann, 'looper', { tools: ['CALCULATOR'] });
      await ann.api.addBotToChat({ input: { botId: id, chatId } });
      server.reply = () => ({ calls: [{ name: 'calculate', arguments: '{"expression":"1 + 1"}' }] });
      await ask(world, ann, chatId, '@looper what is 2 + 3?');
      assert.equal(server.asked.length, 2, 'its day is spent after the second round');
      const other = await makeBot(world, ann, 'breaker');
      await ann.api.addBotToChat({ input: { botId: other.id, chatId } });
      server.asked.length = 0;
      server.reply = () => ({ texts: ['Half of what', ' was meant'], cut: true });
      for (let time = 0; time < 2; time++) assert.doesNotMatch((await ask(world, ann, chatId, '@breaker what do you know of pelicans?')).text, /Half/);
      assert.equal(server.asked.length, 1, 'its day is spent by what was asked, and half said');
      const [day] = await world.sql<{ requests: number; input: number; output: number }>('select requests, input_tokens::int as input, output_tokens::int as output from bot_spending where bot_id = $1', [decodeId('Bot', other.id)]);
      const { messages } = server.asked[0]!.body;
      assert.deepEqual(day, { requests: 1, input: Math.ceil(messages.reduce((sum, { content }) => sum + String(content).length, 0) / 4), output: Math.ceil('Half of what was meant'.length / 4) });
    });

    it('what each of its tools brings back', async () => {
      const shop = await openShop(world, bob, 'teahouse');
      const tea = await sell(world, shop, 'Golden Oolong');
      const order = orderOf(await checkOut(world, ann, await fillCart(world, ann, shop, [[tea, 1]])));
      const feed = bbcFeed([{ path: '/storm', title: 'Storm over Zurich', summary: story('Storm', 1), at: world.clock.now() }], publisher.at(''));
      await addSource(world, await administrator(world), publisher.serve('/feed', { body: feed, type: 'application/rss+xml' }));
      await fetchFeeds(world);
      const use = async (handle: string, name: string, given: object) => {
        const { user } = await makeBot(world, ann, handle, { tools: ALL_TOOLS });
        const chatId = await world.directChat(ann, { id: user.id } as Person);
        await world.say(ann, chatId, 'pelicans are birds');
        await eventually(async () => !(await world.sql(`select from bot_replies where state = 'WAITING'`)).length, 'that is answered');
        server.reply = ({ body }) => {
          const brought = body.messages.filter(({ role }) => role === 'tool');
          return brought.length ? { texts: [`Brought: ${String(brought[0]!.content)}`] } : { calls: [{ name, arguments: JSON.stringify(given) }] };
        };
        return (await ask(world, ann, chatId, 'use your tool')).text;
      };
      assert.match(await use('t_messages', 'search_messages', { query: 'pelicans' }), /^Brought: - \d{4}-\d\d-\d\d: pelicans are birds$/);
      assert.equal(await use('t_products', 'search_products', { query: 'oolong' }), 'Brought: - Golden Oolong');
      assert.equal(await use('t_news', 'search_news', { query: 'storm' }), `Brought: - Storm over Zurich (${publisher.at('/storm')})`);
      assert.equal(await use('t_orders', 'list_orders', {}), `Brought: - Order ${order.number}: ${order.state}`);
      assert.equal(await use('t_sums', 'calculate', { expression: '12 * (3 + 4)' }), 'Brought: 84');
      assert.match(await use('t_time', 'current_time', {}), new RegExp(`^Brought: ${world.clock.now().toISOString().slice(0, 10)}T`));
      assert.equal(await use('t_memory', 'remember', { text: 'Ann likes pelicans' }), 'Brought: I will remember that.');
      assert.deepEqual((await ann.api.botMemories({})).viewer!.botMemories.edges.map(({ node }) => node.text), ['Ann likes pelicans']);
      assert.equal(await use('t_wrong', 'search_products', { words: 'oolong' }), 'Brought: The arguments are wrong.');
    });
  });
});
