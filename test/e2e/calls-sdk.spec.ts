import assert from 'node:assert/strict';
import { joinCall, type CallSession } from '../../sdk/calls.js';
import { OmniTalkError, type CallEvent, type OmniTalk } from '../../sdk/index.js';
import { startCall } from '../testkit/calls.js';
import { FakeDevice, FakeTrack } from '../testkit/fake-device.js';
import { eventually, mediaServer } from '../testkit/media.js';
import { mediaWorkersOf } from '../testkit/media-processes.js';
import type { MediaServer } from '../../src/media/media-server.js';
import { World, type Person } from '../testkit/world.js';

type Verb = 'createTransport' | 'closeTransport' | 'connectTransport' | 'produce' | 'consume' | 'setConsumerPaused';

/** A client whose next answer to a verb is lost on its way: it was done, and nobody knows; or not even that. */
function unheard(client: OmniTalk, verb: Verb, done = true): OmniTalk {
  let lost = false;
  const api = new Proxy(client.api, {
    get(target, name) {
      const ask = target[name as Verb] as (variables: never) => Promise<unknown>;
      if (name !== verb) return ask;
      return async (variables: never) => {
        const first = !lost;
        lost = true;
        const answer = first && !done ? undefined : await ask(variables);
        if (!first) return answer;
        throw new OmniTalkError([{ message: 'The connection is lost.', extensions: { code: 'NETWORK' } }]);
      };
    },
  });
  return withApi(client, api);
}

function withApi(client: OmniTalk, api: OmniTalk['api']): OmniTalk {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'api') return api;
      const value = target[name as keyof OmniTalk] as unknown;
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

/** A client whose second answer to `joinCall` waits. */
function late(client: OmniTalk, asked: () => void, until: Promise<void>): OmniTalk {
  let times = 0;
  const api = new Proxy(client.api, {
    get: (target, name) =>
      name !== 'joinCall'
        ? target[name as 'joinCall']
        : async (variables: Parameters<typeof target.joinCall>[0]) => {
            const answer = await target.joinCall(variables);
            if (++times === 2) {
              asked();
              await until;
            }
            return answer;
          },
  });
  return withApi(client, api);
}

/** A client to whose verb each answer comes late. */
function slow(client: OmniTalk, verb: Verb, ms: number): OmniTalk {
  const api = new Proxy(client.api, {
    get(target, name) {
      const ask = target[name as Verb] as (variables: never) => Promise<unknown>;
      return name !== verb ? ask : (variables: never) => ask(variables).finally(() => new Promise((resolve) => setTimeout(resolve, ms)));
    },
  });
  return withApi(client, api);
}

/** A client whose first events of a call are on their way for ever. */
function deaf(client: OmniTalk): OmniTalk {
  let first = true;
  return new Proxy(client, {
    get(target, name) {
      const value = target[name as keyof OmniTalk] as unknown;
      if (name !== 'callEvents' || !first) return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      first = false;
      return (...args: Parameters<OmniTalk['callEvents']>) => {
        const stream = target.callEvents(...args);
        const closed = new Promise<IteratorResult<CallEvent>>((resolve) => stream.onClose(() => resolve({ value: undefined, done: true })));
        stream.next = () => closed;
        return stream;
      };
    },
  });
}

