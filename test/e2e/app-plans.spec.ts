import assert from 'node:assert/strict';
import { decodeId } from '../../src/lib/ids.js';
import { administrator } from '../testkit/news.js';
import { fails, World, type Person } from '../testkit/world.js';

const WHO = '{ viewer { user { id } } }';

describe('plans of apps', function () {
  this.timeout(60_000);
  let world: World;
  let root: Person;
  let ann: Person;
  before(async () => {
    world = await World.start({ settings: { APP_PLANS: 'FREE:20,PRO:5000', JOBS: 'false' } });
    root = await administrator(world);
    ann = await world.person('Ann');
  });
  after(() => world.stop());

  const create = async () => (await ann.api.createApp({ input: { name: 'Helper', redirectUris: [], scopes: ['profile:read'], idempotencyKey: world.key() } })).createApp.app.id;
  const key = async (appId: string) => (await ann.api.createApiKey({ input: { appId, name: 'server', idempotencyKey: world.key() } })).createApiKey.key!;
  interface Answer {
    errors?: { extensions: { code: string } }[];
    extensions?: { cost: { requested: number; remaining: number; plan?: { name: string; budget: number; remaining: number } } };
  }
  const ask = async (token: string, query = WHO): Promise<Answer> =>
    (await fetch(`${world.app.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ query }) })).json() as Promise<Answer>;
  const usage = async (appId: string) => {
    await world.app.container.apps.usage.write();
    const now = world.clock.now().getTime();
    return (await ann.api.appUsage({ id: appId, since: new Date(now - 86_400_000).toISOString(), until: new Date(now + 86_400_000).toISOString() })).app!;
  };

  it('bound what all that an app does may spend; every answer tells what is left, and the owner what was asked for', async () => {
    const appId = await create();
    const keys = [await key(appId), await key(appId)];
    const first = (await ask(keys[0]!)).extensions!.cost;
    const { requested } = first;
    assert.deepEqual(first.plan, { name: 'FREE', budget: 20, remaining: 20 - requested });
    const good = Math.floor(20 / requested);
    for (let done = 1; done < good; done++) assert.equal((await ask(keys[done % 2]!)).extensions!.cost.plan!.remaining, 20 - requested * (done + 1));
    assert.equal((await ask(keys[1]!)).errors![0]!.extensions.code, 'RATE_LIMITED');
    assert.equal((await ask(keys[1]!, '{ viewer { email } }')).errors![0]!.extensions.code, 'FORBIDDEN');
    // Its owner is not bound by it, nor told of it.
    assert.equal((await ask(ann.accessToken)).extensions!.cost.plan, undefined);
    const app = await usage(appId);
    assert.deepEqual(app.plan, { name: 'FREE', budget: 20 });
    assert.deepEqual([app.usage.reduce((sum, day) => sum + day.operations, 0), app.usage.reduce((sum, day) => sum + day.cost, 0), app.usage.reduce((sum, day) => sum + day.refused, 0)], [good, good * requested, 2]);
    assert.deepEqual((await usage(appId)).usage, app.usage);
  });

  it('are given by administrators, and stand in the audit log', async () => {
    const appId = await create();
    await fails(ann.api.setAppPlan({ input: { appId, plan: 'PRO' } }), 'FORBIDDEN');
    await fails(root.api.setAppPlan({ input: { appId, plan: 'GOLD' } }), 'INVALID_INPUT', 'plan');
    await fails(root.api.setAppPlan({ input: { appId: 'app_0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa', plan: 'PRO' } }), 'NOT_FOUND', 'appId');
    for (let again = 0; again < 2; again++) assert.deepEqual((await root.api.setAppPlan({ input: { appId, plan: 'PRO' } })).setAppPlan.plan, { name: 'PRO', budget: 5_000 });
    assert.deepEqual((await ask(await key(appId))).extensions!.cost.plan!.name, 'PRO');
    const entries = (await root.api.auditLog({ filter: { actions: ['APP_PLAN_SET'] } })).auditLog.edges.map(({ node }) => [node.subjectId, node.details]);
    assert.deepEqual(entries, [[appId, { before: 'FREE', after: 'PRO' }]]);
    // What goes with the app while it is being counted is no error.
    const going = await key(appId);
    await ask(going);
    await ann.api.deleteApp({ input: { appId } });
    await world.app.container.apps.usage.write();
    assert.deepEqual(await world.sql('select from app_usage where app_id = $1', [decodeId('App', appId)]), []);
    assert.equal((await root.api.app({ id: appId })).app, null);
  });
});
