import assert from 'node:assert/strict';
import * as parameters from 'mediasoup-client/fakeParameters';
import { FakeDevice, FakeTrack } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';
import type { CallEvent, OmniTalk } from './client.js';
import { failure, OmniTalkError } from './errors.js';
import { EventStream } from './stream.js';

const EPOCH = 'a';
const cursor = (offset: number, epoch = EPOCH): string => btoa(`call:1|${epoch}|${offset}`);
const conflict = () => new OmniTalkError([{ message: 'Somebody shares a screen already.', extensions: { code: 'STATE_CONFLICT', field: 'source' } }]);
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

type Answer = (input: Record<string, unknown>) => unknown;

/** A call as its server would have it, which answers at once unless told. */
class FakeCall {
  /** Of all who have asked, in order. */
  readonly asked: string[] = [];
  readonly streams: { after: string; stream: EventStream<CallEvent> }[] = [];
  transports: { id: string; direction: string }[] = [];
  producers: { id: string; kind: string; source: string | null }[] = [];
  head = cursor(1);
  #ids = 0;
  /** What is answered instead. */
  readonly instead: Record<string, Answer> = {};

  readonly #answers: Record<string, Answer> = {
    joinCall: () => ({ joinCall: {
      participant: { id: 'me', state: 'JOINED' }, cursor: this.head, rtpCapabilities: parameters.generateRouterRtpCapabilities(), producers: [],
      own: { transports: [...this.transports], producers: [...this.producers], consumers: [], dataConsumers: [] },
    } }),
    createTurnCredentials: () => {
      throw failure('CALLS_UNAVAILABLE', 'There is none.');
    },
    createTransport: ({ direction }) => {
      const id = this.#id('transport');
      this.transports.push({ id, direction: direction as string });
      return { createTransport: { transport: { ...parameters.generateTransportRemoteParameters(), id, sctpParameters: { port: 5000, OS: 16, MIS: 16, maxMessageSize: 262_144 } } } };
    },
    produce: ({ source, kind }) => ({ produce: { producer: this.#add({ id: this.#id('producer'), kind: kind as string, source: source as string }) } }),
    produceData: () => ({ produceData: { producer: this.#add({ id: this.#id('producer'), kind: 'DATA', source: null }) } }),
    closeProducer: ({ producerId }) => this.#close(producerId as string),
    closeDataProducer: ({ producerId }) => this.#close(producerId as string),
  };

  readonly client = {
    api: new Proxy({}, { get: (_target, name) => async ({ input }: { input: Record<string, unknown> }) => this.#ask(name as string, input) }),
    callEvents: (_id: string, after: string) => {
      const stream = new EventStream<CallEvent>();
      this.streams.push({ after, stream });
      return stream;
    },
  } as unknown as OmniTalk;

  /** All that it carried is gone. */
  reset(): void {
    this.transports = [];
    this.producers = [];
    this.tell({ __typename: 'CallMediaReset', cursor: this.next() });
  }

  next(): string {
    this.head = cursor(Number(atob(this.head).split('|')[2]) + 1);
    return this.head;
  }

  tell(event: object): void {
    this.streams.at(-1)!.stream.push(event as CallEvent);
  }

  answer(name: string, input: Record<string, unknown>): unknown {
    return this.#answers[name]?.(input) ?? {};
  }

  count(name: string): number {
    return this.asked.filter((one) => one === name).length;
  }

  async #ask(name: string, input: Record<string, unknown>): Promise<unknown> {
    this.asked.push(name);
    return (await this.instead[name]?.(input)) ?? this.answer(name, input);
  }

  #id(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  #add(producer: FakeCall['producers'][number]): FakeCall['producers'][number] {
    this.producers.push(producer);
    return producer;
  }

  #close(producerId: string): object {
    this.producers = this.producers.filter(({ id }) => id !== producerId);
    return {};
  }
}

/** What is answered when it may be. */
function held(): { asked: Promise<void>; ask: () => Promise<void>; answer: () => void } {
  let [ask, answer] = [() => undefined as void, () => undefined as void];
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const may = new Promise<void>((resolve) => (answer = resolve));
  return { asked, ask: () => (ask(), may), answer: () => answer() };
}

describe('a session of a call', () => {
  let call: FakeCall;
  let session: CallSession;
  let told: CallEvent[];
  let problems: string[];
  beforeEach(async () => {
    call = new FakeCall();
    told = [];
    problems = [];
    session = await joinCall(call.client, { callId: '1', Device: FakeDevice, onEvent: (event) => void told.push(event), onProblem: ({ code }) => void problems.push(code) });
  });
  afterEach(() => session.leave());

  it('that is left while it takes its seat anew gives it up once more, and follows nothing', async () => {
    const { asked, ask, answer } = held();
    call.instead['joinCall'] = ask;
    call.reset();
    await asked;
    const leaving = session.leave();
    assert.equal(await session.ended, 'LEFT');
    answer();
    await leaving;
    assert.deepEqual([call.count('leaveCall'), call.asked.at(-1), call.streams.length], [2, 'leaveCall', 1]);
  });

  it('goes on by another stream where one can not be continued', async () => {
    call.head = cursor(7);
    call.tell({ __typename: 'ResyncRequired', cursor: cursor(7) });
    call.streams[0]!.stream.finish();
    await eventually(() => call.streams.length === 2);
    assert.deepEqual([session.state, call.streams[1]!.after, told.length], ['CONNECTED', cursor(7), 1]);
  });

  it('tells the app to read anew where what it was told is of another epoch, though that was farther on', async () => {
    call.tell({ __typename: 'CallUpdated', cursor: cursor(90) });
    await eventually(() => told.length === 1);
    call.head = cursor(20, 'b');
    call.tell({ __typename: 'CallTransportChanged', state: 'CLOSED', transportId: 'none' });
    call.tell({ __typename: 'CallMediaReset', cursor: cursor(91) });
    await eventually(() => call.streams.length === 2);
    assert.equal(call.streams[1]!.after, cursor(91));
    call.tell({ __typename: 'ResyncRequired', cursor: cursor(20, 'b') });
    await eventually(() => call.streams.length === 3);
    assert.deepEqual([call.streams[2]!.after, told.at(-1)!.__typename], [cursor(20, 'b'), 'ResyncRequired']);
    call.tell({ __typename: 'CallUpdated', cursor: cursor(21, 'b') });
    await eventually(() => told.at(-1)!.__typename === 'CallUpdated');
  });

  it('lets go of a screen in whose place somebody shares theirs by now, and sends the rest', async () => {
    await session.send(new FakeTrack('video'), { source: 'SCREEN' });
    await session.send(new FakeTrack('audio'));
    const joins = call.count('joinCall');
    call.instead['produce'] = ({ source }) => {
      if (source === 'SCREEN') throw conflict();
    };
    call.reset();
    await eventually(() => call.producers.length === 1);
    assert.deepEqual([session.isSending('SCREEN'), session.isSending('MICROPHONE'), problems, call.count('joinCall') - joins], [false, true, ['STATE_CONFLICT'], 1]);
  });

  it('sends no more what was stopped while it was sent again', async () => {
    await session.send(new FakeTrack('audio'));
    const { asked, ask, answer } = held();
    call.instead['produce'] = ask;
    call.reset();
    await asked;
    await session.stop('MICROPHONE');
    answer();
    await eventually(() => call.count('closeProducer') === 2 && call.producers.length === 0);
    assert.equal(session.isSending('MICROPHONE'), false);
  });

  it('stays muted by who mutes it while it is sent again', async () => {
    await session.send(new FakeTrack('audio'));
    const { asked, ask, answer } = held();
    call.instead['produce'] = ask;
    const paused: unknown[] = [];
    call.instead['setProducerPaused'] = ({ producerId, paused: so }) => void paused.push([producerId, so]);
    call.reset();
    await asked;
    await session.setPaused('MICROPHONE', true);
    assert.equal(session.isSending('MICROPHONE'), false);
    answer();
    await eventually(() => paused.length === 1);
    assert.deepEqual([paused, session.isSending('MICROPHONE')], [[[call.producers[0]!.id, true]], false]);
  });

  it('keeps a channel that is opened while it takes its seat anew', async () => {
    const { asked, ask, answer } = held();
    call.instead['produceData'] = async (input) => {
      const made = call.answer('produceData', input);
      await ask();
      return made;
    };
    const opening = session.openChannel('all');
    await asked;
    call.tell({ __typename: 'ResyncRequired', cursor: call.head });
    await eventually(() => call.count('joinCall') === 2);
    await turn();
    answer();
    const joined = call.count('joinCall');
    await eventually(() => call.producers.length === 1 && session.state === 'CONNECTED');
    await turn();
    assert.deepEqual([call.count('closeDataProducer'), call.producers.length, call.count('closeTransport'), joined], [0, 1, 0, 2]);
    // Nothing opens here: it ends with the session instead.
    await session.leave();
    await assert.rejects(opening, { code: 'NETWORK' });
  });

  it('on a device that can take no part holds no seat', async () => {
    class Broken extends FakeDevice {
      override load(): Promise<void> {
        return Promise.reject(new Error('It can not.'));
      }
    }
    const other = new FakeCall();
    await assert.rejects(joinCall(other.client, { callId: '1', Device: Broken }), /It can not/);
    assert.equal(other.count('leaveCall'), 1);
    assert.deepEqual(await other.streams[0]!.stream.next(), { value: undefined, done: true });
  });
});
