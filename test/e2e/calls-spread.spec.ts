import assert from 'node:assert/strict';
import type { MediaServer } from '../../src/media/media-server.js';
import { apiMedia } from '../testkit/api-media.js';
import { guestOf, logOf, Seat, startCall } from '../testkit/calls.js';
import { mediaServer, workerBinary } from '../testkit/media.js';
import { Ledger } from '../testkit/media-ledger.js';
import { mediaWorkersOf } from '../testkit/media-processes.js';
import { ClientWorker, type Receiving } from '../testkit/rtc.js';
import { eventually, within, World, type Person } from '../testkit/world.js';

const SEATS = 12;

interface Taken {
  seat: Seat;
  heard: Receiving[];
  say: () => void;
}

describe('a call of twelve over two workers', function () {
  this.timeout(60_000);
  let devices: ClientWorker;
  let notOurs: number[];
  let media: MediaServer;
  let world: World;
  let ann: Person;
  before(async () => {
    devices = await ClientWorker.start(workerBinary());
    notOurs = mediaWorkersOf();
    media = mediaServer({ workers: 2, peersPerRouter: SEATS / 2 });
    await media.start();
    world = await World.start({ media: () => media });
    ann = await world.person('Ann');
  });
  after(async () => {
    await world?.stop();
    await media?.close();
    await devices?.stop();
  });

  /** Everybody takes their seat, sends a voice, and receives every other one. */
  async function meet(callId: string, people: Pick<Person, 'api' | 'client'>[]): Promise<Taken[]> {
    const seated = await Promise.all(people.map(async (person) => {
      const seat = await Seat.take(person, callId);
      const device = await devices.join(apiMedia(seat), callId, { peerId: seat.participantId });
      return { seat, device, voice: await device.send('opus') };
    }));
    return Promise.all(seated.map(async ({ seat, device, voice }) => {
      const others = seated.filter((one) => one.seat !== seat);
      return { seat, say: () => voice.packet(), heard: await Promise.all(others.map((other) => device.receive(other.voice.id))) };
    }));
  }

  /** Waits until all of them hear all the others. */
  async function hear(taken: Taken[], what: string): Promise<void> {
    const heard = taken.flatMap((one) => one.heard);
    assert.equal(heard.length, SEATS * (SEATS - 1));
    await eventually(() => {
      for (const { say } of taken) say();
      return heard.every(({ packets }) => packets > 0);
    }, what, 20_000);
  }

  // How fast that is, `npm run bench -- rejoin` tells.
  it('is carried by both, and when one of them is killed all of it comes back: told, rejoined, heard', async () => {
    const callId = await startCall(world, ann, await world.groupChat(ann, []));
    const people = [ann, ...(await Promise.all(Array.from({ length: SEATS - 1 }, (_, index) => guestOf(world, ann, callId, { name: `Guest ${index}` }))))];
    const before = await meet(callId, people);
    await hear(before, 'everybody hears everybody');
    const { workers, routers, pipes, producers, consumers } = media.rooms();
    // What each sends goes over to the other worker once, for all who hear it there.
    assert.deepEqual({ workers, routers, pipes, producers, consumers }, { workers: 2, routers: 2, pipes: SEATS, producers: SEATS, consumers: SEATS * (SEATS - 1) });

    const [victim] = mediaWorkersOf().filter((pid) => !notOurs.includes(pid));
    process.kill(victim!, 'SIGKILL');
    await Promise.all(before.map(({ seat }) => seat.until('CallMediaReset')));
    devices.vanish();
    const again = await meet(callId, people);
    await hear(again, 'everybody hears everybody again');

    assert.deepEqual(again.map(({ seat }) => seat.participantId), before.map(({ seat }) => seat.participantId), 'each in their own seat');
    await eventually(() => media.rooms().workers === 2, 'the worker is replaced');
    assert.deepEqual([media.rooms().routers, media.rooms().producers], [2, SEATS]);
    assert.deepEqual((await logOf(ann)).map(({ callId: id, outcome }) => [id, outcome]), [[callId, 'ONGOING']]);
    const ledger = Ledger.open();
    await ann.api.endCall({ input: { callId } });
    await Promise.all(again.map(({ seat }) => within(seat.until('CallEnded'), 'the end')));
    await ledger.assertEven();
    assert.equal((await logOf(ann))[0]!.outcome, 'ANSWERED');
  });
});
