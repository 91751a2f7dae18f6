import assert from 'node:assert/strict';
import { EPOCH, FakeLog, quiet } from '../../../test/testkit/fake-log.js';
import { LocalBus } from '../../events/bus.js';
import { Hub } from '../../events/hub.js';
import type { EventLog } from '../../events/log.js';
import { Channels } from './channels.js';
import type { ChannelDeps } from './channel.js';

describe('Channels', () => {
  let log: FakeLog;
  let hub: Hub;
  let channels: Channels;
  beforeEach(() => {
    log = new FakeLog();
    hub = new Hub(new LocalBus(), log as unknown as EventLog, quiet as never, { reconcileMs: 3_600_000 });
    const deps = { log, recent: { take: () => undefined }, isPassing: () => false, onError: () => undefined } as unknown as ChannelDeps;
    channels = new Channels(hub, deps);
    for (const stream of ['chat:a', 'chat:b', 'chat:c']) log.stream(stream);
  });
  afterEach(() => {
    channels.close();
    hub.close();
    assert.equal(hub.liveStreams, 0);
  });
  const reset = (stream: string) => hub.publish([{ stream, epoch: '00000000-0000-4000-8000-0000000000ff', events: [] }]);

  it('opens a stream once for all who ask at once, and keeps it for a while after the last has gone', async () => {
    const opened = await Promise.all([channels.open(['chat:a', 'chat:b']), channels.open(['chat:a']), channels.open(['chat:b', 'chat:c'])]);
    assert.equal(opened[0]!.get('chat:a'), opened[1]!.get('chat:a'));
    assert.equal(opened[0]!.get('chat:b'), opened[2]!.get('chat:b'));
    assert.equal(hub.liveStreams, 3);
    for (const some of opened) for (const channel of some.values()) channels.release(channel);
    assert.equal(hub.liveStreams, 3, 'it lingers');
    const [again] = await Promise.all([channels.open(['chat:a'])]);
    assert.equal(again!.get('chat:a'), opened[0]!.get('chat:a'));
  });

  it('puts a new channel in the place of one that was reset, and a release of the old one does not touch it', async () => {
    const old = (await channels.open(['chat:a'])).get('chat:a')!;
    reset('chat:a');
    assert.equal(old.over, true);
    const fresh = (await channels.open(['chat:a'])).get('chat:a')!;
    assert.notEqual(fresh, old);
    channels.release(old);
    channels.release(old);
    assert.equal(channels.get('chat:a'), fresh);
    // Still in use: a second opening finds it, and it is not about to close.
    const same = (await channels.open(['chat:a'])).get('chat:a')!;
    assert.equal(same, fresh);
    assert.equal(hub.liveStreams, 1);
    assert.equal(fresh.tail!.epoch, EPOCH);
  });

  it('leaves nothing behind when the log can’t be read, and works when it can', async () => {
    const kept = (await channels.open(['chat:b'])).get('chat:b')!;
    log.failures.push(new Error('away'));
    const outcomes = await Promise.allSettled([channels.open(['chat:a', 'chat:b']), channels.open(['chat:a'])]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status), ['rejected', 'rejected']);
    assert.deepEqual([channels.size, hub.liveStreams], [1, 1]);
    assert.equal(channels.get('chat:b'), kept);
    const opened = await channels.open(['chat:a', 'chat:b']);
    assert.equal(opened.get('chat:b'), kept);
    assert.equal(hub.liveStreams, 2);
  });
});
