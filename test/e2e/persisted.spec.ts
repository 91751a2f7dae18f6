import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { ConfigError } from '../../src/config.js';
import { fails, take, within, World, type Person } from '../testkit/world.js';
import { post, raw } from '../testkit/raw.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const WHO = 'query Who { viewer { user { handle } } }';
const LISTEN = 'subscription Listen($chatId: ID!) { chatEvents(chatId: $chatId) { ... on MessageSent { message { text } } } }';
const SDK_OPERATIONS = fileURLToPath(new URL('../../sdk/generated/persisted-operations.json', import.meta.url));
const persistedQuery = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });

describe('persisted operations', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'omnitalk-persisted-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  async function file(name: string, content: unknown): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  describe('beside all others', () => {
    let world: World;
    let ann: Person;
    before(async () => {
      world = await World.start({ settings: { PERSISTED_OPERATIONS: await file('some.json', { who: WHO, listen: LISTEN }) } });
      ann = await world.person('Ann');
    });
    after(() => world.stop());
    const ask = (body: object) => post(world, body, { authorization: `Bearer ${ann.accessToken}` });

    it('are found by their id, and by their hash', async () => {
      for (const documentId of ['who', sha256(WHO), `sha256:${sha256(WHO)}`]) {
        assert.deepEqual((await ask({ documentId })).json!.data, { viewer: { user: { handle: 'ann' } } }, documentId);
      }
      const got = await raw(world, '/graphql?documentId=who', { headers: { 'apollo-require-preflight': 'true', authorization: `Bearer ${ann.accessToken}` } });
      assert.deepEqual(got.json!.data, { viewer: { user: { handle: 'ann' } } });
    });

    it('that are not there, or not asked for well, are refused', async () => {
      assert.equal((await ask({ documentId: 'nobody' })).code, 'OPERATION_NOT_FOUND');
      assert.equal((await ask({ documentId: 'who', query: WHO })).code, 'BAD_REQUEST');
      assert.equal((await ask({ documentId: 7 })).code, 'BAD_REQUEST');
      assert.equal((await ask({ query: WHO, extensions: { persistedQuery: { version: 2, sha256Hash: sha256(WHO) } } })).code, 'BAD_REQUEST');
      assert.equal((await ask({ query: WHO, extensions: { persistedQuery: { version: 1, sha256Hash: sha256('other') } } })).code, 'BAD_REQUEST');
      assert.equal((await ask({ documentId: '__proto__' })).code, 'OPERATION_NOT_FOUND');
    });

    it('are learnt from clients that send a text with its hash, as Apollo’s do', async () => {
      const text = 'query Learnt { viewer { user { displayName } } }';
      const first = await ask({ extensions: persistedQuery(text) });
      assert.deepEqual([first.status, first.code, first.json!.errors![0]!.message], [200, 'OPERATION_NOT_FOUND', 'PersistedQueryNotFound']);
      assert.equal((await ask({ query: text, extensions: persistedQuery(text) })).status, 200);
      assert.deepEqual((await ask({ extensions: persistedQuery(text) })).json!.data, { viewer: { user: { displayName: 'Ann' } } });
      const events = createSseClient({ url: `${world.app.url}/graphql`, headers: { authorization: `Bearer ${ann.accessToken}` }, retryAttempts: 0 });
      const { value } = await events.iterate({ query: '', extensions: persistedQuery(text) }).next();
      assert.deepEqual((value as { data: unknown }).data, { viewer: { user: { displayName: 'Ann' } } });
    });

    it('run over WebSocket and event streams too', async () => {
      const bob = await world.person('Bob');
      const chatId = await world.directChat(ann, bob);
      const socket = createWsClient({ url: `${world.app.url.replace('http', 'ws')}/graphql`, connectionParams: { authorization: `Bearer ${ann.accessToken}` } });
      const one = await within(socket.iterate({ query: '', documentId: 'who' } as { query: string }).next(), 'an answer');
      assert.deepEqual((one.value as { data: unknown }).data, { viewer: { user: { handle: 'ann' } } });
      const hashed = socket.iterate({ query: '', extensions: persistedQuery(LISTEN), variables: { chatId } });
      const heard = hashed.next();
      await within((async () => { while ([...world.app.serving.channels.attachments()].length < 1) await new Promise((resolve) => setTimeout(resolve, 10)); })(), 'the subscription');
      await world.say(bob, chatId, 'hello');
      assert.deepEqual(((await within(heard, 'an event')).value as { data: unknown }).data, { chatEvents: { message: { text: 'hello' } } });
      await socket.dispose();
    });
  });

  describe('and no others (PERSISTED_ONLY)', () => {
    let world: World;
    let ann: Person;
    before(async () => {
      world = await World.start({ settings: { PERSISTED_OPERATIONS: SDK_OPERATIONS, PERSISTED_ONLY: 'true' } });
      ann = await world.person('Ann');
    });
    after(() => world.stop());

    it('are all that the SDK needs', async () => {
      const bob = await world.person('Bob');
      const chatId = await world.directChat(ann, bob);
      const { chat } = await bob.api.chat({ id: chatId });
      const events = bob.client.chatEvents(chatId, chat!.eventCursor);
      await world.say(ann, chatId, 'allowed');
      assert.equal((await take(events, 1))[0]!.__typename, 'MessageSent');
      events.close();
    });

    it('every other is refused, over every transport', async () => {
      await fails(ann.client.request(WHO), 'OPERATION_NOT_ALLOWED');
      await fails(ann.client.subscribe('subscription { inboxEvents { __typename } }').next(), 'OPERATION_NOT_ALLOWED');
      assert.equal((await post(world, { query: WHO })).status, 403);
      const text = '{ __typename }';
      assert.equal((await post(world, { query: text, extensions: persistedQuery(text) })).code, 'OPERATION_NOT_ALLOWED');
      assert.equal((await post(world, { extensions: persistedQuery(text) })).code, 'OPERATION_NOT_FOUND');
      assert.equal((await post(world, { query: '{ __schema { queryType { name } } }' })).code, 'OPERATION_NOT_ALLOWED');
      const events = await raw(world, '/graphql', { method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json' }, body: JSON.stringify({ query: text }) });
      assert.match(events.text, /"code":"OPERATION_NOT_ALLOWED"/);
    });
  });

  describe('that are wrong keep the server from starting', () => {
    async function refuses(path: string, ...told: RegExp[]): Promise<void> {
      const error = await World.start({ settings: { PERSISTED_OPERATIONS: path } }).then(
        (world) => world.stop().then(() => assert.fail('it started')),
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof ConfigError, String(error));
      for (const words of told) assert.match(error.message, words);
    }

    it('each bad document is named', async () => {
      await refuses(await file('bad.json', { good: WHO, broken: '{ viewer', unknown: '{ nothing }', none: 'fragment F on User { id }' }), /^ {2}broken: /m, /^ {2}unknown: .*nothing/m, /^ {2}none: /m);
    });

    it('what is no such file is named', async () => {
      await refuses(join(folder, 'missing.json'), /missing\.json.*ENOENT/);
      await refuses(await file('text.json', 'not JSON'), /text\.json/);
      await refuses(await file('list.json', [WHO]), /list\.json/);
    });
  });
});
