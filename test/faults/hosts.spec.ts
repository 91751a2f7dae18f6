import assert from 'node:assert/strict';
import { OmniTalk, OmniTalkError, type PresenceEvent, type TypingEvent } from '../../sdk/index.js';
import { Balancer } from '../testkit/balancer.js';
import { Seat } from '../testkit/calls.js';
import { Hosts } from '../testkit/hosts.js';
import { again, assertLossless, lasting, signUp, Witness, Writer, type Caller } from '../testkit/lossless.js';
import { workerBinary } from '../testkit/media.js';
import { PostgresProcess } from '../testkit/postgres-process.js';
import { RedisProcess, ServerProcess } from '../testkit/processes.js';
import { Relay } from '../testkit/relay.js';
import { eventually, fails, take, within } from '../testkit/world.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const uuidOf = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const APIS = ['api1', 'api2', 'api3'] as const;
/** That one address may make in 10 minutes, by all nodes together. */
const ATTEMPTS = 40;
/** Within which a message arrives through PostgreSQL, on a machine that is busy. */
const SLOWER_MS = 2_500;
/** Between comparisons with the database, as seldom as may be: what arrives within `SLOWER_MS` was told of, and not found out. */
const RECONCILE_S = 60;
/** Of every piece that goes between the third node and Redis, while that way is slow. */
const SLOW_MS = 150;
const TOKEN = 'metrics-of-a-test';

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** Three API nodes, a PostgreSQL and a Redis, each a host with an address of its own, behind a balancer that knows nothing. */
describe('three nodes on hosts of their own', function () {
  this.timeout(lasting(180_000, 600_000));
  let hosts: Hosts;
  let postgres: PostgresProcess;
  let redis: RedisProcess;
  let slowRedis: Relay;
  let balancer: Balancer;
  const servers: ServerProcess[] = [];
  const people: Caller[] = [];
  const guests: OmniTalk[] = [];
  /** Dave's other device, at the third node. */
  let lost: { sessionId: string; client: OmniTalk };
  let chatId: string;
  /** In which nobody writes but who measures: nothing else there shows a node that it has missed something. */
  let quietId: string;

  before(async () => {
    hosts = await Hosts.start([...APIS, 'db', 'redis']);
    [postgres, redis] = await Promise.all([PostgresProcess.start({ place: hosts.place('db') }), RedisProcess.start(hosts.place('redis'))]);
    // The third reaches Redis by a line that can be slow.
    slowRedis = await Relay.start(redis.port, { address: hosts.here, targetAddress: hosts.place('redis').address });
    for (const name of APIS) {
      const place = hosts.place(name);
      const env = {
        DATABASE_URL: postgres.url, REDIS_URL: name === 'api3' ? `redis://${hosts.here}:${slowRedis.port}` : redis.url, DATABASE_POOL: '6', RATE_LIMIT_AUTH: String(ATTEMPTS), HEARTBEAT: '1', RECONCILE: String(RECONCILE_S), METRICS_TOKEN: TOKEN,
        CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_LISTEN_IP: place.address, MEDIASOUP_WORKER_BIN: workerBinary(), LEARNING: 'false', NEWS: 'false', MODERATION: 'false', BOTS: 'false',
      };
      servers.push(await ServerProcess.start(env, { place, port: 4000 }));
    }
    balancer = await Balancer.start(hosts.here, servers.map((server, index) => ({ host: hosts.place(APIS[index]!).address, port: server.port })));
    for (const name of ['Ann', 'Bob', 'Carol', 'Dave']) people.push(await signUp(balancer.url, name));
    const anonymous = new OmniTalk({ url: balancer.url });
    const { signIn } = await anonymous.api.signIn({ input: { email: 'dave@example.com', password: 'password of dave', device: 'lost' } });
    await anonymous.close();
    lost = { sessionId: signIn.session.id, client: new OmniTalk({ url: servers[2]!.url, accessToken: signIn.accessToken }) };
    guests.push(lost.client);
    const [ann, ...others] = people as [Caller, ...Caller[]];
    const group = async (title: string) => (await ann.client.api.createChat({ input: { kind: 'GROUP', title, memberIds: others.map(({ id }) => id), idempotencyKey: title } })).createChat.chat.id;
    [chatId, quietId] = [await group('All'), await group('Quiet')];
  });
  after(async () => {
    for (const client of [...guests, ...people.map((person) => person.client)]) await client.close();
    await hosts?.mendAll();
    await balancer?.close();
    for (const server of servers) await server.end('SIGKILL');
    await slowRedis?.close();
    await redis?.close();
    await postgres?.close();
    await hosts?.close();
  });

  const head = async () => Number((await postgres.sql<{ head: string }>('select head from streams where id = $1', 'omnitalk', [`chat:${uuidOf(chatId)}`]))[0]!.head);
  const cursor = async () => (await people[3]!.client.api.chat({ id: chatId })).chat!.eventCursor;
  const health = async (node: number) => (await (await fetch(servers[node]!.url.replace('/graphql', '/health'), { headers: { connection: 'close' } })).json()) as Record<string, unknown>;
  /** Participants whose media each host carries. */
  const peers = async () =>
    Promise.all(
      servers.map(async ({ url }) => {
        const text = await (await fetch(url.replace('/graphql', '/metrics'), { headers: { authorization: `Bearer ${TOKEN}`, connection: 'close' } })).text();
        return Number(/^omnitalk_media_peers (\d+)$/m.exec(text)![1]);
      }),
    );
  const buses = async () => Promise.all([0, 1, 2].map(async (node) => (await health(node))['bus']));
  /** A person at one node, past the balancer. */
  const at = (person: number, node: number): Caller => {
    const caller = again(people[person]!, servers[node]!.url);
    guests.push(caller.client);
    return caller;
  };

  /** Writes at two nodes, listens at all three and by the balancer, and looks at what each has seen. */
  async function under(fault: () => Promise<void>, ms = lasting(500, 10_000)): Promise<{ writers: Writer[] }> {
    const [from, start] = [await head(), await cursor()];
    const [ann, bob, carol] = [at(0, 0), at(1, 1), at(2, 2)];
    const own = (await carol.client.api.viewer()).viewer!.eventCursor;
    const witnesses = [Witness.ofChat(ann, chatId, start), Witness.ofChat(bob, chatId, start), Witness.ofInbox(carol, [own, start]), Witness.ofChat(people[3]!, chatId, start)];
    const writers = [new Writer(at(0, 0), chatId, `ann ${from}`).start(), new Writer(at(2, 2), chatId, `carol ${from}`).start(), new Writer(people[1]!, chatId, `bob ${from}`).start()];
    try {
      await pause(300);
      await fault();
      await pause(ms);
      await hosts.mendAll();
      await Promise.all(writers.map((writer) => writer.stop()));
      await assertLossless(chatId, from, head, witnesses, writers);
    } catch (error) {
      const states = await Promise.all(servers.map(async (server, node) => `node ${node}: ${JSON.stringify(await health(node).catch(String))}, ${server.state}`));
      throw new Error([(error as Error).message, ...states].join('\n'), { cause: error });
    } finally {
      for (const witness of witnesses) witness.close();
      await Promise.all(writers.map((writer) => writer.stop()));
    }
    for (const writer of writers) assert.ok(writer.acknowledged.length > 0, 'somebody wrote nothing');
    return { writers };
  }

  /** Of some messages from one node, one after the other: when its writer had an answer, and when each of other nodes told of it; milliseconds. */
  async function journeys(from: number, to: readonly number[], count = 5): Promise<{ answered: number; came: number[] }[]> {
    const writer = at(0, from);
    const { eventCursor } = (await writer.client.api.chat({ id: quietId })).chat!;
    const streams = to.map((node) => at(1, node).client.chatEvents(quietId, eventCursor));
    const all = [];
    try {
      for (let n = 0; n < count; n++) {
        const text = `how long ${from} ${n} ${performance.now()}`;
        const began = performance.now();
        const came = streams.map(async (stream) => {
          for (;;) {
            const { value } = await within(stream.next(), 'the message', 8_000);
            if (value?.__typename === 'MessageSent' && value.message?.text === text) return performance.now() - began;
          }
        });
        const sent = writer.client.api.sendMessage({ input: { chatId: quietId, text, idempotencyKey: text.replaceAll(' ', '-') } }).then(() => performance.now() - began);
        const [answered, ...rest] = await Promise.all([sent, ...came]);
        all.push({ answered, came: rest });
      }
    } finally {
      for (const stream of streams) stream.close();
    }
    return all;
  }
  const slowest = async (from: number, to: number) => Math.max(...(await journeys(from, [to])).flatMap(({ came }) => came));

  /** So many who come by the balancer, each by a connection of their own, and are answered. */
  async function newcomers(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const { client } = again(people[n % people.length]!, balancer.url);
      try {
        assert.ok((await within(client.inboxEvents().next(), `newcomer ${n} is answered`)).value);
      } finally {
        await client.close();
      }
    }
  }

  /** Somebody at one node hears somebody at another type, which is in no log: only the bus, or its detour, carries it. */
  async function typingIsHeard(from: { person: number; node: number }, to: { person: number; node: number }): Promise<void> {
    const typist = at(from.person, from.node).client;
    const stream = at(to.person, to.node).client.typingEvents(chatId);
    let heard = false;
    const told = stream.next().then(({ value }) => ((heard = true), value as TypingEvent));
    told.catch(() => undefined); // met below
    try {
      for (let turn = 0; !heard && turn < 40; turn++) {
        // The same word is passed on once in 2 s, and nobody knows when the subscription stands.
        await typist.api.setTyping({ input: { chatId, typing: turn % 2 === 0 } });
        await pause(200);
      }
      assert.equal((await within(told, 'typing comes too', 1_000)).userId, people[from.person]!.id);
    } finally {
      stream.close();
    }
  }

  it('take their connections by turns, and a chat goes on over all of them', async () => {
    const { writers } = await under(async () => undefined);
    assert.deepEqual(writers.map((writer) => [...writer.failures]), [[], [], []]);
    await newcomers(6);
    assert.ok(balancer.taken.every((taken) => taken > 0), `connections: ${balancer.taken.join(', ')}`);
    const { addresses } = (await postgres.sql<{ addresses: number }>(`select count(distinct client_addr)::int as addresses from pg_stat_activity where datname = 'omnitalk' and client_addr <> inet_server_addr()`))[0]!;
    assert.equal(addresses, 4, 'three hosts, and this process on the switch');
  });

  it('know who is there and who types, whichever node each is at', async () => {
    const [ann, bob] = [at(0, 0), at(1, 1)];
    await bob.client.api.updateProfile({ input: { presencePrivacy: 'EVERYONE' } });
    const presence = ann.client.presenceEvents([people[1]!.id]);
    const typing = ann.client.typingEvents(chatId);
    try {
      const inbox = Witness.ofInbox(bob, []);
      let status: string | undefined;
      while (status !== 'ONLINE') status = ((await within(presence.next(), 'he is there', 15_000)).value as PresenceEvent).presence?.status;
      await bob.client.api.setTyping({ input: { chatId, typing: true } });
      const told = (await within(typing.next(), 'he types')).value as TypingEvent;
      assert.deepEqual([told.userId, told.typing], [people[1]!.id, true]);
      inbox.close();
    } finally {
      presence.close();
      typing.close();
    }
  });

  it('carry a call that people of three nodes are in, all of it on the host by which the first came in', async () => {
    const [ann, bob, carol] = [at(0, 0), at(1, 1), at(2, 2)];
    const { startCall } = await ann.client.api.startCall({ input: { chatId, kind: 'VOICE', idempotencyKey: 'call' } });
    const seats = [];
    for (const { client } of [ann, bob, carol]) seats.push(await Seat.take({ client, api: client.api }, startCall.call.id));
    assert.deepEqual(await peers(), [3, 0, 0]);
    const [first, second] = seats as [Seat, Seat];
    assert.equal((await within(first.until('ParticipantJoined'), 'Bob is in')).__typename, 'ParticipantJoined');
    await seats[2]!.person.api.leaveCall({ input: { callId: startCall.call.id } });
    await second.until('ParticipantLeft');
    for (const seat of seats.slice(0, 2)) await seat.person.api.leaveCall({ input: { callId: startCall.call.id } });
    await eventually(async () => (await peers()).join() === '0,0,0', 'nothing of it is left');
    for (const seat of seats) seat.events.close();
  });

  it('run each job once, whichever of them takes it', async () => {
    const [from, start] = [await head(), await cursor()];
    const reader = people[2]!.client.chatEvents(chatId, start);
    const due = new Date(Date.now() + 6_000).toISOString();
    const texts = Array.from({ length: 12 }, (_, n) => `at its time ${n} of ${from}`);
    await Promise.all(texts.map((text, n) => at(n % 3, n % 3).client.api.scheduleMessage({ input: { chatId, text, sendAt: due, idempotencyKey: text.replaceAll(' ', '-') } })));
    const events = await within(take(reader, texts.length), 'all of them', 20_000);
    await pause(1_000);
    assert.equal(await head(), from + texts.length, 'none came twice');
    assert.deepEqual(events.map((event) => (event.__typename === 'MessageSent' ? event.message?.text : event.__typename)).sort(), [...texts].sort());
    reader.close();
  });

  it('count what an address tries together', async () => {
    // Everybody here comes from one address, past the balancer and through it; and so did who is here already.
    const before = people.length + 1;
    let granted = before;
    let refused = 0;
    for (let n = 0; n < ATTEMPTS + 9; n++) {
      const client = new OmniTalk({ url: servers[n % 3]!.url });
      const code = await client.api.signIn({ input: { email: `nobody${n}@example.com`, password: 'wrong password' } }).then(() => 'in', (error: OmniTalkError) => error.code);
      await client.close();
      if (code === 'RATE_LIMITED') refused++;
      else if (code === 'INVALID_CREDENTIALS') granted++;
      else assert.fail(code);
    }
    assert.deepEqual([granted, refused], [ATTEMPTS, 9 + before]);
  });

  it('when the way of one to Redis is slow, what it sends and hears by it comes late and in order, and nobody else waits', async () => {
    // Before any is cut off from Redis: what goes through PostgreSQL, also for a while afterwards, overtakes it.
    slowRedis.delay = SLOW_MS;
    try {
      // Of the same message, so that it counts for nothing how busy the machine is.
      const heard = await journeys(0, [1, 2]);
      const behind = median(heard.map(({ came: [near, far] }) => far! - near!));
      assert.ok(behind > SLOW_MS / 2, `from the first node: to the third ${behind} ms later than to the second; ${JSON.stringify(heard)}`);
      const told = await journeys(2, [2, 1]);
      const [own, ahead] = [median(told.map(({ came: [near, far] }) => far! - near!)), median(told.map(({ answered, came: [, far] }) => far! - answered))];
      assert.ok(own > SLOW_MS / 2 && ahead > SLOW_MS / 2, `from the third node: to the second ${own} ms later than to the third, ${ahead} ms later than the answer; ${JSON.stringify(told)}`);
      await under(async () => undefined, lasting(2_000, 20_000));
    } finally {
      slowRedis.delay = 0;
    }
    await eventually(async () => (await buses()).join() === 'ok,ok,ok', 'all are with Redis', 30_000);
  });

  it('when the cable of one is pulled, whoever comes is taken by another, and nothing is lost', async () => {
    await under(async () => {
      await hosts.cut('api2');
      await pause(500); // nobody is being connected any more who came before
      const before = [...balancer.taken];
      await newcomers(10);
      const [first, cut, third] = balancer.taken.map((taken, index) => taken - before[index]!) as [number, number, number];
      assert.equal(cut, 0, 'the one that is cut off takes nobody');
      assert.ok(first > 0 && third > 0, `the others take them by turns: ${first}, ${third}`);
      await pause(lasting(2_000, 18_000));
      await hosts.mend('api2');
    });
    await eventually(async () => (await health(1).catch(() => ({ bus: 'away' } as Record<string, unknown>)))['bus'] === 'ok', 'it is back', 30_000);
  });

  it('when one alone is cut off from Redis, it hears and is heard through PostgreSQL, and says so', async () => {
    await hosts.part('api1', 'redis');
    try {
      await eventually(async () => (await buses()).join() === 'by-postgres,ok,ok', 'it is said', 15_000);
      await pause(1_200);
      for (const [from, to] of [[0, 1], [1, 0], [2, 0]] as const) {
        const ms = await slowest(from, to);
        assert.ok(ms < SLOWER_MS, `${ms} ms from node ${from} to ${to}`);
      }
      await typingIsHeard({ person: 1, node: 1 }, { person: 0, node: 0 });
      await typingIsHeard({ person: 0, node: 0 }, { person: 1, node: 1 });
      await under(async () => undefined);
    } finally {
      await hosts.mendAll();
    }
    await eventually(async () => (await buses()).join() === 'ok,ok,ok', 'it is back', 30_000);
  });

  it('when one alone is cut off from PostgreSQL, it is not ready, and nothing is lost', async () => {
    await under(async () => {
      await hosts.part('api1', 'db');
      await eventually(async () => (await health(0))['database'] === 'away', 'it is said', 15_000);
      const ready = await fetch(servers[0]!.url.replace('/graphql', '/ready'));
      assert.equal(ready.status, 503);
      assert.equal((await health(1))['database'], 'ok');
      await pause(lasting(1_000, 20_000));
      await hosts.join('api1', 'db');
    });
    await eventually(async () => (await health(0))['database'] === 'ok', 'it is back', 60_000);
  });

  it('when Redis is gone, for a minute in the long run, messages flow, slower, and a device that is revoked is out', async () => {
    const events = lost.client.inboxEvents([(await lost.client.api.viewer()).viewer!.eventCursor]);
    const out = (async () => {
      while (!(await events.next()).done);
    })();
    out.catch(() => undefined); // met below
    await under(async () => {
      await redis.kill();
      await eventually(async () => (await buses()).join() === 'by-postgres,by-postgres,by-postgres', 'it is said', 15_000);
      const ms = await slowest(0, 2);
      assert.ok(ms < SLOWER_MS, `${ms} ms`);
      await typingIsHeard({ person: 0, node: 0 }, { person: 2, node: 2 });
      await at(3, 0).client.api.signOut({ input: { sessionId: lost.sessionId } });
      await assert.rejects(within(out, 'the device is out, at another node than it was said to', SLOWER_MS), { code: 'SESSION_ENDED' });
      await fails(lost.client.api.viewer(), 'SESSION_ENDED');
      await pause(lasting(1_000, 60_000));
      await redis.start();
    });
    await eventually(async () => (await buses()).join() === 'ok,ok,ok', 'it is back', 30_000);
  });
});
