import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { eventually, FakeCall, held } from '../test/testkit/fake-call.js';
import { ChannelDevice, FakeDevice } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';
import { failure } from './errors.js';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a data channel of a session of a call', () => {
  let call: FakeCall;
  let session: CallSession;
  let problems: string[];
  afterEach(() => session.leave());

  async function join(Device: typeof FakeDevice): Promise<void> {
    call = new FakeCall();
    problems = [];
    session = await joinCall(call.client, { callId: '1', Device, onProblem: ({ code }) => void problems.push(code) });
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

  it('that may not be opened again is let go, and the call goes on', async () => {
    await join(ChannelDevice);
    const [one, other] = [await session.openChannel('one'), await session.openChannel('other')];
    call.instead['produceData'] = ({ label }) => {
      if (label === 'one') throw failure('LIMIT_REACHED', 'There are too many.');
    };
    call.reset();
    await eventually(() => call.producers.length === 1 && other.open);
    assert.deepEqual([one.open, problems, call.count('joinCall'), session.state], [false, ['LIMIT_REACHED'], 2, 'CONNECTED']);
  });

  it('can be opened again where what was to carry it is lost meanwhile', async () => {
    await join(ChannelDevice);
    const { asked, ask, answer } = held();
    call.instead['produceData'] = ask;
    const failed = assert.rejects(session.openChannel('all'), { code: 'CALLS_UNAVAILABLE' });
    await asked;
    call.reset();
    await failed;
    answer();
  });

  it('that was opened, and nobody heard of it, is closed', async () => {
    await join(ChannelDevice);
    call.instead['produceData'] = (input) => {
      call.answer('produceData', input);
      throw failure('NETWORK', 'The answer is lost.');
    };
    await assert.rejects(session.openChannel('all'), { code: 'NETWORK' });
    assert.equal(call.producers.length, 1);
    await eventually(() => call.producers.length === 0);
  });
});
