import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { apiMedia } from '../testkit/api-media.js';
import { Seat } from '../testkit/calls.js';
import { Hosts } from '../testkit/hosts.js';
import { again, LONG, signUp, type Caller } from '../testkit/lossless.js';
import { workerBinary } from '../testkit/media.js';
import { PostgresProcess } from '../testkit/postgres-process.js';
import { RedisProcess, ServerProcess } from '../testkit/processes.js';
import { ClientWorker, type Receiving, type RtcClient, type Sending } from '../testkit/rtc.js';
import { eventually } from '../testkit/world.js';

const run = promisify(execFile);
const REGIONS = ['east', 'west'] as const;
/** Until a node is known to be dead, or not to be reached. */
const LONG_MS = 40_000;
const TOKEN = 'metrics-of-a-test';

/** Two media nodes in two regions, each a host with an address of its own, and a call that both carry. */
describe('a call over two hosts', function () {
  this.timeout(120_000);
  let hosts: Hosts;
  let postgres: PostgresProcess;
  let redis: RedisProcess;
  let devices: ClientWorker;
  let chatId: string;
  let callId: string;
  const servers: Record<string, ServerProcess> = {};
  const people: Caller[] = [];
  const guests: Caller[] = [];

  before(async () => {
    hosts = await Hosts.start([...REGIONS, 'db', 'redis']);
    devices = await ClientWorker.start(workerBinary());
    [postgres, redis] = await Promise.all([PostgresProcess.start({ place: hosts.place('db') }), RedisProcess.start(hosts.place('redis'))]);
    for (const name of REGIONS) servers[name] = await start(name);
    for (const name of ['Ann', 'Bob']) people.push(await signUp(servers['east']!.url, name));
    chatId = (await people[0]!.client.api.createChat({ input: { kind: 'GROUP', title: 'All', memberIds: [people[1]!.id], idempotencyKey: 'chat' } })).createChat.chat.id;
  });
  after(async () => {
    for (const { client } of [...guests, ...people]) await client.close();
    await hosts?.mendAll();
    for (const server of Object.values(servers)) await server.end('SIGKILL');
    await devices?.stop();
    await redis?.close();
    await postgres?.close();
    await hosts?.close();
  });
  afterEach(async () => {
    await hosts.mendAll();
    await people[0]!.client.api.endCall({ input: { callId } });
    devices.vanish();
  });

  const start = (name: string): Promise<ServerProcess> => {
    const place = hosts.place(name);
    const env = {
      DATABASE_URL: postgres.url, REDIS_URL: redis.url, DATABASE_POOL: '6', HEARTBEAT: '1', METRICS_TOKEN: TOKEN, RATE_LIMIT_AUTH: '1000', CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_REGION: name,
      MEDIA_LISTEN_IP: place.address, MEDIASOUP_WORKER_BIN: workerBinary(), LEARNING: 'false', NEWS: 'false', MODERATION: 'false', BOTS: 'false',
    };
    return ServerProcess.start(env, { place, port: 4000 });
  };
  const at = (person: number, region: (typeof REGIONS)[number]): Caller => {
    const caller = again(people[person]!, servers[region]!.url);
    guests.push(caller);
    return caller;
  };
  const sit = async (person: number, region: (typeof REGIONS)[number]): Promise<{ seat: Seat; device: RtcClient }> => {
    const { client } = at(person, region);
    const seat = await Seat.take({ client, api: client.api }, callId);
    return { seat, device: await devices.join(apiMedia(seat), callId, { peerId: seat.participantId }) };
  };
  const begin = async (): Promise<void> => void (callId = (await people[0]!.client.api.startCall({ input: { chatId, kind: 'VOICE', ring: false, idempotencyKey: `call-${performance.now()}` } })).startCall.call.id);
  const figure = async (region: string, name: string): Promise<number> => {
    const text = await (await fetch(servers[region]!.url.replace('/graphql', '/metrics'), { headers: { authorization: `Bearer ${TOKEN}`, connection: 'close' } })).text();
    return Number(new RegExp(`^omnitalk_media_${name} (\\d+)$`, 'm').exec(text)![1]);
  };
  const arrives = async (sending: Sending, receiving: Receiving, what: string): Promise<void> => {
    const before = receiving.packets;
    await eventually(() => {
      sending.packet();
      return receiving.packets > before + 2;
    }, what, 10_000);
  };
  /** UDP ports of a host that are open on its address to the switch, and not those for clients. */
  const pipesOf = async (region: string): Promise<number[]> => {
    const { address, within: [command, ...args] } = hosts.place(region);
    const hex = address.split('.').reverse().map((part) => Number(part).toString(16).padStart(2, '0')).join('').toUpperCase();
    const { stdout } = await run(command!, [...args, 'cat', '/proc/net/udp']);
    return [...stdout.matchAll(new RegExp(` ${hex}:([0-9A-F]{4}) `, 'g'))].map(([, port]) => Number.parseInt(port!, 16)).filter((port) => port !== 20_000);
  };

  it('goes from address to address: each sits at home, hears the other, and only while they do are ports open', async () => {
    await begin();
    const [ann, bob] = [await sit(0, 'east'), await sit(1, 'west')];
    assert.deepEqual([await figure('east', 'peers'), await figure('west', 'peers')], [1, 1]);
    assert.deepEqual([await pipesOf('east'), await pipesOf('west')], [[], []]);
    const [hers, his] = [await ann.device.send('opus'), await bob.device.send('opus')];
    await bob.seat.until('ProducerAdded', ({ producerId }) => producerId === hers.id);
    const [heard, heardBack] = [await bob.device.receive(hers.id), await ann.device.receive(his.id)];
    await arrives(hers, heard, 'Bob hears Ann');
    await arrives(his, heardBack, 'Ann hears Bob');
    for (const region of REGIONS) {
      const ports = await pipesOf(region);
      assert.equal(ports.length, 2, `${region}: ${ports.join(', ')}`);
      assert.ok(ports.every((port) => port >= 21_000 && port <= 24_999), ports.join(', '));
      assert.deepEqual([await figure(region, 'lent'), await figure(region, 'borrowed')], [1, 1]);
    }
    // What the west sends to the east is lost, so it is by that way that it came.
    await hosts.part('east', 'west');
    const before = heardBack.packets;
    for (let n = 0; n < 20; n++) his.packet();
    await arrives(hers, heard, 'the other way stands');
    assert.equal(heardBack.packets, before);
    await hosts.join('east', 'west');
    await arrives(his, heardBack, 'it comes again');
    await bob.seat.leave();
    await eventually(async () => (await pipesOf('east')).length === 0 && (await pipesOf('west')).length === 0, 'the ports are closed');
  });

  it('whose hosts do not reach each other, seats everybody at home, and says so in the log', async () => {
    await begin();
    const ann = await sit(0, 'east');
    const hers = await ann.device.send('opus');
    await hosts.part('east', 'west');
    const bob = await sit(1, 'west');
    await bob.device.receive(hers.id);
    await bob.seat.until('CallMediaReset', undefined, LONG_MS);
    await hosts.mendAll();
    const back = await sit(1, 'west');
    assert.equal(back.seat.participantId, bob.seat.participantId);
    assert.deepEqual([await figure('east', 'peers'), await figure('west', 'peers')], [2, 0]);
    await arrives(hers, await back.device.receive(hers.id), 'he hears her');
    assert.match(servers['west']!.said, /no media comes from another node/);
    servers['west'] = await servers['west']!.end('SIGTERM').then(() => start('west'));
  });

  const ways = [REGIONS, REGIONS.toReversed()] as const;
  for (const [from, to] of LONG ? ways : ways.slice(0, 1)) {
    it(`whose way from ${from} to ${to} breaks in the midst of it, goes on at home`, async () => {
      await begin();
      const [ann, bob] = [await sit(0, 'east'), await sit(1, 'west')];
      const [hers, his] = [await ann.device.send('opus'), await bob.device.send('opus')];
      await arrives(hers, await bob.device.receive(hers.id), 'Bob hears Ann');
      await arrives(his, await ann.device.receive(his.id), 'Ann hears Bob');
      await hosts.part(to, from);
      await bob.seat.until('CallMediaReset', undefined, LONG_MS);
      const back = await sit(1, 'west');
      assert.equal(back.seat.participantId, bob.seat.participantId);
      assert.deepEqual([await figure('east', 'peers'), await figure('west', 'peers')], [2, 0]);
      await arrives(hers, await back.device.receive(hers.id), 'he hears her');
      const anew = await back.device.send('opus');
      await arrives(anew, await ann.device.receive(anew.id), 'and she hears him');
      servers['west'] = await servers['west']!.end('SIGTERM').then(() => start('west'));
    });
  }

  it('of which one dies, goes on at the other, and takes the lost ones in', async () => {
    await begin();
    const [ann, bob] = [await sit(0, 'east'), await sit(1, 'west')];
    const [hers, his] = [await ann.device.send('opus'), await bob.device.send('opus')];
    await bob.device.receive(hers.id);
    await arrives(his, await ann.device.receive(his.id), 'Ann hears Bob');
    await servers['west']!.end('SIGKILL');
    await ann.seat.until('ProducerClosed', ({ producerId }) => producerId === his.id, LONG_MS);
    const back = await sit(1, 'east');
    assert.equal(back.seat.participantId, bob.seat.participantId);
    await arrives(hers, await back.device.receive(hers.id), 'he hears her by what she has sent all along');
    await eventually(async () => (await pipesOf('east')).length === 0, 'nothing is piped any more', 10_000);
    servers['west'] = await start('west');
  });
});
