import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, keeper, mediaServer, refuses, workerBinary } from '../../test/testkit/media.js';
import { Ledger } from '../../test/testkit/media-ledger.js';
import { ClientWorker, type Receiving, type RtcClient, type Sending } from '../../test/testkit/rtc.js';
import { MediaError, type Media, type NodeMethod, type RemoteInfo } from './contract.js';
import type { MediaServer } from './media-server.js';

/** Two nodes of one deployment: what they ask of each other goes as JSON, as over the bus, and `away` does not answer. */
class Nodes {
  readonly asked: string[] = [];
  /** The last pipe that something was lent by. */
  pipe = '';
  readonly away = new Set<string>();
  /** Packets go astray, as behind a firewall. */
  astray = false;
  readonly #media = new Map<string, MediaServer>();

  add(id: string, media: MediaServer): MediaServer {
    this.#media.set(id, media);
    media.connect({
      id,
      ask: ((node: string, method: NodeMethod, ...args: unknown[]) => this.#ask(node, method, args)) as never,
    });
    return media;
  }

  async #ask(node: string, method: NodeMethod, args: unknown[]): Promise<unknown> {
    this.asked.push(`${node} ${method}`);
    if (method === 'lend') this.pipe = (args[1] as { id: string }).id;
    await delay(1);
    if (this.away.has(node)) throw new MediaError('UNAVAILABLE', 'no answer');
    const answer = await (this.#media.get(node)![method] as (...given: unknown[]) => Promise<unknown>)(...(JSON.parse(JSON.stringify(args)) as unknown[]));
    const told = answer === undefined ? undefined : (JSON.parse(JSON.stringify(answer)) as { end?: { port: number } });
    if (this.astray && told?.end) told.end.port = 9;
    return told;
  }
}

const pipeTo = (port: number) => ({ id: randomUUID(), node: 'west', end: { ip: '127.0.0.1', port, srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: randomBytes(44).toString('base64') } } }) as const;

