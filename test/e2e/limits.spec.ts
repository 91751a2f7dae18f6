import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { createClient } from 'graphql-sse';
import { getIntrospectionQuery } from 'graphql';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';
import { encodeId, newId } from '../../src/lib/ids.js';
import { post, raw } from '../testkit/raw.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { VoiceClient } from '../testkit/voice.js';

const nested = (depth: number): string => `query($id: ID!) { chat(id: $id) { ${'lastMessage { chat { '.repeat(depth)}id${' } }'.repeat(depth)} } }`;

describe('limits: one operation', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { MAX_QUERY_DEPTH: '9', MAX_QUERY_COST: '1000', RATE_LIMIT_COST: '100000' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  after(() => world.stop());
  const bearer = () => ({ authorization: `Bearer ${ann.accessToken}` });

  it('no deeper than MAX_QUERY_DEPTH, by fields or by fragments, over every transport', async () => {
    assert.equal((await post(world, { query: nested(3), variables: { id: chatId } }, bearer())).code, undefined);
    const deep = await post(world, { query: nested(4), variables: { id: chatId } }, bearer());
    assert.deepEqual([deep.status, deep.code, deep.json!.errors![0]!.extensions['depth'], deep.json!.errors![0]!.extensions['limit']], [400, 'QUERY_TOO_DEEP', 10, 9]);
    const hidden = `query($id: ID!) { chat(id: $id) { ...A } } fragment A on Chat { lastMessage { chat { ...B } } } fragment B on Chat { lastMessage { chat { lastMessage { chat { lastMessage { chat { id } } } } } } }`;
    assert.equal((await post(world, { query: hidden, variables: { id: chatId } }, bearer())).code, 'QUERY_TOO_DEEP');
    await fails(ann.client.subscribe(`subscription($id: ID!) { chatEvents(chatId: $id) { ... on MessageSent { message { ${'chat { lastMessage { '.repeat(4)}id${' } }'.repeat(4)} } } } }`, { id: chatId }).next(), 'QUERY_TOO_DEEP');
  });

  it('fragments that go in circles are an error, not an endless count', async () => {
    assert.equal((await post(world, { query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }' })).code, 'GRAPHQL_VALIDATION_FAILED');
  });

  it('the usual introspection is neither too deep nor too costly', async () => {
    const { json } = await post(world, { query: getIntrospectionQuery() });
    assert.equal(json!.errors, undefined);
    const { requested } = json!.extensions!['cost'] as { requested: number };
    assert.ok(requested > 500 && requested <= 1000, `${requested}`);
  });

  it('introspection that asks for all of it again and again is refused', async () => {
    const often = '{ a: __schema { types { ...T } } b: __schema { types { ...T } } c: __schema { types { ...T } } } fragment T on __Type { fields { name description args { name description type { name } } type { name ofType { name ofType { name } } } } }';
    assert.equal((await post(world, { query: `{ __schema { types { ${'abcdefghijkl'.split('').map((name) => `${name}: fields { name description type { name kind } }`).join(' ')} } } }` })).code, 'QUERY_TOO_COMPLEX');
    assert.equal((await post(world, { query: often })).code, 'QUERY_TOO_COMPLEX');
  });

  it('a text that is asked for under a thousand names counts as often', async () => {
    const query = `query($id: ID!) { chat(id: $id) { messages(first: 2) { edges { node { ${[...Array(600).keys()].map((index) => `t${index}: text`).join(' ')} } } } } }`;
    assert.equal((await post(world, { query, variables: { id: chatId } }, bearer())).code, 'QUERY_TOO_COMPLEX');
  });

  it('every answer tells its cost, and what is left', async () => {
    const costs = [];
    for (const first of [5, 50]) {
      const { json, headers } = await post(world, { query: 'query($id: ID!, $first: Int) { chat(id: $id) { messages(first: $first) { edges { node { sender { handle } } } } } }', variables: { id: chatId, first } }, bearer());
      costs.push(json!.extensions!['cost'] as { requested: number; limit: number; remaining: number });
      assert.match(headers.get('ratelimit')!, /^"cost";r=\d+;t=\d+$/);
      assert.equal(headers.get('ratelimit-policy'), '"cost";q=100000;w=60');
    }
    assert.deepEqual(costs.map(({ requested, limit }) => [requested, limit]), [[3 + 5 * 2, 1000], [3 + 50 * 2, 1000]]);
    assert.equal(costs[0]!.remaining - costs[1]!.remaining, costs[1]!.requested);
  });

  it('no costlier than MAX_QUERY_COST, by page sizes, aliases or nesting', async () => {
    const large = 'query($id: ID!) { chat(id: $id) { messages(first: 100) { edges { node { chat { messages(first: 100) { edges { node { id } } } } } } } } }';
    const refused = await post(world, { query: large, variables: { id: chatId } }, bearer());
    assert.deepEqual([refused.status, refused.code], [400, 'QUERY_TOO_COMPLEX']);
    assert.deepEqual(refused.json!.errors![0]!.extensions['cost'], { requested: 3 + 100 * (1 + 1 + 1 + 1 + 100), limit: 1000 });
    const aliased = `query($id: ID!) { ${[...Array(600).keys()].map((index) => `a${index}: chat(id: $id) { lastMessage { id } }`).join(' ')} }`;
    assert.equal((await post(world, { query: aliased, variables: { id: chatId } }, bearer())).code, 'QUERY_TOO_COMPLEX');
    const events = createClient({ url: `${world.app.url}/graphql`, retryAttempts: 0, headers: bearer() });
    const { value } = await events.iterate({ query: large, variables: { id: chatId } }).next();
    assert.equal((value as { errors: { extensions: { code: string } }[] }).errors[0]!.extensions.code, 'QUERY_TOO_COMPLEX');
  });

  it('a bomb of fragments is refused like any other', async () => {
    const levels = 3;
    const bomb = `query($id: ID!) { chat(id: $id) { ...F0 } } ${[...Array(levels).keys()].map((level) => `fragment F${level} on Chat { ${[...Array(40).keys()].map((index) => `a${index}: lastMessage { chat { ...F${level + 1} } }`).join(' ')} }`).join(' ')} fragment F${levels} on Chat { id }`;
    assert.equal((await post(world, { query: bomb, variables: { id: chatId } }, bearer())).code, 'QUERY_TOO_COMPLEX');
  });
});

describe('limits: a person’s minute', () => {
  let world: World;
  before(async () => (world = await World.start({ settings: { RATE_LIMIT_COST: '100' } })));
  after(() => world.stop());

  it('is spent by cost, over every transport together, and is nobody else’s', async () => {
    const [ann, bob] = await world.people('Ann', 'Bob');
    const chatId = await world.directChat(ann, bob);
    const read = (person: Person) => post(world, { query: 'query($id: ID!) { chat(id: $id) { messages(first: 20) { edges { node { sender { id } } } } } }', variables: { id: chatId } }, { authorization: `Bearer ${person.accessToken}` });
    assert.equal((await read(ann)).status, 200);
    assert.equal((await read(ann)).status, 200);
    const refused = await read(ann);
    assert.deepEqual([refused.status, refused.code], [429, 'RATE_LIMITED']);
    const wait = refused.json!.errors![0]!.extensions['retryAfter'] as number;
    assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60);
    assert.equal(refused.headers.get('retry-after'), String(wait));
    const socket = await RawSocket.open(world, ann.accessToken);
    socket.subscribe('1', 'subscription($id: ID!) { chatEvents(chatId: $id) { __typename } }', { id: chatId });
    assert.equal(((await socket.ended('1')).payload as { extensions: { code: string } }[])[0]!.extensions.code, 'RATE_LIMITED');
    socket.close();
    assert.equal((await read(bob)).status, 200);
  });
});

describe('limits: an address', () => {
  it('makes so many requests a minute, whatever is in them, connections among them', async () => {
    const world = await World.start({ settings: { RATE_LIMIT_ADDRESS: '12' } });
    try {
      const ann = await world.person('Ann');
      for (let request = 0; request < 10; request++) assert.equal((await post(world, { query: '{ broken' })).code, 'GRAPHQL_PARSE_FAILED');
      assert.equal((await post(world, { query: '{ __typename }' })).status, 200);
      const refused = await post(world, { query: '{ __typename }' });
      assert.deepEqual([refused.status, refused.code], [429, 'RATE_LIMITED']);
      const { status } = await upgrade(world.app.url);
      assert.match(status, /^HTTP\/1\.1 429 /);
      assert.equal(ann.handle, 'ann');
    } finally {
      await world.stop();
    }
  });
});

describe('limits: connections of one', () => {
  let world: World;
  before(async () => (world = await World.start({ settings: { MAX_SOCKETS_EACH: '3' } })));
  after(() => world.stop());

  it('person, and of whoever has not said who they are: others find room, and one that ends makes room', async () => {
    const [ann, bob] = await world.people('Ann', 'Bob');
    const listen = (person: Person) => raw(world, '/graphql', { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${person.accessToken}` }, body: JSON.stringify({ query: '{ __typename }' }) });
    const voice = async (person: Person) => (await VoiceClient.join(world, person.accessToken, encodeId('Call', newId()))).closed;
    const held = [await RawSocket.open(world, ann.accessToken), await RawSocket.open(world, ann.accessToken), await RawSocket.open(world, ann.accessToken)];
    assert.deepEqual(await RawSocket.connect(world, ann.accessToken).closed(), { code: 1013, reason: 'Too many connections of one person' });
    assert.match((await listen(ann)).text, /"code":"OVERLOADED"/);
    assert.deepEqual(await voice(ann), { code: 4503, reason: 'OVERLOADED' });
    // Whoever has said who they are holds no place of their address.
    const nobody = [await RawSocket.open(world, null), await RawSocket.open(world, null)];
    const other = await RawSocket.open(world, bob.accessToken);
    assert.match((await listen(bob)).text, /__typename/);
    assert.deepEqual(await voice(bob), { code: 4404, reason: 'NOT_FOUND' });
    nobody.push(await RawSocket.open(world, null));
    assert.match((await upgrade(world.app.url)).status, /^HTTP\/1\.1 429 /);
    const streamed = await listen(ann);
    assert.deepEqual([streamed.status, streamed.code], [429, 'RATE_LIMITED']);
    for (const socket of [...nobody, held[0]!]) socket.close();
    await Promise.all([...nobody, held[0]!].map((socket) => socket.closed()));
    const reopened = await RawSocket.open(world, ann.accessToken);
    for (const socket of [...held, reopened, other]) socket.close();
  });
});

describe('limits: documents that are new', () => {
  it('count by their length, before they are read, whether they turn out to be good; those that are known count as one request', async () => {
    const world = await World.start({ settings: { RATE_LIMIT_ADDRESS: '40' } });
    try {
      const long = (name: string) => `{ ${name} ${'# '.padEnd(9_000, 'x')}\n }`;
      assert.equal((await post(world, { query: long('__typename') })).status, 200);
      for (let request = 0; request < 5; request++) assert.equal((await post(world, { query: long('__typename') })).status, 200);
      assert.equal((await post(world, { query: long('nonsense') })).code, 'GRAPHQL_VALIDATION_FAILED');
      // 10 and 5 and 10 are spent.
      const socket = await RawSocket.open(world, null);
      socket.subscribe('1', long('viewer { __typename }'));
      assert.equal((await socket.ended('1')).type, 'complete');
      socket.subscribe('2', long('moreNonsense'));
      const { payload } = await socket.ended('2');
      assert.equal((payload as { extensions: { code: string } }[])[0]!.extensions.code, 'RATE_LIMITED');
      socket.close();
    } finally {
      await world.stop();
    }
  });
});

/** The status line of an attempt to open a WebSocket. */
async function upgrade(url: string): Promise<{ status: string }> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  socket.write(`GET /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return { status: chunk.toString().split('\r\n')[0]! };
}

describe('limits: across processes', function () {
  this.timeout(40_000);
  let redis: ChildProcess | null = null;
  let port = 0;
  let world: World;

  async function startRedis(): Promise<void> {
    const binary = process.env['TEST_REDIS_SERVER'];
    assert.ok(binary, 'This test stops and starts a redis-server: have one on the PATH.');
    redis = spawn(binary, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
    await eventually(async () => {
      const socket = createConnection(port, '127.0.0.1');
      return once(socket, 'connect').then(
        () => Boolean(socket.destroy()),
        () => false,
      );
    }, 'Redis answers');
  }
  async function stopRedis(): Promise<void> {
    redis!.kill('SIGKILL');
    await once(redis!, 'exit');
  }

  before(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    server.close();
    await startRedis();
    world = await World.start({ nodes: 2, settings: { REDIS_URL: `redis://127.0.0.1:${port}`, RATE_LIMIT_COST: '100' } });
  });
  after(async () => {
    await world?.stop();
    if (redis?.exitCode === null && redis.signalCode === null) await stopRedis();
  });

  const ready = (is: boolean) => eventually(() => world.apps.every((app) => app.container.rates.redisReady === is), `Redis is ${is ? 'there' : 'away'}`);

  it('people are counted together, and by each process while Redis is away', async () => {
    await ready(true);
    const ann = await world.person('Ann');
    const spend = (node: number) => post(world, { query: `{ ${[...Array(40).keys()].map((index) => `a${index}: viewer { eventCursor }`).join(' ')} }` }, { authorization: `Bearer ${ann.accessToken}` }, node);
    assert.deepEqual([(await spend(0)).status, (await spend(1)).status, (await spend(0)).status, (await spend(1)).status], [200, 200, 429, 429]);
    await stopRedis();
    await ready(false);
    const answers = [];
    for (const node of [0, 0, 0, 1, 1, 1]) answers.push((await within(spend(node), 'an answer without Redis', 2_000)).status);
    assert.deepEqual(answers, [200, 200, 429, 200, 200, 429]);
    await startRedis();
    await ready(true);
    assert.equal((await spend(0)).status, 200);
  });
});
