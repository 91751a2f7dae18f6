import assert from 'node:assert/strict';
import { LocalBus } from './bus.js';
import { NoAnswer, Requests, type Responder } from './requests.js';

describe('questions between processes', () => {
  const responder = (answer: (question: object) => Promise<unknown>): Responder => ({
    answer,
    toFailure: (error) => ({ message: (error as Error).message }),
    fromFailure: (failure) => new Error((failure as { message: string }).message),
  });
  const bus = new LocalBus();
  const [asker, other] = [new Requests(bus, 'a', responder(async () => 'me')), new Requests(bus, 'b', responder(async (question) => {
    const { fail, never } = question as { fail?: string; never?: boolean };
    if (fail) throw new Error(fail);
    return never ? new Promise(() => undefined) : { echo: question };
  }))];
  before(() => Promise.all([asker.start(), other.start()]));
  after(() => [asker, other].forEach((one) => one.close()));

  it('are answered once each, or failed with what the other threw', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => asker.ask('b', { n }, 1_000)));
    assert.deepEqual(answers, Array.from({ length: 20 }, (_, n) => ({ echo: { n } })));
    await assert.rejects(asker.ask('b', { fail: 'no such thing' }, 1_000), /no such thing/);
  });

  it('are given up when nobody answers in time, or this process stops', async () => {
    await assert.rejects(asker.ask('nobody', {}, 20), NoAnswer);
    const asked = asker.ask('b', { never: true }, 10_000);
    asker.close();
    await assert.rejects(asked, NoAnswer);
  });

  it('are undone where the answer comes when nobody waits for it any more', async () => {
    const undone: unknown[] = [];
    const heard: object[] = [];
    const late = Promise.withResolvers<string>();
    const [early, slow] = [new Requests(bus, 'c', responder(async () => 'me')), new Requests(bus, 'd', { ...responder((question) => ('fast' in question ? Promise.resolve('at once') : late.promise)), undo: (...what) => void undone.push(what) })];
    await Promise.all([early.start(), slow.start(), bus.subscribe('answer:c', (message) => void heard.push(message))]);
    await assert.rejects(early.ask('d', { make: 1 }, 20), NoAnswer);
    assert.equal(await early.ask('d', { fast: true }, 1_000), 'at once');
    late.resolve('made');
    await late.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([undone, heard.length], [[[{ make: 1 }, 'made']], 1]);
    for (const one of [early, slow]) one.close();
  });
});
