import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../src/lib/errors.js';
import { post, raw, type RawAnswer } from '../testkit/raw.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { Dice, mutate, WildDocuments } from '../testkit/wild-documents.js';
import { within, World, type Person } from '../testkit/world.js';

const LONG = process.env['FUZZ'] === 'long';
/** The suite takes the same road each time; the long form another one each time. */
const SEED = Number(process.env['FUZZ_SEED'] ?? (LONG ? Math.floor(Math.random() * 2 ** 31) : 1));
/** How many tries of each kind at the most, and how long they may go on for. */
const DOCUMENTS = LONG ? 30_000 : 500;
const PACKETS = LONG ? 5_000 : 120;
const BUDGET_MS = LONG ? 240_000 : 12_000;
/** An answer that takes longer than that is a stall. */
const STALL_MS = 8_000;
const ENDED = new Set(['UNAUTHENTICATED', 'SESSION_ENDED', 'TOKEN_EXPIRED']);
const codes = new Set<string>(ERROR_CODES);
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));

/** `npm run fuzz` is the long form; FUZZ_SEED repeats what a run has found. */
describe(`whatever is sent (FUZZ_SEED=${SEED})`, function () {
  this.timeout(BUDGET_MS + 60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let ids: string[];
  const dice = new Dice(SEED);
  const tried = { http: 0, webSocket: 0, bodies: 0, connections: 0 };

  before(async () => {
    world = await World.start({ settings: { MAX_QUERY_COST: '5000' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    const chatId = await world.groupChat(ann, [bob]);
    const { group } = (await ann.api.createGroup({ input: { name: 'A group', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key() } })).createGroup;
    ids = [ann.id, bob.id, chatId, (await world.say(ann, chatId, 'hello')).id, group.id, await world.directChat(ann, bob)];
  });
  after(() => world.stop());
  after(() => LONG && console.log('      tried:', tried));
  afterEach(async () => assert.equal((await raw(world, '/ready')).status, 200));

  /** Some documents end the session of whoever sends them. */
  const signInAgain = async () => {
    const { signIn } = await world.client().api.signIn({ input: { email: 'ann@example.com', password: 'password of ann' } });
    ann.accessToken = signIn.accessToken;
  };
  const bearer = () => ({ authorization: `Bearer ${ann.accessToken}` });

  function judge(codesMet: (string | undefined)[], what: string): void {
    for (const code of codesMet) assert.ok(code !== undefined && codes.has(code) && code !== 'INTERNAL', `${code} for ${what}`);
  }
  const codesOf = (answer: RawAnswer) => (answer.json?.errors ?? []).map(({ extensions }) => extensions?.code);

  it('random documents over HTTP: no fault of ours, no stall', async () => {
    const wild = new WildDocuments(schema, dice, ids);
    const end = Date.now() + BUDGET_MS;
    const met = new Map<string, number>();
    for (let count = 0; count < DOCUMENTS && Date.now() < end; count++) {
      tried.http++;
      const { query } = wild.next();
      const headers = dice.chance(0.05) ? {} : bearer();
      const answer = await within(post(world, { query }, headers), `the answer to ${query}`, STALL_MS);
      assert.ok(answer.json && [200, 400, 401, 403, 429].includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)} for ${query}`);
      judge(codesOf(answer), query);
      met.set(answer.code ?? 'ok', (met.get(answer.code ?? 'ok') ?? 0) + 1);
      if (answer.code && ENDED.has(answer.code)) await signInAgain();
    }
    // That something came through, and something was refused: a generator that only makes nonsense would prove little.
    for (const code of ['ok', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED']) assert.ok(met.has(code), `no ${code} among ${JSON.stringify([...met])}`);
    assert.ok(met.size >= 6, JSON.stringify([...met]));
    if (LONG) console.log(Object.fromEntries(met));
  });

  it('random documents over a WebSocket: each is answered, and the connection stands', async () => {
    const wild = new WildDocuments(schema, dice, ids);
    const end = Date.now() + BUDGET_MS;
    await signInAgain();
    let socket = await RawSocket.open(world, ann.accessToken);
    for (let count = 0; count < DOCUMENTS && Date.now() < end; count++) {
      tried.webSocket++;
      const { query, kind } = wild.next();
      const id = `d${count}`;
      socket.subscribe(id, query);
      // A stream may have nothing to say: asked to end, it is left behind by the next answer.
      if (kind === 'subscription') {
        socket.send({ id, type: 'complete' });
        socket.subscribe(`${id}-then`, '{ __typename }');
      }
      const ended = await Promise.race([socket.ended(kind === 'subscription' ? `${id}-then` : id, STALL_MS), socket.closed().catch(() => null)]);
      if (ended && 'code' in ended) {
        // Only the end of the session closes a connection.
        assert.ok([4401, 4403, 4408].includes(ended.code), `closed with ${ended.code} ${ended.reason} by ${query}`);
        await signInAgain();
        socket = await RawSocket.open(world, ann.accessToken);
        continue;
      }
      const said = socket.messages.splice(0).filter((message) => message.id === id);
      const errors = said.flatMap(({ type, payload }) => (type === 'error' ? (payload as { extensions?: { code: string } }[]) : ((payload as { errors?: { extensions?: { code: string } }[] } | undefined)?.errors ?? [])));
      judge(errors.map(({ extensions }) => extensions?.code), query);
    }
    socket.close();
  });

  it('random bodies, batches and queries of a GET', async () => {
    const wild = new WildDocuments(schema, dice, ids);
    for (; tried.bodies < DOCUMENTS / 10; tried.bodies++) {
      const good = JSON.stringify(dice.chance(0.3) ? Array.from({ length: 1 + dice.below(200) }, () => ({ query: '{ viewer { user { id } } }' })) : { query: wild.next().query, variables: { a: [1, { b: null }] }, operationName: dice.chance(0.2) ? 'X' : null });
      const headers = { 'content-type': dice.of(['application/json', 'application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/graphql', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16']), ...bearer(), accept: dice.of(['application/json', 'text/event-stream', '*/*', 'multipart/mixed', '']) };
      // A stream stays open: its beginning is enough.
      const leaving = new AbortController();
      const answer = fetch(dice.chance(0.2) ? `${world.app.url}/graphql?query=${encodeURIComponent(good)}` : `${world.app.url}/graphql`, dice.chance(0.2) ? { headers, signal: leaving.signal } : { method: 'POST', headers, body: new Uint8Array(mutate(dice, Buffer.from(good))), signal: leaving.signal });
      const { status } = await within(answer, `the answer to ${good}`, STALL_MS);
      leaving.abort();
      assert.ok(status < 500, `${status} for ${good}`);
    }
  });

  it('connections of random bytes and spoiled frames to each socket', async () => {
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const upgrade = Buffer.from(`GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`);
    const hello = frame(dice, JSON.stringify({ type: 'connection_init', payload: bearer() }));
    const operation = frame(dice, JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ viewer { user { id } } }' } }));
    const body = '{"query":"{ __typename }"}';
    const good = [
      Buffer.from(`POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      Buffer.from(`POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`),
      Buffer.from(`GET /graphql?query=subscription%7BinboxEvents%7B__typename%7D%7D HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nApollo-Require-Preflight: 1\r\nAuthorization: ${bearer().authorization}\r\n\r\n`),
      Buffer.from('PUT /uploads/0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa/1?s=abc HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd'),
      Buffer.from('GET /files/0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa?s=abc HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3,9-\r\n\r\n'),
      Buffer.from('POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\n\r\ngrant_type=authorization_code'),
      upgrade,
    ];
    const files = new URL((await ann.api.createUpload({ input: { name: 'x', contentType: 'text/plain', bytes: 4, sha256: 'ab'.repeat(32), idempotencyKey: world.key() } }).catch(async () => {
      await signInAgain();
      return world.client(ann.accessToken).api.createUpload({ input: { name: 'x', contentType: 'text/plain', bytes: 4, sha256: 'ab'.repeat(32), idempotencyKey: world.key() } });
    })).createUpload.upload!.url!);
    for (const url of [new URL(world.app.url), files]) {
      const end = Date.now() + BUDGET_MS / 2;
      for (let count = 0; count < PACKETS && Date.now() < end; count++) {
        tried.connections++;
        const sent = dice.chance(0.4) ? [upgrade, mutate(dice, Buffer.concat([hello, operation]))] : [dice.chance(0.2) ? dice.bytes(1 + dice.below(500)) : mutate(dice, dice.of(good))];
        const heard = await within(speak(url, sent), `the end of a connection that sent ${Buffer.concat(sent).toString('latin1')}`, STALL_MS);
        assert.ok(!/^HTTP\/1\.1 5\d\d/.test(heard) || /^HTTP\/1\.1 50[15] /.test(heard), `${heard.slice(0, 300)} for ${Buffer.concat(sent).toString('latin1')}`);
        assert.ok(!heard.includes('INTERNAL'), heard);
      }
    }
    assert.equal((await post(world, { query: '{ __typename }' })).status, 200);
  });
});

/** A masked text frame, as a client sends it. */
function frame(dice: Dice, text: string): Buffer {
  const body = Buffer.from(text);
  const mask = dice.bytes(4);
  const masked = body.map((byte, index) => byte ^ mask[index % 4]!);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([0x81, ...length]), mask, masked]);
}

/** Sends parts one after the other, then its end; what was answered until the connection closed, or fell silent. */
function speak(url: URL, parts: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = createConnection(Number(url.port), url.hostname);
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(heard).toString('latin1'));
    };
    socket.setTimeout(250, done);
    socket.on('error', done).on('close', done).on('data', (bytes) => heard.push(bytes));
    socket.on('connect', () => {
      for (const part of parts) socket.write(part);
    });
  });
}
