import assert from 'node:assert/strict';
import { administrator, signedInAgain } from '../testkit/news.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

describe('those who run the place', function () {
  this.timeout(60_000);
  let world: World;
  let root: Person;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start();
    root = await administrator(world);
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(() => world.stop());

  const entries = async (filter: NonNullable<Parameters<Person['api']['auditLog']>[0]>['filter'] = null) =>
    (await root.api.auditLog({ filter })).auditLog.edges.map(({ node }) => node);
  const signIn = (person: Person) => world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });

  it('give roles, which stand within seconds, and are written down', async () => {
    const inbox = ann.client.inboxEvents([(await ann.api.viewer()).viewer!.eventCursor]);
    const { setUserRoles } = await root.api.setUserRoles({ input: { userId: ann.id, roles: ['USER', 'MODERATOR'] } });
    assert.deepEqual([setUserRoles.user.id, setUserRoles.roles], [ann.id, ['MODERATOR']]);
    const [event] = await take(inbox, 1);
    inbox.close();
    assert.ok(event!.__typename === 'AccountChanged');
    assert.deepEqual(event.roles, ['MODERATOR']);
    await eventually(async () => (await ann.api.viewer()).viewer!.roles[0] === 'MODERATOR', 'the role stands');
    // What is so already changes nothing.
    await root.api.setUserRoles({ input: { userId: ann.id, roles: ['MODERATOR'] } });
    const [entry, ...others] = await entries({ subjectId: ann.id });
    assert.deepEqual(others, []);
    assert.deepEqual([entry!.action, entry!.actor!.id, entry!.subjectId, entry!.details], ['ROLE_SET', root.id, ann.id, { before: 'USER', after: 'MODERATOR' }]);
  });

  it('ADMIN has the other roles in it; of the others a person has one', async () => {
    assert.deepEqual((await root.api.setUserRoles({ input: { userId: bob.id, roles: ['SUPPORT', 'ADMIN', 'ANALYST'] } })).setUserRoles.roles, ['ADMIN']);
    await fails(root.api.setUserRoles({ input: { userId: bob.id, roles: ['SUPPORT', 'ANALYST'] } }), 'INVALID_INPUT', 'roles');
    assert.deepEqual((await root.api.setUserRoles({ input: { userId: bob.id, roles: [] } })).setUserRoles.roles, ['USER']);
    assert.deepEqual((await entries({ subjectId: bob.id })).map(({ details }) => (details as { after: string }).after), ['USER', 'ADMIN']);
  });

  it('roles are for administrators to give, and not to themselves; the audit log is theirs alone', async () => {
    const before = await entries();
    await eventually(async () => (await ann.api.viewer()).viewer!.roles[0] === 'MODERATOR', 'Ann moderates');
    for (const person of [ann, bob]) {
      await fails(person.api.setUserRoles({ input: { userId: person.id, roles: ['ADMIN'] } }), 'FORBIDDEN');
      await fails(person.api.auditLog(), 'FORBIDDEN');
    }
    await fails(world.client().api.auditLog(), 'UNAUTHENTICATED');
    await fails(root.api.setUserRoles({ input: { userId: root.id, roles: [] } }), 'FORBIDDEN');
    await fails(root.api.setUserRoles({ input: { userId: 'usr_0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa', roles: [] } }), 'NOT_FOUND', 'userId');
    await fails(root.api.auditLog({ filter: { subjectId: 'nonsense' } }), 'INVALID_ID', 'subjectId');
    await fails(root.api.auditLog({ after: 'nonsense' }), 'INVALID_CURSOR');
    assert.deepEqual(await entries(), before);
  });

  it('suspend: sessions end at once, none can be opened, until one is reinstated', async () => {
    const eve = await world.person('Eve');
    const stream = eve.client.inboxEvents([(await eve.api.viewer()).viewer!.eventCursor]);
    await fails(bob.api.suspendUser({ input: { userId: eve.id, reason: 'spam' } }), 'FORBIDDEN');
    assert.equal((await ann.api.suspendUser({ input: { userId: eve.id, reason: 'spam' } })).suspendUser.suspended, true);
    await fails(eve.api.viewer(), 'SESSION_ENDED');
    await assert.rejects(take(stream, 5), 'her stream ends');
    await fails(signIn(eve), 'FORBIDDEN');
    await fails(eve.api.refreshSession({ input: { refreshToken: eve.refreshToken } }), 'SESSION_ENDED');
    await ann.api.suspendUser({ input: { userId: eve.id, reason: 'spam, again' } });
    await ann.api.reinstateUser({ input: { userId: eve.id, reason: 'a mistake' } });
    await ann.api.reinstateUser({ input: { userId: eve.id, reason: 'a mistake' } });
    await signIn(eve);
    assert.deepEqual(
      (await entries({ subjectId: eve.id })).map(({ action, actor, details }) => [action, actor!.id, details]),
      [['USER_REINSTATED', ann.id, { reason: 'a mistake' }], ['USER_SUSPENDED', ann.id, { reason: 'spam' }]],
    );
  });

  it('suspend for a while, which ends by itself; a change of mind moves the end', async () => {
    const fay = await world.person('Fay');
    const suspend = async (seconds: number | null) => (await ann.api.suspendUser({ input: { userId: fay.id, reason: 'a day off', seconds } })).suspendUser.until;
    for (const bad of [0, -1, 366 * 86_400]) await fails(suspend(bad), 'INVALID_INPUT', 'seconds');
    await fay.api.viewer();
    assert.equal(Math.round((Date.parse((await suspend(3_600))!) - world.clock.now().getTime()) / 60_000), 60);
    await fails(fay.api.viewer(), 'SESSION_ENDED');
    assert.equal(await suspend(null), null);
    world.clock.advance(3_700_000);
    [ann, bob, root] = [await signedInAgain(world, ann), await signedInAgain(world, bob), await signedInAgain(world, root)];
    await suspend(60);
    await fails(signIn(fay), 'FORBIDDEN');
    world.clock.advance(61_000);
    await eventually(() => signIn(fay).then(() => true, () => false), 'it is over');
    assert.deepEqual((await entries({ subjectId: fay.id })).map(({ action, actor, details }) => [action, actor?.id ?? null, details]), [
      ['USER_REINSTATED', null, { reason: 'its time is over' }], ['USER_SUSPENDED', ann.id, { reason: 'a day off', seconds: 60 }], ['USER_SUSPENDED', ann.id, { reason: 'a day off' }], ['USER_SUSPENDED', ann.id, { reason: 'a day off', seconds: 3_600 }],
    ]);
  });

  it('whoever has a role is suspended by administrators alone, and nobody by themself', async () => {
    await fails(ann.api.suspendUser({ input: { userId: root.id, reason: 'a coup' } }), 'FORBIDDEN');
    await fails(root.api.suspendUser({ input: { userId: root.id, reason: 'tired' } }), 'FORBIDDEN');
    await fails(root.api.suspendUser({ input: { userId: ann.id, reason: ' ' } }), 'INVALID_INPUT', 'reason');
    await root.api.suspendUser({ input: { userId: ann.id, reason: 'left us' } });
    await fails(ann.api.viewer(), 'SESSION_ENDED');
  });

  it('the log can be added to and nothing else, whoever asks the database', async () => {
    for (const statement of [`update audit_log set actor_id = null`, 'delete from audit_log', 'truncate audit_log']) await assert.rejects(world.sql(statement), /append-only/);
    const all = await entries();
    const pages: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<Person['api']['auditLog']>>['auditLog'] = (await root.api.auditLog({ first: 2, after })).auditLog;
      pages.push(...page.edges.map(({ node }) => node.id));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor!;
    }
    assert.deepEqual(pages, all.map(({ id }) => id));
    assert.deepEqual((await entries({ actions: ['USER_SUSPENDED'], actorId: root.id })).map(({ subjectId }) => subjectId), [ann.id]);
  });
});
