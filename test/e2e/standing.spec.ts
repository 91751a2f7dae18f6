import assert from 'node:assert/strict';
import { request } from 'node:http';
import { decodeId } from '../../src/lib/ids.js';
import { startCall } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { administrator } from '../testkit/news.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { Ether } from '../testkit/unruly-bus.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, within, World, type Person } from '../testkit/world.js';
import type { MediaServer } from '../../src/media/media-server.js';

const CHANGED = { code: 1012, reason: 'What you may has changed: reconnect and resume' };
const AUDIT = '{ auditLog { edges { node { id } } } }';

/** What a connection may do was decided when it came: here nothing that happens to its session is told, and each process finds out by itself. */
describe('connections whose sessions have become others', () => {
  const ether = new Ether();
  let world: World;
  let root: Person;
  let ann: Person;
  before(async () => {
    world = await World.start({ nodes: 2, bus: () => ether.node() });
    ether.fate = (topic) => (topic === 'sessions' ? [] : [0]);
    root = await administrator(world);
    ann = await world.person('Ann');
  });
  after(() => world.stop());

  const key = async (scopes: string[]) => {
    const { app } = (await ann.api.createApp({ input: { name: 'An app', redirectUris: [], scopes, idempotencyKey: world.key() } })).createApp;
    return { appId: app.id, key: (await ann.api.createApiKey({ input: { appId: app.id, name: 'A key', idempotencyKey: world.key() } })).createApiKey.key! };
  };
  const asked = async (socket: RawSocket, query: string) => {
    const id = world.key();
    socket.subscribe(id, query);
    const { type } = await socket.ended(id);
    const answer = socket.messages.find((message) => message.id === id && message.type !== 'complete')!.payload as { errors?: { extensions: { code: string } }[] } & { extensions: { code: string } }[];
    return type === 'error' ? answer[0]!.extensions.code : (answer.errors?.[0]?.extensions.code ?? 'ok');
  };

  it('whose role was taken can’t go on with it, nor one whose role is new without it', async () => {
    const judge = await world.person('Judge');
    await root.api.setUserRoles({ input: { userId: judge.id, roles: ['ADMIN'] } });
    const before = await RawSocket.open(world, judge.accessToken, 1);
    assert.equal(await asked(before, AUDIT), 'ok');
    await root.api.setUserRoles({ input: { userId: judge.id, roles: ['USER'] } });
    assert.deepEqual(await before.closed(), CHANGED);
    const now = await RawSocket.open(world, judge.accessToken, 1);
    assert.equal(await asked(now, AUDIT), 'FORBIDDEN');
    await root.api.setUserRoles({ input: { userId: judge.id, roles: ['ADMIN'] } });
    assert.deepEqual(await now.closed(), CHANGED);
    const again = await RawSocket.open(world, judge.accessToken, 1);
    assert.equal(await asked(again, AUDIT), 'ok');
    again.close();
  });

  it('an app from which a scope was taken hears no more of what that opened, over a socket or a stream', async () => {
    const { appId, key: token } = await key(['chats:read', 'profile:read']);
    const socket = await RawSocket.open(world, token, 1);
    socket.subscribe('1', 'subscription { inboxEvents { __typename } }');
    await socket.receive('next');
    const stream = await listening(token);
    const untouched = await RawSocket.open(world, ann.accessToken, 1);
    await ann.api.updateApp({ input: { appId, scopes: ['profile:read'] } });
    assert.deepEqual(await socket.closed(), CHANGED);
    await within(stream.end, 'the end of the stream');
    const now = await RawSocket.open(world, token, 1);
    assert.deepEqual([await asked(now, 'subscription { inboxEvents { __typename } }'), await asked(now, '{ viewer { user { id } } }')], ['FORBIDDEN', 'ok']);
    assert.equal(await asked(untouched, '{ viewer { user { id } } }'), 'ok', 'nobody else’s connection ends');
    for (const one of [now, untouched]) one.close();
  });

  it('one whose session has ended, or is gone with its app, is out', async () => {
    const bob = await world.person('Bob');
    const [socket, stream] = [await RawSocket.open(world, bob.accessToken, 1), await listening(bob.accessToken)];
    await bob.api.signOut({ input: {} });
    assert.deepEqual(await socket.closed(), { code: 4401, reason: 'SESSION_ENDED' });
    await within(stream.end, 'the end of the stream');
    const { appId, key: token } = await key(['profile:read']);
    const its = await RawSocket.open(world, token, 1);
    await ann.api.deleteApp({ input: { appId } });
    assert.equal((await world.sql('select from sessions where app_id = $1', [decodeId('App', appId)])).length, 0);
    assert.deepEqual(await its.closed(), { code: 4401, reason: 'SESSION_ENDED' });
  });

  it('one by a key that another has taken the place of is out when the old one ends, and no later', async () => {
    const { appId, key: token } = await key(['profile:read']);
    const { apiKey, key: other } = (await ann.api.createApiKey({ input: { appId, name: 'Another', idempotencyKey: world.key() } })).createApiKey;
    const [old, untouched] = [await RawSocket.open(world, token, 1), await RawSocket.open(world, other!, 1)];
    const keys = (await ann.api.app({ id: appId })).app!.apiKeys.edges.map(({ node }) => node.id);
    await ann.api.rotateApiKey({ input: { apiKeyId: keys.find((id) => id !== apiKey.id)!, overlapHours: 1, idempotencyKey: world.key() } });
    assert.equal(await asked(old, '{ viewer { user { id } } }'), 'ok');
    world.clock.advance(3_601_000);
    assert.deepEqual(await old.closed(), { code: 4401, reason: 'SESSION_ENDED' });
    assert.equal(await asked(untouched, '{ viewer { user { id } } }'), 'ok');
    untouched.close();
  });

  /** Resolves once an event stream at the second process stands. */
  function listening(token: string): Promise<{ end: Promise<void> }> {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      const sent = request(`${world.apps[1]!.url}/graphql`, { method: 'POST', headers }, (response) => {
        const end = new Promise<void>((over) => response.on('close', over));
        response.on('data', (chunk: Buffer) => chunk.includes('event: next') && resolve({ end }));
        response.on('error', () => undefined);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ query: 'subscription { inboxEvents { __typename } }' }));
    });
  }
});

describe('a voice whose session has ended', function () {
  this.timeout(30_000);
  const ether = new Ether();
  let media: MediaServer;
  let world: World;
  before(async () => {
    media = mediaServer();
    await media.start();
    world = await World.start({ bus: () => ether.node(), media: () => media });
    ether.fate = (topic) => (topic === 'sessions' ? [] : [0]);
  });
  after(async () => {
    await world?.stop();
    await media?.close();
  });

  it('is out, though nobody told of it', async () => {
    const [ann, bob] = await world.people('Ann', 'Bob');
    const callId = await startCall(world, ann, await world.directChat(ann, bob), { ring: false, kind: 'VOICE' });
    const voice = await VoiceClient.join(world, bob.accessToken, callId);
    await eventually(() => voice.is('ready') !== undefined, 'the voice is in');
    await bob.api.signOut({ input: {} });
    assert.deepEqual(await within(voice.closed, 'the end of the voice'), { code: 4401, reason: 'SESSION_ENDED' });
    await ann.api.endCall({ input: { callId } });
  });
});
