import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { WebSocket } from 'ws';
import { eventually, within, World, type Person } from '../testkit/world.js';
import { post, raw } from '../testkit/raw.js';

const INIT = { type: 'connection_init' };
const PROTOCOL = 'graphql-transport-ws';

describe('malformed messages', () => {
  let world: World;
  let ann: Person;
  before(async () => {
    world = await World.start({ settings: { MAX_SUBSCRIPTIONS: '5' } });
    ann = await world.person('Ann');
  });
  afterEach(() => eventually(() => world.app.serving.sockets.connections === 0, 'no connection is left'));
  after(() => world.stop());

  const url = () => `${world.app.url.replace('http', 'ws')}/graphql`;
  const bearer = () => ({ authorization: `Bearer ${ann.accessToken}` });

  /** Sends messages one after the other; the messages that came back, and how it was closed. */
  async function talk(messages: (object | string | Buffer)[], { protocol = PROTOCOL, answers = 0 } = {}): Promise<{ code: number; reason: string; heard: Record<string, unknown>[] }> {
    const socket = new WebSocket(url(), protocol);
    const heard: Record<string, unknown>[] = [];
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data)) as Record<string, unknown>);
      if (answers && heard.length === answers) socket.close(1000);
    });
    await once(socket, 'open');
    for (const [index, message] of messages.entries()) {
      // Where answers are wanted, the greeting is waited for.
      if (index === 1 && answers) await eventually(() => heard.length > 0, 'the acknowledgement');
      socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    }
    const [code, reason] = await within(closed, `the end of the connection; heard ${JSON.stringify(heard)}`);
    return { code, reason: reason.toString(), heard };
  }
  const subscribe = (id: string, query: unknown, rest: object = {}) => ({ id, type: 'subscribe', payload: { query, ...rest } });

  it('each violation of the protocol closes the connection with its own code', async () => {
    const cases: [string, (object | string | Buffer)[], number][] = [
      ['no JSON', ['{'], 4400],
      ['no object', ['[]'], 4400],
      ['null', ['null'], 4400],
      ['a number', ['1'], 4400],
      ['an empty message', [''], 4400],
      ['a binary frame', [Buffer.from(JSON.stringify(INIT))], 4400],
      ['no type', [{}], 4400],
      ['an unknown type', [{ type: 'start' }], 4400],
      ['a server’s type', [{ type: 'connection_ack' }], 4400],
      ['a payload that is no object', [{ type: 'connection_init', payload: 'token' }], 4400],
      ['no id', [INIT, { type: 'subscribe', payload: { query: '{ __typename }' } }], 4400],
      ['an empty id', [INIT, subscribe('', '{ __typename }')], 4400],
      ['no payload', [INIT, { id: '1', type: 'subscribe' }], 4400],
      ['a query that is a number', [INIT, subscribe('1', 7)], 4400],
      ['variables that are a list', [INIT, subscribe('1', '{ __typename }', { variables: [] })], 4400],
      ['an operation before the acknowledgement', [subscribe('1', '{ __typename }')], 4401],
      ['a forged token', [{ type: 'connection_init', payload: { authorization: 'Bearer a.b.c' } }], 4401],
      ['a token that is no string', [{ type: 'connection_init', payload: { authorization: { a: 1 } } }], 4401],
      ['a second greeting', [INIT, INIT], 4429],
      ['a message that is too large', [INIT, subscribe('1', `{ __typename } # ${'x'.repeat(3_000_000)}`)], 1009],
      ['deep JSON', [INIT, `${'['.repeat(100_000)}${']'.repeat(100_000)}`], 4400],
    ];
    for (const [what, messages, code] of cases) {
      const ended = await talk(messages).catch((error: Error) => assert.fail(`${what}: ${error.message}`));
      assert.equal(ended.code, code, what);
    }
  });

  it('an id that is in use is refused', async () => {
    const listen = subscribe('same', 'subscription { inboxEvents { __typename } }');
    const socket = new WebSocket(url(), PROTOCOL);
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    await once(socket, 'open');
    socket.send(JSON.stringify({ ...INIT, payload: bearer() }));
    await once(socket, 'message');
    socket.send(JSON.stringify(listen));
    socket.send(JSON.stringify(listen));
    const [second, why] = await closed;
    assert.deepEqual([second, why.toString()], [4409, 'Subscriber for same already exists']);
  });

  it('who never greets is closed, and who speaks another protocol', async () => {
    assert.equal((await talk([])).code, 4408);
    const other = new WebSocket(url(), 'graphql-ws');
    const [error] = (await within(once(other, 'error'), 'the refusal')) as [Error];
    assert.match(error.message, /no subprotocol/);
  }).timeout(20_000);

  it('what is wrong with one operation ends that operation alone', async () => {
    const { code, heard } = await talk(
      [
        INIT,
        subscribe('1', '{ nothing }'),
        subscribe('2', 'subscription { inboxEvents { __typename } }'),
        subscribe('3', '{ __typename }', { operationName: 'Other' }),
        subscribe('4', '{ __typename }'),
        { type: 'ping', payload: { at: 1 } },
        { id: 'never', type: 'complete' },
      ],
      { answers: 7 }, // with the acknowledgement
    );
    assert.equal(code, 1000);
    const of = (id: string) => heard.filter((message) => message['id'] === id);
    const codeOf = (id: string) => (of(id)[0]!['payload'] as { extensions: { code: string } }[])[0]!.extensions.code;
    assert.deepEqual([codeOf('1'), codeOf('2'), codeOf('3')], ['GRAPHQL_VALIDATION_FAILED', 'UNAUTHENTICATED', 'BAD_REQUEST']);
    assert.deepEqual(heard.find(({ type }) => type === 'pong'), { type: 'pong', payload: { at: 1 } });
    assert.deepEqual(of('4').map(({ type }) => type), ['next', 'complete']);
  });

  it('no more operations than MAX_SUBSCRIPTIONS run on one connection', async () => {
    const streams = [...Array(6)].map(() => ann.client.inboxEvents());
    const ends = await Promise.allSettled(streams.map((stream) => within(stream.next(), 'an answer')));
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code: string }).code] : []));
    assert.deepEqual(refused, ['LIMIT_REACHED']);
    for (const stream of streams) stream.close();
    await ann.client.close();
    ann.client = world.client(ann.accessToken);
    ann.api = ann.client.api;
  });

  it('frames that break RFC 6455 end the connection, not the server', async () => {
    const { hostname, port } = new URL(world.app.url);
    const frames: [string, Buffer][] = [
      ['an unmasked frame', Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
      ['a reserved bit', Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
      ['a reserved opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
      ['a length beyond all bounds', Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
      ['invalid UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])],
      ['a continuation of nothing', Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
    ];
    // Also of a connection that is being refused, which speaks nothing that the server knows.
    for (const protocols of [`Sec-WebSocket-Protocol: ${PROTOCOL}\r\n`, '']) {
      for (const [what, frame] of frames) {
        const socket = createConnection(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.write(`GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${protocols}\r\n`);
        await once(socket, 'data');
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.write(frame);
        socket.resume();
        await within(closed, `the end after ${what}`);
      }
    }
    assert.equal((await post(world, { query: '{ __typename }' })).status, 200);
  });

  it('requests that break HTTP end their connection, not the server', async () => {
    const { hostname, port } = new URL(world.app.url);
    for (const text of ['nonsense\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n']) {
      const socket = createConnection(Number(port), hostname);
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(text);
      socket.resume();
      await within(closed, 'the end of the connection');
    }
    assert.equal((await post(world, { query: '{ __typename }' })).status, 200);
  });

  it('values that no variable may have are refused by code, and nothing changes', async () => {
    const state = () => world.sql('select (select count(*) from messages)::int as messages, (select count(*) from chats)::int as chats, (select count(*) from users)::int as users');
    const before = await state();
    const make = 'mutation($input: CreateChatInput!) { createChat(input: $input) { chat { id } } }';
    const page = 'query($id: ID!, $first: Int) { chat(id: $id) { messages(first: $first) { pageInfo { endCursor } } } }';
    const id = 'cht_00000000000000000000000000000000';
    const input = { kind: 'GROUP', memberIds: [], title: 'x', idempotencyKey: 'k' };
    const cases: [string, string, Record<string, unknown>, string][] = [
      ['an unknown enum value', make, { input: { ...input, kind: 'CIRCLE' } }, 'INVALID_INPUT'],
      ['an unknown field', make, { input: { ...input, admin: true } }, 'INVALID_INPUT'],
      ['a missing field', make, { input: { kind: 'GROUP', memberIds: [] } }, 'INVALID_INPUT'],
      ['null for what may not be', make, { input: null }, 'INVALID_INPUT'],
      ['a list where one is wanted', make, { input: [[input]] }, 'INVALID_INPUT'],
      ['a number beyond 32 bits', page, { id, first: 2 ** 31 }, 'INVALID_INPUT'],
      ['a fraction', page, { id, first: 1.5 }, 'INVALID_INPUT'],
      ['a number as text', page, { id, first: '5' }, 'INVALID_INPUT'],
      ['a null byte in an id', page, { id: 'cht_\u0000' }, 'INVALID_ID'],
      ['an id of another type', page, { id: ann.id }, 'INVALID_ID'],
      ['an object for an id', page, { id: { $ne: null } }, 'INVALID_INPUT'],
    ];
    for (const [what, query, variables, code] of cases) {
      const answer = await post(world, { query, variables }, bearer());
      assert.equal(answer.code, code, what);
      assert.ok(!JSON.stringify(answer.json!.data ?? null).includes('id"'), what);
    }
    assert.deepEqual(await state(), before);
  });

  it('documents that are made to hurt are refused', async () => {
    const cases: [string, string, string][] = [
      ['too many tokens', `{ ${'a '.repeat(11_000)} }`, 'GRAPHQL_PARSE_FAILED'],
      ['too long', `{ __typename } # ${'x'.repeat(120_000)}`, 'BAD_REQUEST'],
      ['nested without end', `${'{ viewer '.repeat(3_000)}${' }'.repeat(3_000)}`, 'QUERY_TOO_DEEP'],
      ['lists in lists', `{ chat(id: ${'['.repeat(100)}${']'.repeat(100)}) { id } }`, 'GRAPHQL_VALIDATION_FAILED'],
      ['a null byte', '{ __typename \u0000 }', 'GRAPHQL_PARSE_FAILED'],
      ['a lone surrogate', '{ user(id: "\ud800") { id } }', 'GRAPHQL_PARSE_FAILED'],
      ['introspection in circles', `{ __schema { types ${'{ fields { type '.repeat(8)}{ name }${' } }'.repeat(8)} } }`, 'GRAPHQL_VALIDATION_FAILED'],
    ];
    for (const [what, query, code] of cases) {
      const answer = await post(world, { query }, bearer());
      assert.equal(answer.code, code, `${what}: ${answer.text.slice(0, 300)}`);
    }
  });

  it('JSON that is nested without end is refused', async () => {
    const deep = `{"query":"{ __typename }","variables":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
    const answer = await post(world, deep, bearer());
    assert.ok([200, 400].includes(answer.status), String(answer.status));
    assert.equal((await raw(world, '/ready')).status, 200);
  });
});
