import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { decodeId } from '../../src/lib/ids.js';
import { administrator } from '../testkit/news.js';
import { post } from '../testkit/raw.js';
import { fails, within, World, type Person } from '../testkit/world.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const WHO = 'query Who { viewer { user { handle } } }';
const NAME = 'query Name {\n  viewer { user { displayName } }\n}';
const UNKNOWN_APP = 'app_0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa';

describe('operations that apps register', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(() => world.stop());

  const makeApp = async (owner: Person, scopes = ['profile:read', 'users:issue']) => {
    const appId = (await owner.api.createApp({ input: { name: 'Helper', redirectUris: [], scopes, idempotencyKey: world.key() } })).createApp.app.id;
    const key = (await owner.api.createApiKey({ input: { appId, name: 'server', idempotencyKey: world.key() } })).createApiKey.key!;
    return { appId, key, ask: (body: object) => post(world, body, { authorization: `Bearer ${key}` }) };
  };
  const register = async (owner: Person, appId: string, documents: string[]) => (await owner.api.registerAppOperations({ input: { appId, documents } })).registerAppOperations.operations;
  const listed = async (owner: Person, appId: string) => (await owner.api.appOperations({ id: appId })).app!.operations.edges.map(({ node }) => node.hash);
  const only = (owner: Person, appId: string, registeredOnly: boolean) => owner.api.updateApp({ input: { appId, registeredOnly } });
  /** What processes go by for some seconds. */
  const forgetSessions = async (appId: string) => world.app.container.sessions.ended((await world.sql<{ id: string }>('select id from sessions where app_id = $1', [decodeId('App', appId)])).map(({ id }) => id));

  it('are asked for by their hash, over every transport, by that app alone', async () => {
    const { appId, key, ask } = await makeApp(ann);
    const other = await makeApp(bob);
    assert.equal((await ask({ documentId: sha256(WHO) })).code, 'OPERATION_NOT_FOUND');
    const made = await register(ann, appId, [WHO, NAME]);
    assert.deepEqual(made.map(({ hash, name, document }) => [hash, name, document]), [[sha256(WHO), 'Who', WHO], [sha256(NAME), 'Name', NAME]]);
    for (const documentId of [sha256(WHO), `sha256:${sha256(WHO)}`]) assert.deepEqual((await ask({ documentId })).json!.data, { viewer: { user: { handle: 'ann' } } });
    assert.deepEqual((await ask({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(NAME) } } })).json!.data, { viewer: { user: { displayName: 'Ann' } } });
    const socket = createWsClient({ url: `${world.app.url.replace('http', 'ws')}/graphql`, connectionParams: { authorization: `Bearer ${key}` } });
    const one = await within(socket.iterate({ query: '', documentId: sha256(WHO) } as { query: string }).next(), 'an answer');
    assert.deepEqual((one.value as { data: unknown }).data, { viewer: { user: { handle: 'ann' } } });
    await socket.dispose();
    const events = createSseClient({ url: `${world.app.url}/graphql`, headers: { authorization: `Bearer ${key}` }, retryAttempts: 0 });
    const told = await within(events.iterate({ query: '', documentId: sha256(WHO) } as { query: string }).next(), 'an answer');
    assert.deepEqual((told.value as { data: unknown }).data, { viewer: { user: { handle: 'ann' } } });
    events.dispose();
    // Nobody else's: not another app's, not a person's, not everybody's.
    assert.equal((await other.ask({ documentId: sha256(WHO) })).code, 'OPERATION_NOT_FOUND');
    assert.equal((await post(world, { documentId: sha256(WHO) }, { authorization: `Bearer ${ann.accessToken}` })).code, 'OPERATION_NOT_FOUND');
    assert.equal((await post(world, { documentId: sha256(WHO) })).code, 'OPERATION_NOT_FOUND');
    assert.equal((await post(world, { documentId: sha256(WHO) }, { authorization: 'Bearer otk_nobody' })).code, 'UNAUTHENTICATED');
    // An app that is kept to nothing may send any text, as before.
    assert.equal((await ask({ query: '{ viewer { user { id } } }' })).code, undefined);
  });

  it('are kept once each, listed by pages, and stand in the audit log', async () => {
    const { appId } = await makeApp(ann);
    const first = await register(ann, appId, [WHO]);
    assert.deepEqual((await register(ann, appId, [NAME, WHO, NAME])).map(({ hash }) => hash), [sha256(NAME), sha256(WHO)]);
    assert.deepEqual((await register(ann, appId, [WHO]))[0], first[0]);
    assert.deepEqual(await listed(ann, appId), [sha256(NAME), sha256(WHO)]);
    const page = (await ann.api.appOperations({ id: appId, first: 1 })).app!.operations;
    assert.deepEqual([page.edges.map(({ node }) => node.hash), page.pageInfo.hasNextPage], [[sha256(NAME)], true]);
    const next = (await ann.api.appOperations({ id: appId, first: 1, after: page.pageInfo.endCursor! })).app!.operations;
    assert.deepEqual([next.edges.map(({ node }) => node.hash), next.pageInfo.hasNextPage], [[sha256(WHO)], false]);
    const remove = async (hashes: string[]) => (await ann.api.removeAppOperations({ input: { appId, hashes } })).removeAppOperations.removedHashes;
    assert.deepEqual(await remove([sha256(WHO), sha256('never')]), [sha256(WHO)]);
    assert.deepEqual(await remove([sha256(WHO)]), []);
    assert.deepEqual(await listed(ann, appId), [sha256(NAME)]);
    const entries = (await (await administrator(world)).api.auditLog({ filter: { subjectId: appId } })).auditLog.edges.map(({ node }) => [node.action, node.details]);
    assert.deepEqual(entries.filter(([action]) => String(action).startsWith('APP_OPERATIONS')), [
      ['APP_OPERATIONS_REMOVED', { operations: [sha256(WHO)] }],
      ['APP_OPERATIONS_REGISTERED', { operations: [sha256(NAME)] }],
      ['APP_OPERATIONS_REGISTERED', { operations: [sha256(WHO)] }],
    ]);
    await ann.api.deleteApp({ input: { appId } });
    assert.deepEqual(await world.sql('select from app_operations where app_id = $1', [decodeId('App', appId)]), []);
  });

  it('are all that an app executes which is kept to them, whoever it acts for', async () => {
    const { appId, key, ask } = await makeApp(ann);
    await register(ann, appId, [WHO]);
    const issued = (await post(world, { query: 'mutation { issueUserToken(input: { externalId: "one", displayName: "One" }) { accessToken } }' }, { authorization: `Bearer ${key}` })).json!.data as { issueUserToken: { accessToken: string } };
    const theirs = (body: object) => post(world, body, { authorization: `Bearer ${issued.issueUserToken.accessToken}` });
    assert.equal((await theirs({ query: NAME })).code, undefined);
    assert.equal((await only(ann, appId, true)).updateApp.app.registeredOnly, true);
    await forgetSessions(appId);
    for (const by of [ask, theirs]) {
      assert.deepEqual([(await by({ query: NAME })).status, (await by({ query: NAME })).code], [403, 'OPERATION_NOT_ALLOWED']);
      assert.equal((await by({ query: `${WHO} ` })).code, 'OPERATION_NOT_ALLOWED');
      assert.equal((await by({ query: WHO })).code, undefined);
      assert.equal((await by({ documentId: sha256(WHO) })).code, undefined);
      assert.equal((await by({ documentId: sha256(NAME) })).code, 'OPERATION_NOT_FOUND');
    }
    const socket = createWsClient({ url: `${world.app.url.replace('http', 'ws')}/graphql`, connectionParams: { authorization: `Bearer ${key}` } });
    const refused = await within(new Promise<unknown>((resolve) => socket.subscribe({ query: NAME }, { next: () => resolve('answered'), error: resolve, complete: () => resolve('completed') })), 'a refusal');
    assert.equal((refused as { extensions: { code: string } }[])[0]!.extensions.code, 'OPERATION_NOT_ALLOWED');
    await socket.dispose();
    // Its owner, by a session of their own, goes on.
    assert.deepEqual((await post(world, { query: NAME }, { authorization: `Bearer ${ann.accessToken}` })).json!.data, { viewer: { user: { displayName: 'Ann' } } });
    await ann.api.removeAppOperations({ input: { appId, hashes: [sha256(WHO)] } });
    assert.equal((await ask({ documentId: sha256(WHO) })).code, 'OPERATION_NOT_FOUND');
    await only(ann, appId, false);
    await forgetSessions(appId);
    assert.equal((await ask({ query: NAME })).code, undefined);
  });

  it('that are wrong, too many, or not one’s own are refused, and change nothing', async () => {
    const { appId } = await makeApp(ann);
    for (const bad of ['{ viewer', '{ nothing }', 'fragment F on User { id }', '', 'query A { viewer { user { id } } } query B { viewer { user { id } } }', '{ viewer { user { id } } } \0']) {
      const error = await fails(ann.api.registerAppOperations({ input: { appId, documents: [WHO, bad] } }), 'INVALID_INPUT', 'documents');
      assert.match(error.message, /^Document 2 is not one valid operation: /, JSON.stringify(bad));
    }
    await fails(ann.api.registerAppOperations({ input: { appId, documents: [] } }), 'INVALID_INPUT', 'documents');
    await fails(ann.api.registerAppOperations({ input: { appId, documents: Array.from({ length: 201 }, (_, at) => `{ a${at}: viewer { user { id } } }`) } }), 'INVALID_INPUT', 'documents');
    await fails(bob.api.registerAppOperations({ input: { appId, documents: [WHO] } }), 'NOT_FOUND', 'appId');
    await fails(bob.api.removeAppOperations({ input: { appId, hashes: [sha256(WHO)] } }), 'NOT_FOUND', 'appId');
    await fails(ann.api.registerAppOperations({ input: { appId: UNKNOWN_APP, documents: [WHO] } }), 'NOT_FOUND', 'appId');
    await fails(ann.api.removeAppOperations({ input: { appId, hashes: ['short'] } }), 'INVALID_INPUT', 'hashes');
    await fails(ann.api.removeAppOperations({ input: { appId, hashes: [] } }), 'INVALID_INPUT', 'hashes');
    assert.deepEqual(await listed(ann, appId), []);
    for (let batch = 0; batch < 5; batch++) await register(ann, appId, Array.from({ length: 200 }, (_, at) => `{ a${batch * 200 + at}: viewer { user { id } } }`));
    await fails(ann.api.registerAppOperations({ input: { appId, documents: [WHO] } }), 'LIMIT_REACHED');
    assert.equal((await world.sql('select from app_operations where app_id = $1', [decodeId('App', appId)])).length, 1_000);
  });
});

describe('what it costs to register operations', () => {
  let world: World;
  before(async () => {
    world = await World.start({ settings: { RATE_LIMIT_ADDRESS: '200' } });
  });
  after(() => world.stop());

  it('is counted as the same documents are that clients send: once for each thousand characters that are new', async () => {
    const ann = await world.person('Ann');
    const { app } = (await ann.api.createApp({ input: { name: 'Long', redirectUris: [], scopes: ['profile:read'], idempotencyKey: world.key() } })).createApp;
    const long = (name: string, thousands: number) => `# ${'x'.repeat(thousands * 1_000)}\nquery ${name} { viewer { user { id } } }`;
    const register = (documents: string[]) => ann.api.registerAppOperations({ input: { appId: app.id, documents } });
    await register([long('A', 50), long('B', 50)]);
    await register([long('A', 50), long('B', 50)]);
    await fails(register([long('C', 90), long('D', 90), long('E', 90)]), 'RATE_LIMITED');
    assert.equal((await world.sql('select from app_operations where app_id = $1', [decodeId('App', app.id)])).length, 2);
  });
});
