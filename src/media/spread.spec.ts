import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { eventually, keeper, mediaServer, refuses, workerBinary } from '../../test/testkit/media.js';
import { Ledger } from '../../test/testkit/media-ledger.js';
import { isMediaWorker, mediaWorkersOf } from '../../test/testkit/media-processes.js';
import { ClientWorker, type Receiving, type RtcClient, type Sending } from '../../test/testkit/rtc.js';
import type { MediaServer } from './media-server.js';
import type { VoiceSink } from './voice-link.js';

describe('media: rooms over several workers', () => {
  let media: MediaServer;
  let clients: ClientWorker;
  let room: string;
  let clientPid: number[];
  let ledger: Ledger;
  before(async () => {
    clients = await ClientWorker.start(workerBinary());
    clientPid = mediaWorkersOf();
  });
  after(() => clients.stop());
  beforeEach(async () => {
    room = randomUUID();
    media = mediaServer({ workers: 2, peersPerRouter: 6 });
    await media.start();
    assert.deepEqual(media.state(), { state: 'ready' });
    ledger = Ledger.open();
  });
  afterEach(async () => {
    await media.closeRoom(room);
    clients.vanish();
    await eventually(() => {
      const { workers, ...rest } = media.rooms();
      assert.equal(workers, 2);
      assert.deepEqual([...new Set(Object.values(rest))], [0]);
    });
    await ledger.assertEven();
    await media.close();
    assert.deepEqual(mediaWorkersOf(), clientPid);
  });

  async function twelve(): Promise<RtcClient[]> {
    const people: RtcClient[] = [];
    for (let count = 0; count < 12; count++) people.push(await clients.join(media, room));
    return people;
  }

  it('seats 12 on 2 workers, and everybody hears everybody', async () => {
    const people = await twelve();
    assert.equal(media.rooms().routers, 2);
    const microphones = await Promise.all(people.map((person) => person.send('opus')));
    const heard: Receiving[] = [];
    for (const person of people) for (const microphone of microphones) if (microphone.info.peerId !== person.peerId) heard.push(await person.receive(microphone.id));
    assert.equal(heard.length, 132);
    assert.deepEqual([media.rooms().consumers, media.rooms().producers, media.rooms().pipes], [132, 12, 12]);
    for (let count = 0; count < 10; count++) {
      for (const microphone of microphones) microphone.packet();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await eventually(() => assert.deepEqual([...new Set(heard.map(({ packets }) => packets))], [10]));
  });

  it('pipes what is consumed over there, once for all, and no longer than that', async () => {
    const people = await twelve();
    const camera = await people[0]!.send('vp8');
    assert.equal(media.rooms().pipes, 0);
    const near = await people[1]!.receive(camera.id);
    assert.equal(media.rooms().pipes, 0);
    const [one, two] = await Promise.all([people[6]!.receive(camera.id), people[7]!.receive(camera.id)]);
    assert.equal(media.rooms().pipes, 1);
    await eventually(() => {
      camera.sent = 0;
      camera.packet();
      for (const seen of [near, one, two]) assert.ok(seen.packets > 0);
    });
    await media.setProducerPaused(room, people[0]!.peerId, camera.id, true);
    await media.setProducerPaused(room, people[0]!.peerId, camera.id, false);
    await media.closeConsumer(room, people[6]!.peerId, one.info.id);
    assert.equal(media.rooms().pipes, 1);
    await media.closeConsumer(room, people[7]!.peerId, two.info.id);
    assert.equal(media.rooms().pipes, 0);
    // And again, also while the old pipe is being taken down.
    const again = await people[8]!.receive(camera.id);
    assert.equal(media.rooms().pipes, 1);
    await eventually(() => {
      camera.sent = 0;
      camera.packet();
      assert.ok(again.packets > 0);
    });
    const closing = keeper(media)('producerClosed');
    await media.closeProducer(room, people[0]!.peerId, camera.id);
    assert.equal(closing.length, 1);
    await eventually(() => assert.deepEqual([media.rooms().consumers, media.rooms().pipes], [0, 0]));
  });

  it('gives the floor to the loudest of all workers, and tells levels at a bounded pace', async () => {
    const people = await twelve();
    const levels = keeper(media)('audioLevels');
    const speakers = keeper(media)('activeSpeaker');
    const times: number[] = [];
    // That all have fallen silent is told at once: this process may have paused for so long.
    media.on('audioLevels', ({ levels }) => void (levels.length > 0 && times.push(performance.now())));
    const near = await people[0]!.send('opus');
    const far = await people[6]!.send('opus');
    const stops = [near.stream(20, 60), far.stream(20, 10)];
    await eventually(() => {
      assert.equal(speakers.at(-1)?.peerId, people[6]!.peerId);
      assert.deepEqual(levels.at(-1)?.levels.map(({ peerId }) => peerId), [people[6]!.peerId, people[0]!.peerId]);
    });
    for (const stop of stops) stop();
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    assert.ok(gaps.every((gap) => gap >= 400), `levels came after ${gaps.join(', ')} ms`);
  });

  it('begins a room on the worker with the least to do, and gives a worker back that the room no longer needs', async () => {
    const [first, second] = [await clients.join(media, room), await clients.join(media, randomUUID())];
    assert.equal(media.rooms().routers, 2);
    await first.leave();
    assert.equal(media.rooms().routers, 1);
    await media.closeRoom(second.roomId);
  });

  it('replaces a worker that is killed: its rooms are told, people come again, and media flows within 3 s', async () => {
    const resets = keeper(media)('roomReset');
    const closed = keeper(media)('producerClosed');
    const people = await twelve();
    const microphone = await people[0]!.send('opus');
    await people[6]!.receive(microphone.id);
    const ended: string[] = [];
    const sink: VoiceSink = { started: () => undefined, frame: () => undefined, ended: () => undefined, closed: (why) => ended.push(why) };
    await media.openVoice(room, people[1]!.peerId, sink);
    const before = mediaWorkersOf();
    const [victim] = before.filter((pid) => !clientPid.includes(pid));
    const killed = performance.now();
    process.kill(victim!, 'SIGKILL');
    await eventually(() => assert.deepEqual(resets, [{ roomId: room }]));
    await refuses(media.stats(room, people[0]!.peerId), 'NOT_FOUND');

    const again = await Promise.all(people.map((person) => clients.join(media, room, { peerId: person.peerId })));
    const anew: Sending = await again[0]!.send('opus');
    const heard = await Promise.all(again.slice(1).map((person) => person.receive(anew.id)));
    await eventually(() => {
      anew.packet();
      assert.ok(heard.every(({ packets }) => packets > 0));
    });
    const recovered = performance.now() - killed;
    assert.ok(recovered < 3_000, `media flowed again after ${Math.round(recovered)} ms`);
    await eventually(() => assert.equal(media.rooms().workers, 2));
    assert.equal(mediaWorkersOf().length, before.length);
    assert.ok(!mediaWorkersOf().includes(victim!));
    // Of the reset alone people are told, not of each thing that ended by it.
    assert.deepEqual([closed, resets.length, ended.filter((why) => why !== 'reset')], [[], 1, []]);
  });

  it('says that no worker runs while all are being killed, and recovers by itself', async () => {
    for (const pid of mediaWorkersOf().filter((one) => !clientPid.includes(one))) process.kill(pid, 'SIGKILL');
    await eventually(() => assert.equal(media.state().state, 'unavailable'));
    const ann = await clients.join(media, room);
    assert.deepEqual(media.state(), { state: 'ready' });
    await ann.send('opus');
    await eventually(() => assert.equal(media.rooms().workers, 2));
  });
});

describe('media of a server that is stopped', () => {
  it('outlives the signal, so that people can be told first', async () => {
    const listeners = () => (['SIGTERM', 'SIGINT'] as const).map((signal) => process.listenerCount(signal));
    const before = listeners();
    const media = mediaServer({ workers: 2 });
    await media.start();
    assert.deepEqual(listeners(), before);
    await media.close();
  });
});

describe('media of a server that is killed', () => {
  it('ends with it', async () => {
    const script = `
      import { mediaServer } from './test/testkit/media.js';
      const media = mediaServer({ workers: 2 });
      await media.start();
      await media.join('${randomUUID()}', '${randomUUID()}', {});
      console.log('up');
      setInterval(() => undefined, 1_000);`;
    const server = spawn(process.execPath, ['--import', './scripts/register.mjs', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    const workers = mediaWorkersOf(server.pid!);
    assert.equal(workers.length, 2);
    server.kill('SIGKILL');
    await eventually(() => assert.deepEqual(workers.filter(isMediaWorker), []));
  });
});

describe('media without a worker', () => {
  it('says why, and the remedy', async () => {
    const media = mediaServer({ worker: { given: '/bin/false', cacheDir: '/nowhere' } });
    await refuses(media.join(randomUUID(), randomUUID(), {}), 'UNAVAILABLE');
    const state = media.state();
    assert.equal(state.state, 'unavailable');
    assert.match('remedy' in state ? state.remedy : '', /^MEDIASOUP_WORKER_BIN names \/bin\/false/);
    await media.close();
  });
});
