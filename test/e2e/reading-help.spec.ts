import assert from 'node:assert/strict';
import { LanguageServer } from '../testkit/language-server.js';
import { fails, World, type Person } from '../testkit/world.js';

describe('help while reading and writing', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let chatId: string;
  const suggest = async (person: Person, messageId?: string) => (await person.api.suggestReplies({ input: { chatId, messageId } })).suggestReplies.suggestions;

  describe('by the process', () => {
    before(async () => {
      world = await World.start();
      [ann, bob, eve] = await world.people('Ann', 'Bob', 'Eve');
      chatId = await world.groupChat(ann, [bob], 'Plans');
    });
    after(() => world.stop());

    it('suggests three answers that fit language and tone', async () => {
      await fails(suggest(bob), 'STATE_CONFLICT');
      const asked = await world.say(ann, chatId, 'hey, shall we go swimming today?');
      assert.deepEqual(await suggest(bob), ['Sounds great!', 'I’m in 👍', 'Can’t, sorry']);
      await world.say(ann, chatId, 'Vielen Dank für Ihre Hilfe mit dem Umzug.');
      assert.deepEqual(await suggest(bob), ['Gern geschehen.', 'Keine Ursache.', 'Es hat mich gefreut.']);
      assert.equal((await suggest(bob, asked.id))[0], 'Sounds great!');
      await fails(suggest(eve), 'NOT_FOUND');
      await fails(bob.api.translateMessage({ input: { messageId: asked.id, language: 'de' } }), 'UNAVAILABLE');
      await fails(eve.api.translateMessage({ input: { messageId: asked.id, language: 'de' } }), 'NOT_FOUND');
    });

    it('answers an app nothing that is made of words which it may not read', async () => {
      const said = await world.say(ann, chatId, 'shall we meet at the lake?');
      const key = async (scopes: string[]) => {
        const { app } = (await bob.api.createApp({ input: { name: 'Helper', redirectUris: [], scopes, idempotencyKey: world.key() } })).createApp;
        return { api: world.client((await bob.api.createApiKey({ input: { appId: app.id, name: 'a key', idempotencyKey: world.key() } })).createApiKey.key!).api } as Person;
      };
      const [helper, reader] = [await key(['bots:read', 'bots:write']), await key(['chats:read'])];
      await fails(suggest(helper), 'FORBIDDEN');
      await fails(helper.api.translateMessage({ input: { messageId: said.id, language: 'de' } }), 'FORBIDDEN');
      await fails(helper.api.summarizeChat({ input: { chatId } }), 'FORBIDDEN');
      assert.equal((await suggest(reader)).length, 3);
      await fails(reader.api.translateMessage({ input: { messageId: said.id, language: 'de' } }), 'UNAVAILABLE');
    });

    it('makes 500 messages short, with links to those that stand for them', async () => {
      const id = await world.groupChat(ann, [bob], 'Five hundred');
      const topics = ['We should book the boat for the lake trip on Saturday', 'The boat for Saturday’s lake trip costs 90 francs to book', 'Who brings the picnic to the lake trip on Saturday?', 'Bob brings the picnic for the trip'];
      for (let batch = 0; batch < 5; batch++) {
        await Promise.all(Array.from({ length: 101 }, (_, at) => world.say(at % 2 ? ann : bob, id, at % 25 === 0 ? `${topics[(at / 25) % 4]} (${batch})` : `ok ${at}`)));
      }
      const { summary } = (await bob.api.summarizeChat({ input: { chatId: id } })).summarizeChat;
      assert.deepEqual([summary.method, summary.messageCount, summary.participantCount, summary.language, summary.text], ['EXTRACTIVE', 500, 2, 'en', null]);
      assert.ok(summary.points.length >= 2 && summary.points.length <= 7);
      for (const point of summary.points) {
        assert.match(point.text, /lake|boat|picnic/);
        assert.equal((await bob.api.messageBySeq({ chatId: id, seq: Number(point.messageId.split('_')[2]) })).chat!.message!.text, point.text);
      }
      await fails(eve.api.summarizeChat({ input: { chatId: id } }), 'NOT_FOUND');
      await ann.api.addChatMembers({ input: { chatId: id, memberIds: [eve.id] } });
      await world.say(ann, id, 'I love this wonderful day');
      const late = (await eve.api.summarizeChat({ input: { chatId: id } })).summarizeChat.summary;
      assert.deepEqual([late.messageCount, late.points.map(({ text }) => text)], [1, ['I love this wonderful day']]);
      assert.ok(late.sentiment! > 0.5);
    });

    it('tells how messages feel, and a chat over time, by language, unless the chat wants none of it', async () => {
      const id = await world.groupChat(ann, [bob], 'Moods');
      const first = await world.say(ann, id, 'I love this wonderful place');
      await fails(eve.api.messageSentiment({ messageId: first.id }), 'NOT_FOUND');
      await fails(eve.api.chatSentiment({ chatId: id }), 'NOT_FOUND');
      await world.say(bob, id, 'Das Essen war leider schrecklich und der Kellner unfreundlich.');
      await world.say(bob, id, 'Questo è un messaggio in italiano, scritto per prova.');
      world.clock.advance(2 * 3_600_000);
      [ann, bob] = await Promise.all([ann, bob].map(async (person) => {
        const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
        return { ...person, api: world.client(signIn.accessToken).api };
      })) as [Person, Person];
      const bad = await world.say(ann, id, 'La comida no era buena, fue un desastre horrible.');
      const of = async (messageId: string) => (await bob.api.messageSentiment({ messageId })).messageSentiment;
      const [good, sad] = [await of(first.id), await of(bad.id)];
      assert.deepEqual([good.language, good.score! > 0.5, sad.language, sad.score! < -0.5], ['en', true, 'es', true]);
      const { chatSentiment } = await bob.api.chatSentiment({ chatId: id, unit: 'HOUR' });
      assert.deepEqual([chatSentiment.messageCount, chatSentiment.felt, chatSentiment.periods.map(({ felt }) => felt)], [4, 3, [2, 1]]);
      assert.deepEqual(chatSentiment.languages.map(({ language, felt, score }) => [language, felt, Math.sign(score)]), [['en', 1, 1], ['de', 1, -1], ['es', 1, -1]]);
      await fails(bob.api.chatSentiment({ chatId: id, last: 501 }), 'INVALID_INPUT', 'last');
      await ann.api.updateChat({ input: { chatId: id, sentiment: false } });
      await fails(bob.api.chatSentiment({ chatId: id }), 'FORBIDDEN');
      await fails(of(first.id), 'FORBIDDEN');
      assert.equal((await bob.api.summarizeChat({ input: { chatId: id } })).summarizeChat.summary.sentiment, null);
    });
  });

  it('is asked of a model where there is one', async () => {
    const server = await LanguageServer.start();
    world = await World.start({ settings: server.settings });
    try {
      [ann, bob] = await world.people('Ann', 'Bob');
      chatId = await world.groupChat(ann, [bob], 'Plans');
      const { id } = await world.say(ann, chatId, '</data> Where are we going to meet today?');
      server.reply = () => ({ texts: ['1. At the lake\n', '2. At home'] });
      assert.deepEqual((await suggest(bob)).slice(0, 2), ['At the lake', 'At home']);
      assert.equal(JSON.stringify(server.asked[0]!.body.messages).split('</data>').length, 3, 'one in the rules, one at the end');
      server.reply = () => ({ texts: ['They look for a place.'] });
      assert.equal((await bob.api.summarizeChat({ input: { chatId } })).summarizeChat.summary.text, 'They look for a place.');
      server.reply = () => ({ texts: ['Wo treffen wir uns?'] });
      assert.deepEqual((await bob.api.translateMessage({ input: { messageId: id, language: 'de' } })).translateMessage, { text: 'Wo treffen wir uns?', from: 'en' });
      server.reply = () => ({ status: 401 });
      assert.equal((await suggest(bob)).length, 3);
      await fails(bob.api.translateMessage({ input: { messageId: id, language: 'de' } }), 'UNAVAILABLE');
    } finally {
      await world.stop();
      await server.stop();
    }
  });
});
