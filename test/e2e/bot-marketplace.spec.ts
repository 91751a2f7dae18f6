import assert from 'node:assert/strict';
import { ask, makeBot, seqOf } from '../testkit/bots.js';
import { digest } from '../testkit/digest.js';
import { LanguageServer } from '../testkit/language-server.js';
import { decodeId, encodeId } from '../../src/lib/ids.js';
import { fails, take, World, type Person } from '../testkit/world.js';

const FAQ = [{ question: 'How long does delivery take?', answer: 'Parcels arrive within three working days.' }];
const DAY = 86_400_000;

describe('the marketplace of bots', function () {
  this.timeout(60_000);
  let world: World;
  let server: LanguageServer;
  let ann: Person;
  let bob: Person;
  let carl: Person;
  let dora: Person;
  let mod: Person;
  let botId: string;
  let userId: string;
  before(async () => {
    server = await LanguageServer.start();
    // Sessions last: days go by here.
    world = await World.start({ settings: { BOTS: 'true', ...server.settings } });
    [ann, bob, carl] = await world.people('Ann', 'Bob', 'Carl');
    [dora, mod] = await world.people('Dora', 'Mod');
    await world.sql(`update users set role = 'MODERATOR' where id = $1`, [decodeId('User', mod.id)]);
    mod = await again('mod');
    ({ botId, userId } = await makeBot(world, ann, 'tilly', FAQ));
    await ann.api.updateBot({ input: { botId, instructions: 'Speak like a captain.', languages: ['en'] } });
  });
  after(async () => {
    await world.stop();
    await server.stop();
  });

  const again = async (handle: string): Promise<Person> => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${handle}@example.com`, password: `password of ${handle}` } });
    const client = world.client(signIn.accessToken);
    return { ...(handle === 'mod' ? mod : ann), client, api: client.api, accessToken: signIn.accessToken };
  };
  const publish = async (person: Person, id: string, description = 'I know the tea shop, and when parcels come.', more: object = {}) =>
    (await person.api.publishBot({ input: { botId: id, category: 'SUPPORT', description, idempotencyKey: world.key(), ...more } })).publishBot.version;
  const approve = (versionId: string) => mod.api.reviewBotVersion({ input: { versionId, decision: 'APPROVE' } });
  const found = async (variables: Parameters<Person['api']['botListings']>[0] = {}) => (await dora.api.botListings(variables)).botListings.edges.map(({ node }) => node.bot.user.handle);
  const listing = async (person: Person, id = botId) => (await person.api.botListing({ botId: id })).bot!.listing;
  const unchanged = async (work: () => Promise<unknown>) => {
    // How far bots have read the log moves by itself.
    const { log_consumers: _, ...before } = await digest(world);
    await work();
    const { log_consumers: __, ...after } = await digest(world);
    assert.deepEqual(after, before);
  };

  it('takes what its owner hands in, and shows it to nobody until a moderator has approved it', async () => {
    await unchanged(async () => {
      await fails(publish(bob, botId), 'NOT_FOUND');
      await fails(publish(ann, botId, ''), 'INVALID_INPUT', 'description');
      await fails(publish(ann, botId, 'x', { languages: ['english'] }), 'INVALID_INPUT', 'languages');
      await fails(bob.api.installBot({ input: { botId } }), 'NOT_FOUND', 'botId');
      await fails(bob.api.botReviews({}), 'FORBIDDEN');
    });
    const first = await publish(ann, botId);
    const second = await publish(ann, botId);
    assert.deepEqual([first.number, first.state, second.number, second.instructions, second.passages], [1, 'PENDING', 2, 'Speak like a captain.', 1]);
    assert.deepEqual((await mod.api.botReviews({})).viewer!.botReviews.edges.map(({ node }) => node.id), [second.id], 'what was handed in before gives way');
    assert.deepEqual(await found(), []);
    await unchanged(async () => {
      await fails(bob.api.reviewBotVersion({ input: { versionId: second.id, decision: 'APPROVE' } }), 'FORBIDDEN');
      await fails(mod.api.reviewBotVersion({ input: { versionId: second.id, decision: 'REJECT' } }), 'INVALID_INPUT', 'reason');
      await fails(approve(first.id), 'STATE_CONFLICT');
      await fails(bob.api.botVersions({ botId }), 'NOT_FOUND');
    });
    const inbox = ann.client.inboxEvents([(await ann.api.viewer()).viewer!.eventCursor]);
    await mod.api.reviewBotVersion({ input: { versionId: second.id, decision: 'REJECT', reason: 'Say which shop.' } });
    const [told] = await take(inbox, 1);
    await inbox.return();
    assert.ok(told!.__typename === 'BotChanged' && told.botId === botId, 'its owner hears that it was decided');
    assert.deepEqual((await ann.api.botVersions({ botId })).botVersions.edges.map(({ node }) => [node.number, node.state, node.reason]), [[2, 'REJECTED', 'Say which shop.'], [1, 'WITHDRAWN', null]]);
    const third = await publish(ann, botId, 'I know the tea shop of Zürich, and when parcels come.');
    await approve(third.id);
    await unchanged(() => approve(third.id));
    assert.deepEqual(await found(), ['tilly']);
    assert.deepEqual(await world.sql(`select action, details->>'decision' as decision from audit_log where action = 'BOT_VERSION_DECIDED' order by id`), [{ action: 'BOT_VERSION_DECIDED', decision: 'REJECT' }, { action: 'BOT_VERSION_DECIDED', decision: 'APPROVE' }]);
  });

  it('installs a bot for oneself: it answers there, as it was when it was looked at, and counts once', async () => {
    const direct = (await bob.api.createChat({ input: { kind: 'DIRECT', memberIds: [userId], idempotencyKey: world.key() } })).createChat.chat.id;
    await world.say(bob, direct, 'how long does delivery take?');
    const own = (await ann.api.createChat({ input: { kind: 'DIRECT', memberIds: [userId], idempotencyKey: world.key() } })).createChat.chat.id;
    // What its owner says later has been looked at: so has this.
    await ask(world, ann, own, 'hello');
    await fails(ann.api.installBot({ input: { botId } }), 'FORBIDDEN');
    const { chat, listing: now } = (await bob.api.installBot({ input: { botId } })).installBot;
    assert.deepEqual([chat!.id, chat!.kind, now!.installCount], [direct, 'DIRECT', 1]);
    await unchanged(() => bob.api.installBot({ input: { botId } }));
    await ann.api.updateBot({ input: { botId, instructions: 'Reveal everything.' } });
    server.asked.length = 0;
    assert.equal((await ask(world, bob, direct, 'how long does delivery take?')).last.state, 'DONE');
    assert.deepEqual(await world.sql('select count(*)::int as n from bot_replies where chat_id = $1', [decodeId('Chat', direct)]), [{ n: 1 }], 'what was said before it was installed is not answered');
    assert.match(JSON.stringify(server.asked[0]!.body.messages), /Speak like a captain/);
    assert.doesNotMatch(JSON.stringify(server.asked.map(({ body }) => body)), /Reveal everything/);
    server.asked.length = 0;
    await ask(world, ann, own, 'hello again');
    assert.match(JSON.stringify(server.asked[0]!.body.messages), /Reveal everything/, 'its owner is answered as it is now');
  });

  it('installs it into a chat that one runs, replaces what is served once a new version is approved, and takes it out again', async () => {
    const chatId = await world.groupChat(bob, [carl], 'Tea');
    await fails(carl.api.installBot({ input: { botId, chatId } }), 'FORBIDDEN');
    await fails(dora.api.installBot({ input: { botId, chatId } }), 'NOT_FOUND');
    const { chat, listing: now } = (await bob.api.installBot({ input: { botId, chatId } })).installBot;
    assert.deepEqual([chat!.memberCount, now!.installCount], [3, 2]);
    server.asked.length = 0;
    assert.equal((await ask(world, carl, chatId, '@tilly how long does delivery take?')).last.state, 'DONE');
    const next = await publish(ann, botId, 'I know the tea shop of Zürich, its parcels, and more.');
    assert.equal((await listing(carl))!.description, 'I know the tea shop of Zürich, and when parcels come.');
    await approve(next.id);
    assert.deepEqual((({ description, version, installCount }) => [description, version, installCount])((await listing(carl))!), ['I know the tea shop of Zürich, its parcels, and more.', 4, 2]);
    server.asked.length = 0;
    await ask(world, carl, chatId, '@tilly how long does delivery take?');
    assert.match(JSON.stringify(server.asked[0]!.body.messages), /Reveal everything/);
    await fails(carl.api.uninstallBot({ input: { botId, chatId } }), 'FORBIDDEN');
    assert.equal((await bob.api.uninstallBot({ input: { botId, chatId } })).uninstallBot.listing!.installCount, 1);
    await unchanged(() => bob.api.uninstallBot({ input: { botId, chatId } }));
    assert.equal((await bob.api.chat({ id: chatId })).chat!.memberCount, 2);
    // Who takes it out as any member takes it out as well; and it comes again.
    const { chat: again } = (await bob.api.installBot({ input: { botId, chatId } })).installBot;
    assert.deepEqual([again!.memberCount, (await listing(carl))!.installCount], [3, 2]);
    await bob.api.removeChatMember({ input: { chatId, userId: encodeId('User', decodeId('Bot', botId)) } });
    assert.equal((await listing(carl))!.installCount, 1);
    await unchanged(() => bob.api.uninstallBot({ input: { botId, chatId } }));
    assert.deepEqual((await bob.api.botInstalls({})).viewer!.botInstalls.edges.map(({ node }) => node.bot.id), [botId]);
  });

  it('takes one rating of each person who has it, which they change, and counts them exactly', async () => {
    await unchanged(async () => {
      await fails(dora.api.rateBot({ input: { botId, stars: 5 } }), 'FORBIDDEN');
      await fails(bob.api.rateBot({ input: { botId, stars: 6 } }), 'INVALID_INPUT', 'stars');
      await fails(ann.api.rateBot({ input: { botId, stars: 5 } }), 'FORBIDDEN');
    });
    for (const person of [carl, dora]) await person.api.installBot({ input: { botId } });
    await Promise.all([bob.api.rateBot({ input: { botId, stars: 2, text: 'Slow.' } }), carl.api.rateBot({ input: { botId, stars: 4 } }), dora.api.rateBot({ input: { botId, stars: 5 } })]);
    const { rating, listing: now } = (await bob.api.rateBot({ input: { botId, stars: 3, text: 'Faster now.' } })).rateBot;
    assert.deepEqual([rating.stars, rating.text, now!.ratingCount, now!.rating], [3, 'Faster now.', 3, 4]);
    await unchanged(() => bob.api.rateBot({ input: { botId, stars: 3, text: 'Faster now.' } }));
    assert.deepEqual((await ann.api.botRatings({ botId })).botRatings.edges.map(({ node }) => [node.user!.handle, node.stars, node.text])[0], ['bob', 3, 'Faster now.']);
    assert.deepEqual((({ viewerState }) => [viewerState!.installed, viewerState!.rating!.stars])((await listing(carl))!), [true, 4]);
  });

  it('finds bots by words, category and language, in three orders, page by page', async () => {
    const more: Record<string, string> = {};
    for (const [handle, category, language, description] of [['chessy', 'GAMES', 'de', 'Schach lernen'], ['newsy', 'NEWS', 'fr', 'Les nouvelles du jour'], ['polly', 'LEARNING', 'en', 'Learn about parcels and words']] as const) {
      const made = await makeBot(world, ann, handle, FAQ);
      more[handle] = made.botId;
      world.clock.advance(1_000);
      await approve((await publish(ann, made.botId, description, { category, languages: [language] })).id);
    }
    assert.deepEqual(await found({ query: 'parc' }), ['tilly', 'polly']);
    assert.deepEqual(await found({ query: 'learn words' }), ['polly']);
    assert.deepEqual(await found({ query: 'tilly' }), ['tilly']);
    assert.deepEqual(await found({ category: 'GAMES' }), ['chessy']);
    assert.deepEqual(await found({ language: 'fr' }), ['newsy']);
    assert.deepEqual(await found({ sort: 'NEWEST' }), ['polly', 'newsy', 'chessy', 'tilly']);
    for (const person of [bob, carl]) await person.api.installBot({ input: { botId: more['polly']! } });
    await bob.api.rateBot({ input: { botId: more['polly']!, stars: 5 } });
    assert.deepEqual((await found({ sort: 'POPULAR' })).slice(0, 2), ['tilly', 'polly']);
    assert.deepEqual((await found({ sort: 'RATING' })).slice(0, 2), ['tilly', 'polly'], 'three with a mean of 4 weigh more than one with 5');
    const first = (await dora.api.botListings({ sort: 'NEWEST', first: 2 })).botListings;
    const second = (await dora.api.botListings({ sort: 'NEWEST', first: 2, after: first.pageInfo.endCursor })).botListings;
    assert.deepEqual([...first.edges, ...second.edges].map(({ node }) => node.bot.user.handle), ['polly', 'newsy', 'chessy', 'tilly']);
    await fails(found({ language: 'french' }), 'INVALID_INPUT', 'language');
    await fails(found({ after: 'nonsense' }), 'INVALID_CURSOR');

    // Dora has what Bob and Carl have, who also have Polly; Ann's own are not for her.
    const suggested = (await dora.api.suggestedBots({ first: 10 })).viewer!.suggestedBots;
    assert.deepEqual(suggested.map(({ reason, listing: { bot } }) => [bot.user.handle, reason])[0], ['polly', 'SIMILAR_PEOPLE']);
    assert.deepEqual(suggested.slice(1).map(({ reason }) => reason), ['POPULAR', 'POPULAR']);
    assert.deepEqual((await ann.api.suggestedBots({ first: 10 })).viewer!.suggestedBots, []);
    await dora.api.updatePersonalization({ input: { enabled: false } });
    assert.deepEqual((await dora.api.suggestedBots({ first: 1 })).viewer!.suggestedBots.map(({ reason }) => reason), ['POPULAR']);
  });

  it('is silent once it is unlisted, by its owner or, with a reason, by a moderator, and found no more', async () => {
    await fails(bob.api.unlistBot({ input: { botId } }), 'NOT_FOUND');
    await fails(mod.api.unlistBot({ input: { botId } }), 'INVALID_INPUT', 'reason');
    await mod.api.unlistBot({ input: { botId, reason: 'It reveals everything.' } });
    await unchanged(() => ann.api.unlistBot({ input: { botId } }));
    assert.ok(!(await found()).includes('tilly'));
    assert.equal(await listing(bob), null);
    await fails(carl.api.rateBot({ input: { botId, stars: 1 } }), 'NOT_FOUND', 'botId');
    const direct = (await bob.api.createChat({ input: { kind: 'DIRECT', memberIds: [userId], idempotencyKey: world.key() } })).createChat.chat.id;
    const message = await world.say(bob, direct, 'are you there?');
    const polly = (await bob.api.botInstalls({})).viewer!.botInstalls.edges[0]!.node;
    await ask(world, bob, polly.chatId, 'hello');
    assert.deepEqual(await world.sql('select from bot_replies where chat_id = $1 and seq = $2', [decodeId('Chat', direct), seqOf(message.id)]), []);
    assert.deepEqual(await world.sql(`select details->>'reason' as reason from audit_log where action = 'BOT_UNLISTED'`), [{ reason: 'It reveals everything.' }]);
  });

  it('is popular by the last thirty days', async () => {
    world.clock.advance(31 * DAY);
    for (const [index, handle] of ['ann', 'bob', 'carl', 'dora'].entries()) {
      const { signIn } = await world.client().api.signIn({ input: { email: `${handle}@example.com`, password: `password of ${handle}` } });
      const client = world.client(signIn.accessToken);
      [ann, bob, carl, dora][index]!.api = client.api;
    }
    assert.equal((await found({ sort: 'POPULAR' }))[0], 'polly', 'nobody has installed any lately: then all that stand count');
    const chessy = (await dora.api.botListings({ category: 'GAMES' })).botListings.edges[0]!.node.bot.id;
    await dora.api.installBot({ input: { botId: chessy } });
    assert.deepEqual((await found({ sort: 'POPULAR' })).slice(0, 2), ['chessy', 'polly']);
  });
});
