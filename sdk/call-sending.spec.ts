import assert from 'node:assert/strict';
import { eventually, FakeCall, held } from '../test/testkit/fake-call.js';
import { FakeTrack, watched } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';
import { failure } from './errors.js';

describe('what a session of a call sends', () => {
  let call: FakeCall;
  let session: CallSession;
  let device: ReturnType<typeof watched>;
  beforeEach(async () => {
    call = new FakeCall();
    device = watched();
    session = await joinCall(call.client, { callId: '1', Device: device.Device });
  });
  afterEach(() => session.leave());

  const states = (...tracks: FakeTrack[]): string[] => tracks.map(({ readyState }) => readyState);

  it('is let go when another takes its place, and not when it is given once more', async () => {
    const [first, second] = [new FakeTrack('audio'), new FakeTrack('audio')];
    await session.send(first);
    await session.send(first);
    assert.deepEqual(states(first), ['live']);
    await Promise.all([session.send(second), session.send(second)]);
    assert.deepEqual([states(first, second), device.producers.map(({ track }) => track)], [['ended', 'live'], [second]]);
  });

  it('is the later of two that are given at once', async () => {
    const [first, second] = [new FakeTrack('video'), new FakeTrack('video')];
    await Promise.all([session.send(first), session.send(second)]);
    assert.deepEqual([states(first, second), call.producers.length, device.producers.at(-1)!.track], [['ended', 'live'], 1, second]);
    await session.stop('CAMERA');
    assert.deepEqual([states(second), call.producers], [['ended'], []]);
  });

  it('is another from its being sent again on, where that was given meanwhile', async () => {
    const [first, second] = [new FakeTrack('audio'), new FakeTrack('audio')];
    await session.send(first);
    const { asked, ask, answer } = held();
    call.instead['produce'] = ask;
    call.reset();
    await asked;
    await session.send(second);
    answer();
    await eventually(() => device.producers.length === 2 && (device.producers[1]!.track as unknown) === second);
    assert.deepEqual([states(first, second), session.isSending('MICROPHONE'), session.state], [['ended', 'live'], true, 'CONNECTED']);
  });

  it('is stopped, though that is not heard at first', async () => {
    await session.send(new FakeTrack('video'));
    call.lose('closeProducer');
    await assert.rejects(session.stop('CAMERA'), { code: 'NETWORK' });
    await eventually(() => call.producers.length === 0);
  });

  it('is muted, though that is not heard at first', async () => {
    await session.send(new FakeTrack('audio'));
    call.lose('setProducerPaused');
    await assert.rejects(session.setPaused('MICROPHONE', true), { code: 'NETWORK' });
    await eventually(() => call.producers[0]!.paused);
    assert.equal(session.isSending('MICROPHONE'), false);
  });

  it('goes on, where it was let go on while it was sent again, though that is not heard at first', async () => {
    await session.send(new FakeTrack('audio'));
    await session.setPaused('MICROPHONE', true);
    const { asked, ask, answer } = held();
    call.instead['produce'] = ask;
    call.reset();
    await asked;
    await session.setPaused('MICROPHONE', false);
    call.lose('setProducerPaused');
    answer();
    await eventually(() => call.producers[0]?.paused === false && session.state === 'CONNECTED');
    await eventually(() => device.producers.at(-1)!.paused === false);
    assert.equal(session.isSending('MICROPHONE'), true);
  });

  it('is stopped also where it has gone by itself, with what carried it', async () => {
    await session.send(new FakeTrack('audio'));
    call.instead['closeProducer'] = () => {
      throw failure('NOT_FOUND', 'There is no such producer of yours.');
    };
    await session.stop('MICROPHONE');
    assert.equal(session.isSending('MICROPHONE'), false);
  });

  it('is nothing more once it is left, also of what waited for its turn', async () => {
    const { asked, ask, answer } = held();
    call.instead['produce'] = ask;
    const sending = Promise.allSettled([session.send(new FakeTrack('video')), session.send(new FakeTrack('video'))]);
    await asked;
    await session.leave();
    answer();
    assert.deepEqual([(await sending).map(({ status }) => status), call.count('createTransport')], [['rejected', 'rejected'], 1]);
  });
});
