import assert from 'node:assert/strict';
import { administrator, signedInAgain } from '../testkit/news.js';
import { eventually, fails, World } from '../testkit/world.js';
import { unzip } from '../testkit/zip.js';

/** As docs/OPERATIONS.md tells it, by the SDK alone. The partner's walk is in apps.spec.ts. */
describe('the operator’s walk', function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());

  it('promote a moderator, see the audit, export and erase a person, read the figures of the dashboard', async () => {
    const root = await administrator(world);
    const [mia, tom, eve] = await world.people('Mia', 'Tom', 'Eve');
    const chatId = await world.directChat(eve, tom);
    const said = await world.say(eve, chatId, 'hello Tom');

    assert.deepEqual((await root.api.setUserRoles({ input: { userId: mia.id, roles: ['MODERATOR'] } })).setUserRoles.roles, ['MODERATOR']);
    const moderator = await signedInAgain(world, mia);
    await moderator.api.suspendUser({ input: { userId: tom.id, reason: 'spam' } });
    await moderator.api.reinstateUser({ input: { userId: tom.id, reason: 'it was none' } });
    await fails(moderator.api.auditLog(), 'FORBIDDEN');
    await fails(moderator.api.eraseUser({ input: { userId: eve.id, reason: 'no' } }), 'FORBIDDEN');

    const { dataExport } = (await root.api.requestDataExport({ input: { userId: eve.id, idempotencyKey: world.key() } })).requestDataExport;
    const copy = async () => (await eve.api.dataExport({ id: dataExport.id })).dataExport!;
    await eventually(async () => (await copy()).state === 'READY', 'the copy is made', 20_000);
    const zip = await unzip(Buffer.from(await (await fetch((await copy()).file!.url!)).arrayBuffer()));
    assert.match(zip.get('chats/messages.json')!.toString(), /hello Tom/);

    const { user } = (await root.api.eraseUser({ input: { userId: eve.id, reason: 'asked by letter' } })).eraseUser;
    assert.deepEqual([user.id, user.displayName], [eve.id, 'Deleted account']);
    await fails(eve.api.viewer(), 'SESSION_ENDED');
    const again = await signedInAgain(world, tom);
    await eventually(async () => (await again.api.messageBySeq({ chatId, seq: said.seq })).chat!.message!.text === null, 'what she wrote is erased', 20_000);
    const actions = async () => (await root.api.auditLog()).auditLog.edges.map(({ node }) => node.action);
    await eventually(async () => (await actions())[0] === 'USER_ERASURE_FINISHED', 'it is finished', 20_000);
    assert.deepEqual(await actions(), ['USER_ERASURE_FINISHED', 'USER_ERASED', 'DATA_EXPORT_REQUESTED', 'USER_REINSTATED', 'USER_SUSPENDED', 'ROLE_SET']);

    await world.app.container.jobs.analytics.run();
    const now = world.clock.now().getTime();
    const { days } = (await root.api.analytics({ since: new Date(now - 2 * 86_400_000).toISOString(), until: new Date(now + 86_400_000).toISOString() })).analytics;
    // Whoever was erased is counted with those who came, and with nobody who is here.
    assert.deepEqual([days.reduce((sum, day) => sum + day.newPeople, 0), days.reduce((sum, day) => sum + day.messages, 0)], [4, 1]);
    await fails(moderator.api.analytics({ since: new Date(now - 1).toISOString(), until: new Date(now).toISOString() }), 'FORBIDDEN');
    const page = await fetch(`${world.app.url}/admin`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'/);
  });
});
