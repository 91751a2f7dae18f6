import assert from 'node:assert/strict';
import { mock } from 'node:test';
import * as parameters from 'mediasoup-client/fakeParameters';
import type { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import { FakeCall } from '../test/testkit/fake-call.js';
import { FakeTrack, watched } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';

describe('what carries a session of a call', () => {
  let call: FakeCall;
  let session: CallSession;
  let device: ReturnType<typeof watched>;
  beforeEach(async () => {
    call = new FakeCall();
    device = watched();
    session = await joinCall(call.client, { callId: '1', Device: device.Device });
  });
  afterEach(() => session.leave());

  it('looks for another way once at a time, however often its network comes and goes', async () => {
    await session.send(new FakeTrack('audio'));
    const { handler } = device.transports[0]! as unknown as { handler: FakeHandler };
    const states = (...all: ('connected' | 'disconnected' | 'failed')[]) => all.forEach((state) => handler.setConnectionState(state));
    const { iceParameters } = parameters.generateTransportRemoteParameters();
    call.instead['restartIce'] = () => ({ restartIce: { iceParameters } });
    mock.timers.enable({ apis: ['setTimeout'] });
    const passes = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        mock.timers.tick(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    try {
      states('connected', 'disconnected', 'connected', 'disconnected', 'failed');
      await passes(1_500);
      assert.deepEqual([call.count('restartIce'), session.state], [1, 'RECONNECTING']);
      await passes(2_000);
      assert.equal(call.count('restartIce'), 2);
      states('connected');
      await passes(2_000);
      assert.deepEqual([call.count('restartIce'), session.state], [2, 'CONNECTED']);
      states('failed');
      await passes(200);
      assert.deepEqual([call.count('restartIce'), session.state], [3, 'RECONNECTING']);
    } finally {
      mock.timers.reset();
    }
  });
});
