import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { cursor, eventually, FakeCall, held, turn } from '../test/testkit/fake-call.js';
import { FakeDevice, FakeTrack } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';
import type { CallEvent } from './client.js';
import { failure, OmniTalkError } from './errors.js';

const conflict = () => new OmniTalkError([{ message: 'Somebody shares a screen already.', extensions: { code: 'STATE_CONFLICT', field: 'source' } }]);

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

  it('asks for its seat less and less often while it is not answered, and can be left meanwhile', async () => {
    call.instead['joinCall'] = () => {
      throw failure('NETWORK', 'There is nobody.');
    };
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      call.reset();
      // At once; after a half to one and a half times 0.5 s, 1 s, 2 s, 4 s; then between 2.5 and 7.5 s.
      for (let passed = 0; passed < 60_000; passed += 50) {
        await new Promise((resolve) => setImmediate(resolve));
        mock.timers.tick(50);
      }
      const asked = call.count('joinCall') - 1;
      assert.ok(asked >= 10 && asked <= 28, `${asked} times in a minute`);
      assert.equal(session.state, 'RECONNECTING');
      await session.leave();
    } finally {
      mock.timers.reset();
    }
  });

  it('goes on by another stream where one can not be continued', async () => {
    call.head = cursor(7);
    call.tell({ __typename: 'ResyncRequired', cursor: cursor(7) });
    call.streams[0]!.stream.finish();
    await eventually(() => call.streams.length === 2);
    assert.deepEqual([session.state, call.streams[1]!.after, told.length], ['CONNECTED', cursor(7), 1]);
  });

  it('takes its seat anew where its events fail by what passes, and ends by what does not', async () => {
    call.streams[0]!.stream.finish(failure('INTERNAL', 'Something went wrong.'));
    await eventually(() => call.streams.length === 2);
    call.tell({ __typename: 'CallUpdated', cursor: call.next() });
    await eventually(() => told.length === 1);
    assert.deepEqual([session.state, call.count('joinCall')], ['CONNECTED', 2]);
    call.streams[1]!.stream.finish(failure('ACCESS_REVOKED', 'You were removed from this call.'));
    assert.equal(((await session.ended) as OmniTalkError).code, 'ACCESS_REVOKED');
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

  it('tells the app to read anew where what it was told is lost, and then what takes its place', async () => {
    call.tell({ __typename: 'CallUpdated', cursor: cursor(90) });
    await eventually(() => told.length === 1);
    call.head = cursor(80);
    call.streams[0]!.stream.finish(failure('INTERNAL', 'The database is another.'));
    await eventually(() => call.streams.length === 2);
    const { cursor: from, ...lost } = told[1] as Extract<CallEvent, { __typename: 'ResyncRequired' }>;
    assert.deepEqual([lost.__typename, lost.reason, lost.streamId, from, call.streams[1]!.after], ['ResyncRequired', 'AHEAD', '1', cursor(80), cursor(80)]);
    call.tell({ __typename: 'CallUpdated', cursor: cursor(81) });
    await eventually(() => told.length === 3);
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

  it('joins a call that is recorded, also once more, for whoever agrees', async () => {
    const recorded = new FakeCall();
    recorded.instead['joinCall'] = ({ recordingConsent }) => {
      if (!recordingConsent) throw failure('FORBIDDEN', 'The call is recorded: join with recordingConsent, or not at all.');
    };
    await assert.rejects(joinCall(recorded.client, { callId: '1', Device: FakeDevice }), { code: 'FORBIDDEN' });
    const other = await joinCall(recorded.client, { callId: '1', Device: FakeDevice, recordingConsent: true });
    recorded.reset();
    await eventually(() => recorded.streams.length === 2);
    assert.equal(other.state, 'CONNECTED');
    await other.leave();
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
