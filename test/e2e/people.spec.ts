import assert from 'node:assert/strict';
import type { SearchUsersQuery } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('people: profiles, handles, search', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(() => world.stop());

  const search = async (person: Person, query: string): Promise<string[]> =>
    (await person.api.searchUsers({ query })).searchUsers.edges.map((edge) => edge.node.handle);

  it('a profile changes in what is given, and tells the person’s own devices once', async () => {
    const inbox = ann.client.inboxEvents();
    await inbox.next();
    const input = { displayName: 'Ann Smith', about: 'Two\nlines', avatarUrl: 'https://example.com/ann.png', presencePrivacy: 'NOBODY' as const, findByPhone: false };
    const { updateProfile } = await ann.api.updateProfile({ input });
    assert.deepEqual(updateProfile.privacy, { presence: 'NOBODY', findByPhone: false, discoverable: true });
    assert.equal(updateProfile.user.displayName, 'Ann Smith');
    assert.deepEqual(updateProfile.user.avatar, { url: 'https://example.com/ann.png' });
    const [event] = await take(inbox, 1);
    assert.equal(event?.__typename, 'ProfileChanged');
    assert.deepEqual(event?.__typename === 'ProfileChanged' && [event.user.displayName, event.user.about, event.privacy.presence], ['Ann Smith', 'Two\nlines', 'NOBODY']);
    const seen = (await bob.api.user({ id: ann.id })).user!;
    assert.deepEqual([seen.displayName, seen.about, seen.viewerState?.presence], ['Ann Smith', 'Two\nlines', null]);

    const before = await digest(world);
    await ann.api.updateProfile({ input });
    assert.deepEqual(await digest(world), before, 'what is so already is not written again');
    await ann.api.updateProfile({ input: { about: null, avatarUrl: null, presencePrivacy: 'CONTACTS', findByPhone: true } });
    const emptied = (await bob.api.user({ id: ann.id })).user!;
    assert.deepEqual([emptied.displayName, emptied.about, emptied.avatar], ['Ann Smith', null, null]);
    inbox.close();
  });

  it('a handle is unique whatever its case, and moves at once', async () => {
    const carol = await world.person('Carol');
    const before = await digest(world);
    await fails(carol.api.updateProfile({ input: { handle: 'ANN', displayName: 'Not Carol' } }), 'HANDLE_TAKEN', 'handle');
    for (const handle of ['ab', 'x'.repeat(33), 'with space', 'ümlaut', '.dot', 'dot.']) await fails(carol.api.updateProfile({ input: { handle } }), 'INVALID_INPUT', 'handle');
    for (const avatarUrl of ['javascript:alert(1)', 'ftp://example.com/a', 'https://me:secret@example.com/', `https://example.com/${'x'.repeat(2048)}`, '/a.png']) {
      await fails(carol.api.updateProfile({ input: { avatarUrl } }), 'INVALID_INPUT', 'avatarUrl');
    }
    assert.deepEqual(await digest(world), before);
    await carol.api.updateProfile({ input: { handle: 'Caro.Line' } });
    assert.equal((await bob.api.userByHandle({ handle: '@caro.line' })).userByHandle?.id, carol.id);
    assert.equal((await bob.api.userByHandle({ handle: 'CARO.LINE' })).userByHandle?.handle, 'Caro.Line');
    assert.equal((await bob.api.userByHandle({ handle: 'carol' })).userByHandle, null);
    const taken = await Promise.allSettled([ann, bob].map((person) => person.api.updateProfile({ input: { handle: 'wanted' } })));
    assert.deepEqual(taken.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    const winner = taken[0]!.status === 'fulfilled' ? ann : bob;
    await winner.api.updateProfile({ input: { handle: winner.handle } });
  });

  it('search finds handles and words of names, the best first, page by page', async () => {
    const made = await world.people('Zoe', 'Zoela', 'Xzoe', 'Yolanda');
    await made[3].api.updateProfile({ input: { displayName: 'Yolanda Zoega' } });
    assert.deepEqual(await search(ann, 'ZOE'), ['zoe', 'zoela', 'yolanda', 'xzoe']);
    assert.deepEqual(await search(ann, 'zo'), ['zoe', 'zoela', 'yolanda'], 'two characters find beginnings of words alone');
    assert.deepEqual(await search(ann, '@zoela'), ['zoela']);
    assert.deepEqual(await search(ann, 'landa zo'), ['yolanda']);
    for (const query of ['%%%', '___', '\\\\\\']) assert.deepEqual(await search(ann, query), [], query);
    const found: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { searchUsers }: SearchUsersQuery = await ann.api.searchUsers({ query: 'zoe', first: 1, after });
      found.push(...searchUsers.edges.map((edge) => edge.node.handle));
      more = searchUsers.pageInfo.hasNextPage;
      after = searchUsers.pageInfo.endCursor;
    }
    assert.deepEqual(found, ['zoe', 'zoela', 'yolanda', 'xzoe']);
    for (const query of ['', 'z', ' z ', '@z', 'nul\u0000', 'x'.repeat(129)]) await fails(search(ann, query), 'INVALID_INPUT', 'query');
    await fails(ann.api.searchUsers({ query: 'zoe', after: 'bm9uc2Vuc2U' }), 'INVALID_CURSOR', 'after');
  });

  it('search finds neither oneself, nor who does not want to be found; a handle still does', async () => {
    const dora = await world.person('Dora');
    assert.deepEqual(await search(dora, 'dora'), []);
    assert.deepEqual(await search(ann, 'dora'), ['dora']);
    await dora.api.updateProfile({ input: { discoverable: false } });
    assert.deepEqual(await search(ann, 'dora'), []);
    assert.equal((await ann.api.userByHandle({ handle: 'dora' })).userByHandle?.id, dora.id);
  });

  it('nobody who has not signed in sees anybody', async () => {
    const { api } = world.client();
    for (const call of [api.user({ id: ann.id }), api.userByHandle({ handle: 'ann' }), api.searchUsers({ query: 'ann' })]) await fails(call, 'UNAUTHENTICATED');
    assert.equal((await api.privacy({})).viewer, null);
  });

  it('a report is made once for a target, and only of what one sees', async () => {
    const erin = await world.person('Erin');
    const chatId = await world.groupChat(ann, [bob]);
    const message = await world.say(bob, chatId, 'something bad');
    const report = async (person: Person, targetId: string, note?: string) => (await person.api.reportContent({ input: { targetId, reason: 'SPAM', note: note ?? null } })).reportContent.report;
    const first = await report(ann, message.id, 'look at this');
    assert.deepEqual([first.targetType, first.targetId, first.reason, first.note], ['MESSAGE', message.id, 'SPAM', 'look at this']);
    assert.deepEqual(await report(ann, message.id, 'again'), first);
    assert.equal((await report(ann, chatId)).targetType, 'CHAT');
    assert.equal((await report(erin, bob.id)).targetType, 'USER');
    const before = await digest(world);
    for (const targetId of [message.id, chatId, `usr_${'0'.repeat(32)}`, `grp_${'0'.repeat(32)}`]) await fails(report(erin, targetId), 'NOT_FOUND', 'targetId');
    await fails(report(erin, erin.id), 'INVALID_INPUT', 'targetId');
    await fails(report(erin, erin.sessionId), 'INVALID_ID', 'targetId');
    assert.deepEqual(await digest(world), before);
  });
});
