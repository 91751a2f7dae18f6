import assert from 'node:assert/strict';
import { FakeLog, quiet, turns } from '../../test/testkit/fake-log.js';
import { LocalBus, type BusHandler } from './bus.js';
import { Hub } from './hub.js';
import type { EventLog } from './log.js';
import type { TailListener } from './tail.js';

/** Counts who listens, and may refuse or lose. */
class TestBus extends LocalBus {
  readonly topics: string[] = [];
  refuse: string | null = null;
  deaf = false;
  recovered: () => void = () => undefined;

  override publish(topic: string, message: object): void {
    if (!this.deaf) super.publish(topic, message);
  }
  override async subscribe(topic: string, handler: BusHandler): Promise<void> {
    this.topics.push(topic);
    await super.subscribe(topic, handler);
    if (topic === this.refuse) throw new Error('refused');
  }
  override unsubscribe(topic: string, handler: BusHandler): void {
    this.topics.splice(this.topics.indexOf(topic), 1);
    super.unsubscribe(topic, handler);
  }
  override onRecovered(handler?: () => void): void {
    if (handler) this.recovered = handler;
  }
}

class Listener implements TailListener {
  readonly offsets: number[] = [];
  resets = 0;
  onStart(): void {}
  onEvent({ pos }: { pos: number }): void {
    this.offsets.push(pos);
  }
  onReset(): void {
    this.resets++;
  }
}

describe('Hub', () => {
  let bus: TestBus;
  let log: FakeLog;
  let hub: Hub;
  beforeEach(() => {
    bus = new TestBus();
    log = new FakeLog();
    hub = new Hub(bus, log as unknown as EventLog, quiet as never, { reconcileMs: 3_600_000 });
  });
  afterEach(() => hub.close());
  const publish = (stream: string) => hub.publish([log.commit(stream, { kind: 'chat.updated' })]);

  it('follows from the head on: what was committed before is not told, what is committed while it begins is', async () => {
    publish('chat:a');
    const a = new Listener();
    const following = hub.follow(new Map([['chat:a', a]]));
    publish('chat:a');
    await following;
    publish('chat:a');
    assert.deepEqual(a.offsets.at(-1), 3);
    assert.ok(a.offsets.every((offset, index) => index === 0 || offset === a.offsets[index - 1]! + 1));
  });

  it('hears of lost hints by comparing heads, and as soon as the bus is well again', async () => {
    const a = new Listener();
    await hub.follow(new Map([['chat:a', a]]));
    bus.deaf = true;
    publish('chat:a');
    publish('chat:a');
    assert.deepEqual(a.offsets, []);
    await hub.reconcile();
    await turns(3);
    assert.deepEqual(a.offsets, [1, 2]);
    publish('chat:a');
    bus.recovered();
    await turns(5);
    assert.deepEqual(a.offsets, [1, 2, 3]);
  });

  it('a comparison that fails leaves everything as it is', async () => {
    const a = new Listener();
    await hub.follow(new Map([['chat:a', a]]));
    log.failures.push(new Error('away'));
    await hub.reconcile();
    publish('chat:a');
    await hub.reconcile();
    assert.deepEqual(a.offsets, [1]);
    assert.equal(a.resets, 0);
  });

  it('tells that a log was cut back, and not that it was merely asked before the newest event', async () => {
    const a = new Listener();
    await hub.follow(new Map([['chat:a', a]]));
    publish('chat:a');
    const comparing = hub.reconcile(); // asks now: the head is 1
    publish('chat:a');
    await comparing;
    assert.equal(a.resets, 0);
    log.stream('chat:a').events.length = 1;
    await hub.reconcile();
    assert.equal(a.resets, 1);
  });

  it('leaves nothing behind when following fails', async () => {
    bus.refuse = 'chat:b';
    const [a, b] = [new Listener(), new Listener()];
    await assert.rejects(hub.follow(new Map([['chat:a', a], ['chat:b', b]])), /refused/);
    assert.deepEqual(bus.topics, []);
    assert.equal(hub.liveStreams, 0);
    bus.refuse = null;
    log.failures.push(new Error('away'));
    await assert.rejects(hub.follow(new Map([['chat:a', a]])), /away/);
    assert.deepEqual(bus.topics, []);
    await hub.follow(new Map([['chat:a', a], ['chat:b', b]]));
    await assert.rejects(hub.follow(new Map([['chat:c', b], ['chat:a', a]])), /followed already/);
    assert.deepEqual(bus.topics.sort(), ['chat:a', 'chat:b']);
    hub.unfollow('chat:a');
    hub.unfollow('chat:a');
    publish('chat:a');
    publish('chat:b');
    assert.deepEqual([a.offsets, b.offsets], [[], [1]]);
    hub.close();
    assert.deepEqual(bus.topics, []);
  });

  it('a subscriber of the bus that fails harms neither the publisher nor the others', () => {
    const failed: unknown[] = [];
    const local = new LocalBus((error, topic) => failed.push([topic, (error as Error).message]));
    const heard: object[] = [];
    local.add('t', () => {
      throw new Error('mine');
    });
    local.add('t', (message) => heard.push(message));
    local.publish('t', { a: 1 });
    assert.deepEqual(heard, [{ a: 1 }]);
    assert.deepEqual(failed, [['t', 'mine']]);
  });
});
