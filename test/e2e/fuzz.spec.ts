import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../src/lib/errors.js';
import { createLogger } from '../../src/lib/logger.js';
import type { MediaServer } from '../../src/media/media-server.js';
import { startCall } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { post, raw, type RawAnswer } from '../testkit/raw.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { VoiceClient } from '../testkit/voice.js';
import { Dice, mutate, WildDocuments } from '../testkit/wild-documents.js';
import { eventually, within, World, type Person } from '../testkit/world.js';

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
/** What the server calls a fault of its own, also where nobody was told: of a stream that was left, of a connection that was cut. */
const faults: string[] = [];
const log = createLogger('error', undefined, { write: (line) => void (line.includes('"errorId"') && faults.push(line)) });
const noFaults = () => assert.deepEqual(faults.splice(0), []);
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
    world = await World.start({ settings: { MAX_QUERY_COST: '5000' }, log });
    [ann, bob] = await world.people('Ann', 'Bob');
    const chatId = await world.groupChat(ann, [bob]);
    const { group } = (await ann.api.createGroup({ input: { name: 'A group', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key() } })).createGroup;
    ids = [ann.id, bob.id, chatId, (await world.say(ann, chatId, 'hello')).id, group.id, await world.directChat(ann, bob)];
  });
  after(() => world.stop());
  after(() => LONG && console.log('      tried:', tried));
  afterEach(async () => assert.equal((await raw(world, '/ready')).status, 200));
  afterEach(noFaults);

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
    let given = 0;
    let circles = 0;
    for (let count = 0; count < DOCUMENTS && Date.now() < end; count++) {
      tried.http++;
      const { query, variables } = wild.next();
      const headers = dice.chance(0.05) ? {} : bearer();
      const what = `${query} with ${JSON.stringify(variables)}`;
      const answer = await within(post(world, { query, variables }, headers), `the answer to ${what}`, STALL_MS);
      assert.ok(answer.json && [200, 400, 401, 403, 429].includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)} for ${what}`);
      judge(codesOf(answer), what);
      if (Object.keys(variables).length && !answer.code) given++;
      if (query.includes('...C') && answer.json.errors?.some(({ message }) => message.startsWith('Cannot spread fragment "C'))) circles++;
      met.set(answer.code ?? 'ok', (met.get(answer.code ?? 'ok') ?? 0) + 1);
      if (answer.code && ENDED.has(answer.code)) await signInAgain();
    }
    // That something came through, and something was refused: a generator that only makes nonsense would prove little.
    for (const code of ['ok', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED']) assert.ok(met.has(code), `no ${code} among ${JSON.stringify([...met])}`);
    assert.ok(met.size >= 6, JSON.stringify([...met]));
    // A slow machine does not come so far.
    assert.ok((given && circles) || tried.http < DOCUMENTS, `${given} documents with variables were answered, ${circles} refused for their circle`);
    if (LONG) console.log(Object.fromEntries(met));
  });

  it('random documents over a WebSocket: each is answered, and the connection stands', async () => {
    const wild = new WildDocuments(schema, dice, ids);
    const end = Date.now() + BUDGET_MS;
    await signInAgain();
    let socket = await RawSocket.open(world, ann.accessToken);
    for (let count = 0; count < DOCUMENTS && Date.now() < end; count++) {
      tried.webSocket++;
      const { query, kind, variables } = wild.next();
      const id = `d${count}`;
      socket.subscribe(id, query, variables);
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
      judge(errors.map(({ extensions }) => extensions?.code), `${query} with ${JSON.stringify(variables)}`);
    }
    socket.close();
  });

  it('random bodies, batches and queries of a GET', async () => {
    const wild = new WildDocuments(schema, dice, ids);
    await signInAgain();
    const answered = new Set<string>();
    for (; tried.bodies < DOCUMENTS / 5; tried.bodies++) {
      const operation = () => ({ ...(dice.chance(0.35) ? { query: '{ viewer { user { id } } }', variables: {} } : wild.next()), ...(dice.chance(0.3) ? { variables: { a: [1, { b: null }] } } : {}), operationName: dice.chance(0.2) ? 'X' : null });
      const batch = dice.chance(0.3);
      const given = batch ? Array.from({ length: 1 + dice.below(200) }, operation) : operation();
      const good = JSON.stringify(given);
      const headers = { 'content-type': dice.of(['application/json', 'application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/graphql', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16']), ...bearer(), accept: dice.of(['application/json', 'text/event-stream', '*/*', 'multipart/mixed', '']), ...(dice.chance(0.7) ? { 'apollo-require-preflight': '1' } : {}) };
      // A stream stays open: its beginning is enough, and the log tells of what went wrong in it.
      const leaving = new AbortController();
      const { signal } = leaving;
      const byGet = dice.chance(0.3);
      const body = dice.chance(0.5) ? Buffer.from(good) : mutate(dice, Buffer.from(good));
      const search = new URLSearchParams(Object.entries(Array.isArray(given) || dice.chance(0.2) ? { query: good } : { query: given.query, variables: JSON.stringify(given.variables) })).toString();
      const asked = byGet ? fetch(`${world.app.url}/graphql?${search.slice(0, 15_000)}`, { headers, signal }) : fetch(`${world.app.url}/graphql`, { method: 'POST', headers, body: new Uint8Array(body), signal });
      const what = `${byGet ? `GET ${search}` : body.toString()} as ${headers['content-type']}`;
      const answer = await within(asked, `the answer to ${what}`, STALL_MS);
      const streams = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
      const text = streams ? '' : await within(answer.text(), `the end of the answer to ${what}`, STALL_MS);
      leaving.abort();
      assert.ok(answer.status < 500, `${answer.status} ${text.slice(0, 300)} for ${what}`);
      assert.ok(!text.includes('"INTERNAL"'), `${text.slice(0, 1_000)} for ${what}`);
      if (/"(UNAUTHENTICATED|SESSION_ENDED)"/.test(text)) await signInAgain();
      answered.add(`${batch ? 'batch' : byGet ? 'get' : 'post'} ${streams ? 'stream' : text.includes('"data"') ? 'data' : 'refused'}`);
    }
    for (const one of ['batch refused', 'get refused', 'post refused']) assert.ok(answered.has(one), `no ${one} among ${[...answered].join()}`);
    assert.ok(answered.has('post data') || answered.has('get data'), `nothing came through: ${[...answered].join()}`);
  });

  it('connections of random bytes and spoiled frames to each socket', async () => {
    const upgrade = upgradeOf('/graphql', 'Sec-WebSocket-Protocol: graphql-transport-ws\r\n');
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

/** People without WebRTC: what they send comes before they have said who they are, or goes to the call's media. */
describe(`whatever is sent to the socket of voices (FUZZ_SEED=${SEED})`, function () {
  this.timeout(BUDGET_MS + 60_000);
  let media: MediaServer;
  let world: World;
  let bob: Person;
  let callId: string;
  const dice = new Dice(SEED);
  before(async () => {
    media = mediaServer();
    await media.start();
    world = await World.start({ media: () => media, log });
    const [ann, other] = await world.people('Ann', 'Bob');
    bob = other;
    callId = await startCall(world, ann, await world.groupChat(ann, [bob]), { ring: false, kind: 'VOICE' });
  });
  after(async () => {
    await world?.stop();
    await media?.close();
  });
  afterEach(noFaults);

  it('random frames, before somebody joins and after', async () => {
    const upgrade = upgradeOf('/voice');
    const join = () => JSON.stringify({ type: 'join', callId, authorization: `Bearer ${bob.accessToken}`, takeOver: true });
    const some = () => dice.of([
      () => frame(dice, Buffer.concat([Buffer.from([dice.below(256)]), dice.bytes(dice.below(400))]), dice.of([2, 2, 2, 1, 0, 8, 9, 10, dice.below(16)])),
      () => frame(dice, dice.of(['{"type":"mute"}', '{"type":"unmute"}', '{"type":"join"}', '{}', 'null', '[]', 'x'.repeat(9_000)])),
      () => mutate(dice, frame(dice, '{"type":"mute"}')),
      () => mutate(dice, frame(dice, Buffer.from([20, 0xf8, 0xff, 0xfe, 1]), 2)),
      () => dice.bytes(1 + dice.below(300)),
    ])();
    const met = { early: 0, ready: 0, refused: 0 };
    const end = Date.now() + BUDGET_MS;
    for (let count = 0; count < PACKETS && Date.now() < end; count++) {
      const frames = Array.from({ length: 1 + dice.below(30) }, some);
      const early = dice.chance(0.4);
      const what = `${early ? 'before' : 'after'} joining: ${Buffer.concat(frames).toString('base64')}`;
      const sent = early ? [upgrade, dice.chance(0.5) ? mutate(dice, frame(dice, join())) : Buffer.concat(frames)] : [upgrade, frame(dice, join())];
      const heard = await within(speak(new URL(world.app.url), sent, early ? null : { after: '"type":"ready"', parts: frames }), `the end of a connection that sent, ${what}`, STALL_MS);
      assert.match(heard, /^HTTP\/1\.1 101 /, what);
      assert.ok(!heard.includes('INTERNAL'), `${heard} for what was sent ${what}`);
      if (early) met.early++;
      if (heard.includes('"type":"ready"')) met.ready++;
      if (heard.includes('"BAD_FRAME"')) met.refused++;
    }
    if (LONG) console.log('      tried:', met);
    // Nothing of it would be shown by those who were never let in.
    assert.ok(met.early && met.ready && met.refused, JSON.stringify(met));
    const voice = await VoiceClient.join(world, bob.accessToken, callId, { takeOver: true });
    await eventually(() => voice.is('ready') !== undefined, 'whoever sends what is right is heard');
    assert.equal((await raw(world, '/ready')).status, 200);
    assert.equal(media.state().state, 'ready');
  });
});

const upgradeOf = (path: string, more = ''): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`);

/** A masked frame, as a client sends it; of text, unless told. */
function frame(dice: Dice, data: string | Buffer, opcode = 1): Buffer {
  const body = Buffer.from(data as string);
  const mask = dice.bytes(4);
  const masked = body.map((byte, index) => byte ^ mask[index % 4]!);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, masked]);
}

/** Sends parts one after the other, and more once it has heard something; what was answered until the connection closed, or fell silent. */
function speak(url: URL, parts: readonly Buffer[], more: { after: string; parts: readonly Buffer[] } | null = null): Promise<string> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    let waiting = more;
    const socket = createConnection(Number(url.port), url.hostname);
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(heard).toString('latin1'));
    };
    const sendMore = () => {
      if (!waiting || !Buffer.concat(heard).includes(waiting.after)) return;
      for (const part of waiting.parts) socket.write(part);
      waiting = null;
      socket.setTimeout(250);
    };
    // A seat takes its time to be taken.
    socket.setTimeout(more ? STALL_MS / 2 : 250, done);
    socket.on('error', done).on('close', done).on('data', (bytes) => {
      heard.push(bytes);
      sendMore();
    });
    socket.on('connect', () => {
      for (const part of parts) socket.write(part);
    });
  });
}
