import assert from 'node:assert/strict';
import { eventually, FakeCall } from '../test/testkit/fake-call.js';
import { FakeDevice } from '../test/testkit/fake-device.js';
import { joinCall, type CallSession } from './calls.js';

describe('what a session of a call receives', () => {
  let call: FakeCall;
  let session: CallSession;
  let problems: string[];
  beforeEach(async () => {
    call = new FakeCall();
    problems = [];
    session = await joinCall(call.client, { callId: '1', Device: FakeDevice, onProblem: ({ code }) => void problems.push(code) });
  });
  afterEach(() => session.leave());

  it('comes by another transport where the first is gone, and nobody has said so', async () => {
    const first = call.addOther();
    await eventually(() => session.remote.has(first));
    call.transports = [];
    const second = call.addOther();
    await eventually(() => session.remote.has(second));
    assert.deepEqual([[...session.remote.keys()].sort(), call.count('joinCall'), call.transports.length, problems], [[first, second], 2, 1, []]);
  });

  it('is looked for once, where it is not there', async () => {
    call.instead['consume'] = () => call.answer('consume', {});
    call.addOther();
    call.addOther();
    await eventually(() => call.count('joinCall') === 2 && call.count('consume') === 4);
    // As long as it took to look for it.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.deepEqual([call.count('joinCall'), session.state], [2, 'CONNECTED']);
  });

  it('is not looked for where it is told that it has ended, or that who sent it has gone', async () => {
    call.instead['consume'] = () => call.answer('consume', {});
    const [producerId] = [call.addOther('bob'), call.addOther('carol')];
    await eventually(() => call.count('consume') === 2);
    call.tell({ __typename: 'ProducerClosed', cursor: call.next(), participantId: 'bob', producerId });
    call.tell({ __typename: 'ParticipantLeft', cursor: call.next(), participantId: 'carol' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(call.count('joinCall'), 1);
  });
});