describe('joinCall of the SDK, whose answers are lost', function () {
  this.timeout(60_000);
  let media: MediaServer;
  let world: World;
  let ann: Person;
  let bob: Person;
  let callId: string;
  let sessions: CallSession[];
  beforeEach(async () => {
    media = mediaServer();
    await media.start();
    world = await World.start({ settings: { HEARTBEAT: '1' }, media: () => media });
    [ann, bob] = await world.people('Ann', 'Bob');
    callId = await startCall(world, ann, await world.groupChat(ann, [bob]), { ring: false });
    sessions = [];
  });
  afterEach(async () => {
    for (const session of sessions) await session.leave();
    await world.stop();
    await media.close();
  });

  async function join(client: OmniTalk, onEvent: (event: CallEvent) => void = () => undefined): Promise<CallSession> {
    const session: CallSession = await joinCall(client, { callId, Device: FakeDevice, onEvent });
    sessions.push(session);
    return session;
  }

  async function send(session: CallSession): Promise<void> {
    const track = new FakeTrack('audio');
    await session.send(track).catch((error: unknown) => {
      assert.equal((error as OmniTalkError).code, 'NETWORK');
      return session.send(track);
    });
  }

  const killWorker = () => void process.kill(mediaWorkersOf()[0]!, 'SIGKILL');

  /** What the server has of each is what they know of, and no more. */
  async function assertWhole(): Promise<void> {
    const counts = media.rooms();
    assert.deepEqual([counts.peers, counts.transports, counts.producers, counts.consumers], [2, 4, 2, 2]);
    const edges = (await ann.api.callParticipants({ id: callId, states: ['JOINED'] })).call!.participants.edges.map(({ node }) => node);
    for (const session of sessions) {
      assert.equal(session.state, 'CONNECTED');
      const others = edges.filter(({ id }) => id !== session.participant.id).flatMap(({ producers }) => producers.map(({ id }) => id));
      assert.deepEqual([...session.remote.keys()], others);
      assert.ok(session.isSending('MICROPHONE'));
    }
  }

  for (const verb of ['createTransport', 'connectTransport', 'produce', 'consume', 'setConsumerPaused'] as const) {
    it(`${verb}: it sends and receives all the same, and leaves nothing behind`, async () => {
      const first = await join(ann.client);
      await send(first);
      await send(await join(unheard(bob.client, verb)));
      await eventually(assertWhole, 15_000);
    });
  }

  it('lets go on what it receives, though it is not heard at first', async () => {
    await send(await join(ann.client));
    await send(await join(unheard(bob.client, 'setConsumerPaused', false)));
    await eventually(assertWhole, 15_000);
    await eventually(async () => {
      const { own } = (await bob.api.joinCall({ input: { callId } })).joinCall;
      assert.deepEqual(own.consumers.map(({ paused }) => paused), [false]);
    }, 15_000);
  });

  it('keeps what is made while it takes its seat anew, or closes it', async () => {
    // The answer is held back until Ann sends: a transport is made by that, and the answer knows nothing of it.
    let [asked, answer] = [() => undefined as void, () => undefined as void];
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    const first = await join(ann.client);
    const second = await join(unheard(late(bob.client, asked, mayAnswer), 'produce'));
    await send(second);
    await isAsked;
    await send(first);
    await eventually(() => assert.equal(second.remote.size, 1), 15_000);
    answer();
    // It is whole before the answer is looked at, too.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await eventually(assertWhole, 15_000);
  });

  it('clears what an earlier page has left, though it is not heard at first', async () => {
    await send(await join(ann.client));
    const { joinCall: left } = await bob.api.joinCall({ input: { callId } });
    await bob.api.createTransport({ input: { callId, direction: 'SEND' } });
    await send(await join(unheard(bob.client, 'closeTransport', false)));
    await eventually(assertWhole, 15_000);
    assert.equal(sessions[1]!.participant.id, left.participant.id);
  });

  it('begins anew as often as what carries the call is lost, also while it does so', async () => {
    for (const { client } of [ann, bob]) await send(await join(client));
    await eventually(assertWhole);
    for (let time = 0; time < 4; time++) {
      await eventually(killWorker, 15_000);
      await new Promise((resolve) => setTimeout(resolve, time * 30));
    }
    await eventually(assertWhole, 15_000);
  });

  it('tells the app each event once and in order, also those that were on their way while it came back', async () => {
    const locking = async (count: number) => {
      for (let time = 0; time < count; time++) await ann.api.updateCall({ input: { callId, locked: time % 2 === 0 } });
    };
    const [told, all]: [string[], string[]] = [[], []];
    const noting = (cursors: string[]) => (event: CallEvent) => void (event.__typename === 'CallUpdated' && cursors.push(event.cursor));
    await join(ann.client, noting(all));
    const second = await join(unheard(deaf(bob.client), 'produce'), noting(told));
    await locking(4);
    // It takes its seat anew by that, and the events that it has not been told yet lie before it.
    await send(second);
    await eventually(() => assert.equal(told.length, 4), 15_000);
    await locking(2);
    killWorker();
    await locking(2);
    // The first tells that there are two now: before the second one's seat.
    await eventually(() => assert.ok(all.length >= 9 && told.length >= 8 && second.state === 'CONNECTED'), 15_000);
    assert.deepEqual([told, all.length], [all.slice(1), 9]);
  });

  it('sends again what went by a transport that it gives up itself', async () => {
    const first = await join(ann.client);
    // It looks again a second after what it did not hear, and finds one of its two transports gone.
    const second = await join(unheard(slow(bob.client, 'closeTransport', 500), 'setConsumerPaused'));
    await send(second);
    await send(first);
    await eventually(() => assert.equal(second.remote.size, 1));
    const { own } = (await bob.api.joinCall({ input: { callId } })).joinCall;
    await bob.api.closeTransport({ input: { callId, transportId: own.transports.find(({ direction }) => direction === 'RECEIVE')!.id } });
    // What it sent is told as closed before it is sent again.
    await eventually(async () => assert.notEqual((await bob.api.joinCall({ input: { callId } })).joinCall.own.producers[0]?.id, own.producers[0]!.id), 15_000);
    await eventually(assertWhole, 15_000);
  });

  it('stays muted when the media begins anew', async () => {
    const first = await join(ann.client);
    const second = await join(bob.client);
    for (const session of [first, second]) await send(session);
    await eventually(assertWhole);
    const [before] = (await bob.api.joinCall({ input: { callId } })).joinCall.own.producers;
    await second.setPaused('MICROPHONE', true);
    killWorker();
    await eventually(async () => {
      const { producers } = (await bob.api.joinCall({ input: { callId } })).joinCall.own;
      assert.deepEqual(producers.map(({ id, paused }) => [id === before!.id, paused]), [[false, true]]);
      assert.deepEqual([second.isSending('MICROPHONE'), [...first.remote.values()].map(({ paused }) => paused)], [false, [true]]);
    }, 15_000);
    await second.setPaused('MICROPHONE', false);
    await eventually(assertWhole, 15_000);
  });

  it('loses by a host’s word what it may not send any more, and stays', async () => {
    const first = await join(ann.client);
    const second = await join(bob.client);
    for (const session of [first, second]) await send(session);
    await eventually(assertWhole);
    await ann.api.muteParticipant({ input: { callId, participantId: second.participant.id, source: 'MICROPHONE', hold: true } });
    killWorker();
    await eventually(() => {
      const { peers, producers } = media.rooms();
      assert.deepEqual([peers, producers, second.state, second.isSending('MICROPHONE')], [2, 1, 'CONNECTED', false]);
    }, 15_000);
  });
});
