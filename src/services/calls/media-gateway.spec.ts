import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { FakeMedia } from '../../../test/testkit/fake-media.js';
import { LocalBus } from '../../events/bus.js';
import { DomainError } from '../../lib/errors.js';
import { MediaGateway } from './media-gateway.js';

describe('what another process has made, and nobody waits for any more', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is taken back by it', async () => {
    const bus = new LocalBus();
    const media = new FakeMedia();
    const [here, there] = [new MediaGateway(new FakeMedia(), 'here', bus), new MediaGateway(media, 'there', bus)];
    await Promise.all([here.start(), there.start()]);
    await media.join('call', 'ann');
    const { id } = await media.createTransport('call', 'ann', { direction: 'SEND', sctp: true });
    const asked = {
      createTransport: ['call', 'ann', { direction: 'SEND', sctp: false }],
      produce: ['call', 'ann', id, { kind: 'audio', source: 'MICROPHONE', rtpParameters: { codecs: [] } }],
      produceData: ['call', 'ann', id, { label: '', protocol: '', sctpStreamParameters: { streamId: 0 } }],
      startRecording: ['call', {}],
    };
    const methods = media as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const before = media.rooms();
    for (const [method, args] of Object.entries(asked)) {
      const make = methods[method]!.bind(media);
      const { promise: busy, resolve: goOn } = Promise.withResolvers<void>();
      methods[method] = async (...given) => {
        const made = await make(...given);
        await busy;
        return made;
      };
      const ask = here.ask.bind(here) as unknown as (...given: unknown[]) => Promise<unknown>;
      const failed = assert.rejects(ask('there', method, ...args), (error) => error instanceof DomainError && error.code === 'CALLS_UNAVAILABLE');
      mock.timers.tick(20_000);
      await failed;
      assert.notDeepEqual(media.rooms(), before, `${method} was heard`);
      goOn();
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(media.rooms(), before, method);
    }
    for (const gateway of [here, there]) gateway.close();
  });
});