describe('media: a room over two nodes', function () {
  this.timeout(25_000);
  let nodes: Nodes;
  let east: MediaServer;
  let west: MediaServer;
  let clients: ClientWorker;
  let room: string;
  let ann: RtcClient;
  let bob: RtcClient;
  let ledger: Ledger;
  before(async () => {
    nodes = new Nodes();
    clients = await ClientWorker.start(workerBinary());
    east = nodes.add('east', mediaServer({ workers: 2, peersPerRouter: 1 }));
    west = nodes.add('west', mediaServer({ workers: 2, peersPerRouter: 1 }));
    await Promise.all([east.start(), west.start()]);
  });
  after(async () => {
    await Promise.all([east.close(), west.close()]);
    await clients.stop();
  });
  beforeEach(async () => {
    room = randomUUID();
    ledger = Ledger.open();
    [ann, bob] = [await clients.join(east, room), await clients.join(west, room)];
    nodes.asked.length = 0;
  });
  afterEach(async () => {
    nodes.away.clear();
    nodes.astray = false;
    await Promise.all([east.closeRoom(room), west.closeRoom(room)]);
    clients.vanish();
    for (const media of [east, west]) {
      const { workers, ...rest } = media.rooms();
      assert.equal(workers, 2);
      assert.deepEqual([...new Set(Object.values(rest))], [0]);
    }
    await ledger.assertEven();
  });

  const remote = ({ info }: Sending, node = 'east', paused = false): RemoteInfo => ({ id: info.id, peerId: info.peerId, node, kind: info.kind, source: info.source, paused });
  /** What west is told of east, as the database has it. */
  const know = (producers: RemoteInfo[], asOf = performance.now()) => west.spread(room, { home: 'east', nodes: ['east'], producers, asOf });
  const knowBack = (producers: RemoteInfo[], nodesThere = ['west']) => east.spread(room, { home: null, nodes: nodesThere, producers, asOf: performance.now() });
  async function arrives(sending: Sending, receiving: Receiving): Promise<void> {
    const before = receiving.packets;
    await eventually(() => {
      sending.sent = 0;
      sending.packet();
      assert.ok(receiving.packets > before, 'it arrives');
    });
  }

  it('pipes what is received over there, once for all, and no longer than that', async () => {
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    assert.deepEqual([east.rooms().lent, west.rooms().borrowed, nodes.asked], [0, 0, []]);
    const cal = await clients.join(west, room); // on the other worker there
    const [one, two] = await Promise.all([bob.receive(microphone.id), cal.receive(microphone.id)]);
    assert.deepEqual([one.info.peerId, one.info.source, one.info.kind], [ann.peerId, 'MICROPHONE', 'audio']);
    assert.deepEqual([east.rooms().lent, west.rooms().borrowed, west.rooms().pipes, nodes.asked], [1, 1, 1, ['east lend']]);
    for (let count = 0; count < 20; count++) {
      microphone.packet();
      await delay(10);
    }
    await eventually(() => assert.deepEqual([one.packets, two.packets], [20, 20]));
    await west.closeConsumer(room, bob.peerId, one.info.id);
    assert.equal(east.rooms().lent, 1);
    await arrives(microphone, two);
    await west.closeConsumer(room, cal.peerId, two.info.id);
    await eventually(() => assert.deepEqual([east.rooms().lent, west.rooms().borrowed, west.rooms().pipes], [0, 0, 0]));
    // And again, over a pipe of its own.
    await arrives(microphone, await bob.receive(microphone.id));
  });

  it('carries several at once over one pipe, which stands while any is received', async () => {
    const [microphone, camera] = [await ann.send('opus'), await ann.send('vp8')];
    know([remote(microphone), remote(camera)]);
    const [heard, seen] = await Promise.all([bob.receive(microphone.id), bob.receive(camera.id)]);
    await Promise.all([arrives(microphone, heard), arrives(camera, seen)]);
    await west.closeConsumer(room, bob.peerId, heard.info.id);
    await eventually(() => assert.equal(east.rooms().lent, 1));
    await arrives(camera, seen);
    assert.deepEqual(nodes.asked, ['east lend', 'east lend', 'east takeBack']);
    const again = await bob.receive(microphone.id);
    await Promise.all([arrives(microphone, again), arrives(camera, seen)]);
    // A goodbye that was overtaken ends nothing that came after it.
    await east.takeBack(room, nodes.pipe, microphone.id, 1);
    await arrives(microphone, again);
  });

  it('goes both ways, and tells who receives that it is paused, and goes on', async () => {
    const changes = keeper(west)('consumerChanged');
    const [hers, his] = [await ann.send('opus'), await bob.send('opus')];
    know([remote(hers)]);
    knowBack([remote(his, 'west')]);
    const [heard, heardBack] = [await bob.receive(hers.id), await ann.receive(his.id)];
    await Promise.all([arrives(hers, heard), arrives(his, heardBack)]);
    await east.setProducerPaused(room, ann.peerId, hers.id, true);
    know([remote(hers, 'east', true)]);
    await eventually(() => assert.deepEqual(changes.map(({ producerPaused }) => producerPaused), [true]));
    const before = heard.packets;
    hers.packet();
    await delay(100);
    assert.equal(heard.packets, before);
    await east.setProducerPaused(room, ann.peerId, hers.id, false);
    know([remote(hers)]);
    await eventually(() => assert.deepEqual(changes.map(({ producerPaused }) => producerPaused), [true, false]));
    await arrives(hers, heard);
  });

  it('begins paused what is paused', async () => {
    const microphone = await ann.send('opus', { paused: true });
    know([remote(microphone, 'east', true)]);
    const heard = await bob.receive(microphone.id);
    assert.equal(heard.info.producerPaused, true);
    await east.setProducerPaused(room, ann.peerId, microphone.id, false);
    know([remote(microphone)]);
    await arrives(microphone, heard);
  });

  it('asks the sender for key frames over the pipe', async () => {
    const camera = await ann.send('vp8', { encodings: [{ ssrc: 21_001 }] });
    know([remote(camera)]);
    const seen = await bob.receive(camera.id);
    await arrives(camera, seen);
    let asked = 0;
    await camera.consumer.enableTraceEvent(['pli', 'fir']);
    camera.consumer.on('trace', () => asked++);
    await delay(1_100); // one a second is passed on
    await west.requestKeyFrame(room, bob.peerId, seen.info.id);
    await eventually(() => assert.ok(asked > 0, 'she is asked'));
  });

  it('knows a producer by the question alone, before anybody has told of it', async () => {
    const microphone = await ann.send('opus');
    const { id } = await bob.leg('RECEIVE');
    const options = { transportId: id, producerId: microphone.id, rtpCapabilities: bob.router.rtpCapabilities, paused: false };
    await refuses(west.consume(room, bob.peerId, options), 'NOT_FOUND');
    // What was read before it was there does not take it away again.
    const asOf = performance.now();
    const { producerId } = await west.consume(room, bob.peerId, { ...options, elsewhere: remote(microphone) });
    know([], asOf);
    assert.deepEqual([producerId, west.rooms().consumers, west.rooms().borrowed], [microphone.id, 1, 1]);
    // What is read later does.
    know([]);
    await eventually(() => assert.deepEqual([west.rooms().consumers, west.rooms().borrowed, east.rooms().lent], [0, 0, 0]));
  });

  it('ends with what it comes from', async () => {
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    await bob.receive(microphone.id);
    await east.closeProducer(room, ann.peerId, microphone.id);
    await eventually(() => assert.equal(east.rooms().lent, 0));
    know([]);
    await eventually(() => assert.deepEqual([west.rooms().consumers, west.rooms().borrowed], [0, 0]));
    await refuses(bob.receive(microphone.id), 'NOT_FOUND');
  });

  it('says that a node does not answer, and asks it anew the next time', async () => {
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    nodes.away.add('east');
    await refuses(bob.receive(microphone.id), 'UNAVAILABLE');
    assert.deepEqual([west.rooms().borrowed, west.rooms().consumers], [0, 0]);
    nodes.away.clear();
    await arrives(microphone, await bob.receive(microphone.id));
  });

  it('tells on both nodes that no packets come, and takes the pipe down', async () => {
    const [here, there] = [keeper(west)('nodeUnreachable'), keeper(east)('nodeUnreachable')];
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    nodes.astray = true;
    await bob.receive(microphone.id);
    await eventually(() => assert.deepEqual([here, there], [[{ roomId: room, node: 'east' }], [{ roomId: room, node: 'west' }]]), 11_000);
    nodes.astray = false;
    assert.deepEqual([west.rooms().borrowed, west.rooms().consumers, east.rooms().lent], [0, 0, 0]);
    await arrives(microphone, await bob.receive(microphone.id));
  });

  it('stands while it is quiet, and tells when it ends by itself while what came by it goes on', async () => {
    const unreachable = [keeper(west)('nodeUnreachable'), keeper(east)('nodeUnreachable')];
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    const heard = await bob.receive(microphone.id);
    await delay(9_000);
    assert.deepEqual(unreachable, [[], []]);
    await arrives(microphone, heard);
    const asOf = performance.now();
    await east.closePipe(room, nodes.pipe);
    await eventually(() => assert.equal(west.rooms().consumers, 0));
    know([remote(microphone)], asOf);
    assert.deepEqual(unreachable, [[], []]);
    know([remote(microphone)]);
    assert.deepEqual(unreachable, [[{ roomId: room, node: 'east' }], []]);
  });

  it('makes a pipe anew when the worker at its other end has died, before anybody has told of it', async () => {
    const unreachable = keeper(east)('nodeUnreachable');
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    await arrives(microphone, await bob.receive(microphone.id));
    const resets = keeper(east)('roomReset');
    process.kill(east.room(room).spare().live.worker.pid, 'SIGKILL');
    await eventually(() => assert.equal(resets.length, 1));
    const back = await clients.join(east, room, { peerId: ann.peerId });
    const anew = await back.send('opus');
    know([remote(microphone), remote(anew)]);
    await arrives(anew, await bob.receive(anew.id));
    await eventually(() => assert.equal(east.rooms().workers, 2));
    assert.deepEqual(unreachable, []);
  });

  it('takes back what a node had that went without a word', async () => {
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    await bob.receive(microphone.id);
    nodes.away.add('east'); // it will not hear the goodbye
    await west.closeRoom(room);
    assert.equal(east.rooms().lent, 1);
    knowBack([]);
    assert.equal(east.rooms().lent, 1);
    knowBack([], []);
    assert.equal(east.rooms().lent, 0);
  });

  it('carries data, and takes it down as media', async () => {
    const { id: sending } = await east.createTransport(room, ann.peerId, { direction: 'SEND', sctp: true });
    const made = await east.produceData(room, ann.peerId, sending, { label: 'chat', protocol: 'json', sctpStreamParameters: { streamId: 3, ordered: true } });
    know([{ id: made.id, peerId: ann.peerId, node: 'east', kind: 'data', source: null, paused: false }]);
    const { id: receiving } = await west.createTransport(room, bob.peerId, { direction: 'RECEIVE', sctp: true });
    const taken = await west.consumeData(room, bob.peerId, { transportId: receiving, dataProducerId: made.id });
    assert.deepEqual([taken.peerId, taken.label, taken.protocol, taken.dataProducerId], [ann.peerId, 'chat', 'json', made.id]);
    assert.deepEqual([west.rooms().borrowed, east.rooms().lent], [1, 1]);
    await refuses(bob.receive(made.id), 'NOT_FOUND');
    await east.closeDataProducer(room, ann.peerId, made.id);
    know([]);
    await eventually(() => assert.deepEqual([west.rooms().dataConsumers, west.rooms().borrowed, east.rooms().lent], [0, 0, 0]));
  });

  it('tells levels and the floor of both nodes at one', async () => {
    const [levels, speakers, elsewhere] = [keeper(east)('audioLevels'), keeper(east)('activeSpeaker'), keeper(west)('audioLevels')];
    const [near, far] = [await ann.send('opus'), await bob.send('opus')];
    know([remote(near)]);
    knowBack([remote(far, 'west')]);
    const stops = [near.stream(20, 60), far.stream(20, 10)];
    await eventually(() => {
      assert.deepEqual(levels.at(-1)?.levels.map(({ peerId }) => peerId), [bob.peerId, ann.peerId]);
      assert.equal(speakers.at(-1)?.peerId, bob.peerId);
    }, 10_000);
    // When his node is gone, what it has said last is not true for ever.
    nodes.away.add('east');
    await eventually(() => assert.deepEqual(levels.at(-1)?.levels.map(({ peerId }) => peerId), [ann.peerId]));
    for (const stop of stops) stop();
    assert.deepEqual(elsewhere, []);
  });

  it('has no pipe to give where no port is left, which is nobody’s mistake who asks', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => void socket.close(() => resolve()));
    const narrow = mediaServer({ pipes: { ports: { min: port, max: port } } });
    const cal = await clients.join(narrow, room);
    const microphone = await cal.send('opus');
    const lend = () => narrow.lend(room, pipeTo(9), microphone.id, 1);
    await lend();
    await refuses(lend(), 'UNAVAILABLE');
    await narrow.close();
  });

  it('takes down a pipe that its borrower is done with before it stands', async () => {
    const microphone = await ann.send('opus');
    const pipe = pipeTo(9);
    const lending = east.lend(room, pipe, microphone.id, 1);
    const refused = assert.rejects(lending);
    await east.closePipe(room, pipe.id);
    await refused;
    assert.equal(east.rooms().lent, 0);
  });

  it('leaves nothing behind when somebody leaves while the pipe is being made', async () => {
    const microphone = await ann.send('opus');
    know([remote(microphone)]);
    const { id } = await bob.leg('RECEIVE');
    const making = (west as Media).consume(room, bob.peerId, { transportId: id, producerId: microphone.id, rtpCapabilities: bob.router.rtpCapabilities, paused: false });
    const leaving = west.leave(room, bob.peerId);
    await Promise.allSettled([making, leaving]);
    await eventually(() => assert.deepEqual([east.rooms().lent, west.rooms().rooms], [0, 0]));
  });
});
