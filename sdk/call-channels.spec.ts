import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { eventually, FakeCall } from '../test/testkit/fake-call.js';
import { ChannelDevice, FakeDevice } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a data channel of a session of a call', () => {
  let call: FakeCall;
  let session: CallSession;
  afterEach(() => session.leave());

  async function join(Device: typeof FakeDevice): Promise<void> {
    call = new FakeCall();
    session = await joinCall(call.client, { callId: '1', Device });
  }

  it('is given up, and nothing is left of it, when it does not open', async () => {
    await join(FakeDevice);
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const opening = session.openChannel('all');
      const failed = assert.rejects(opening, { code: 'NETWORK', message: 'The channel did not open in time.' });
      while (!call.producers.length) await soon();
      await soon();
      mock.timers.tick(30_000);
      await failed;
      assert.deepEqual(call.producers, []);
    } finally {
      mock.timers.reset();
    }
  });

  it('is closed, though that is not heard at first', async () => {
    await join(ChannelDevice);
    const channel = await session.openChannel('all');
    call.lose('closeDataProducer');
    await assert.rejects(channel.close(), { code: 'NETWORK' });
    await eventually(() => call.producers.length === 0);
    assert.equal(channel.open, false);
  });
});
