import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { RedisProcess } from '../../test/testkit/processes.js';
import { eventually, within } from '../../test/testkit/world.js';
import type { Logger } from '../lib/logger.js';
import { RedisBus } from './redis-bus.js';

const log = { warn: () => undefined, error: () => undefined } as unknown as Logger;

describe('RedisBus', function () {
  this.timeout(30_000);
  let redis: RedisProcess;
  const buses: RedisBus[] = [];
  const bus = async () => {
    const made = new RedisBus({ url: redis.url }, log);
    buses.push(made);
    await eventually(() => made.healthy, 'it is connected');
    return made;
  };
  before(async () => (redis = await RedisProcess.start()));
  after(async () => {
    await Promise.all(buses.map((one) => one.close()));
    await redis.close();
  });

  it('carries messages to every process once, to its own at once', async () => {
    const [a, b] = [await bus(), await bus()];
    const [heardByA, heardByB]: [unknown[], unknown[]] = [[], []];
    await a.subscribe('t', (message) => heardByA.push(message));
    await b.subscribe('t', (message) => heardByB.push(message));
    a.publish('t', { n: 1 });
    assert.deepEqual(heardByA, [{ n: 1 }]);
    b.publish('t', { n: 2 });
    await eventually(() => heardByA.length === 2 && heardByB.length === 2, 'both have heard both');
    assert.deepEqual([heardByA, heardByB.map((message) => (message as { n: number }).n).sort()], [[{ n: 1 }, { n: 2 }], [1, 2]]);
  });

  it('may be subscribed to before its connection is ready', async () => {
    /** What Redis says is held back, and then comes at once, as it would to a process that was busy. */
    const held: (() => void)[] = [];
    const relay = createServer((client) => {
      const server = createConnection(Number(new URL(redis.url).port), '127.0.0.1');
      client.pipe(server);
      client.on('error', () => undefined);
      client.on('close', () => server.destroy());
      held.push(() => server.pipe(client));
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const [slow, other] = [new RedisBus({ url: `redis://127.0.0.1:${(relay.address() as AddressInfo).port}` }, log), await bus()];
    buses.push(slow);
    let heard = 0;
    await eventually(() => held.length === 2, 'it connects');
    // By now ioredis has asked what it asks first, and the answers are not in.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await slow.subscribe('early', () => heard++);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const release of held) release();
    const said = () => (other.publish('early', {}), heard > 0);
    await eventually(said, 'it is heard');
    relay.close();
  });

  it('a topic that is left and joined again at once is heard still, and one that is left is not', async () => {
    const [a, b] = [await bus(), await bus()];
    const heard: unknown[] = [];
    const handler = (message: object) => heard.push(message);
    for (let time = 0; time < 20; time++) {
      await a.subscribe('again', handler);
      a.unsubscribe('again', handler);
    }
    const joining = a.subscribe('again', handler);
    a.unsubscribe('again', handler);
    await a.subscribe('again', handler);
    await joining;
    b.publish('again', { n: 1 });
    await eventually(() => heard.length > 0, 'it is heard');
    a.unsubscribe('again', handler);
    b.publish('again', { n: 2 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(heard, [{ n: 1 }]);
  });

  it('while Redis is away publishing neither waits nor throws, subscribing does not wait, and its return is told', async () => {
    const [a, b] = [await bus(), await bus()];
    const heard: unknown[] = [];
    let recovered = 0;
    a.onRecovered(() => recovered++);
    await a.subscribe('before', (message) => heard.push(message));
    await redis.kill();
    await eventually(() => !a.healthy && !b.healthy, 'it is noticed');
    b.publish('before', { lost: true });
    await within(a.subscribe('meanwhile', (message) => heard.push(message)), 'subscribing', 500);
    await redis.start();
    await eventually(() => recovered === 1 && b.healthy, 'the return is told', 10_000);
    await eventually(() => (b.publish('before', { n: 1 }), b.publish('meanwhile', { n: 2 }), new Set(heard.map((message) => JSON.stringify(message))).size === 2), 'both topics are heard');
    assert.ok(!heard.some((message) => 'lost' in (message as object)));
  });

  it('what is left during an outage is not asked for when Redis is back, and what is wanted then is heard once', async () => {
    const own = await RedisProcess.start();
    const [a, b] = [new RedisBus({ url: own.url }, log), new RedisBus({ url: own.url }, log)];
    buses.push(a, b);
    try {
      await eventually(() => a.healthy && b.healthy, 'both are connected');
      const heard: string[] = [];
      const handlers = new Map<string, () => void>();
      const join = async (topic: string) => {
        const handler = () => heard.push(topic);
        handlers.set(topic, handler);
        await a.subscribe(topic, handler);
      };
      const leave = (topic: string) => {
        a.unsubscribe(topic, handlers.get(topic)!);
        handlers.delete(topic);
      };
      const channels = async () => (await own.ask('pubsub', 'channels', 'omnitalk:*')).split('\n').filter((channel) => channel && !channel.includes(':probe:')).sort();
      for (const topic of ['stands', 'is joined again']) await join(topic);
      for (const outage of [1, 2]) {
        await join(`is left ${outage}`);
        await own.kill();
        await eventually(() => !a.healthy && !b.healthy, 'it is noticed');
        for (let n = 0; n < 2_000; n++) {
          await join(`comes and goes ${n}`);
          leave(`comes and goes ${n}`);
        }
        leave('is joined again');
        leave(`is left ${outage}`);
        await join('is joined again');
        await join(`is kept ${outage}`);
        await own.start();
        const wanted = [...handlers.keys()].map((topic) => `omnitalk:${topic}`).sort();
        await eventually(async () => a.healthy && b.healthy && isDeepStrictEqual(await channels(), wanted), 'Redis knows what is wanted, and nothing else', 10_000);
        // Each bus once for what had stood, and the one that is new.
        assert.match(await own.ask('info', 'commandstats'), /cmdstat_subscribe:calls=3,/);
        heard.length = 0;
        for (const topic of [...handlers.keys(), `is left ${outage}`, 'comes and goes 1']) b.publish(topic, {});
        await eventually(() => heard.length >= handlers.size, 'all that is wanted is heard');
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.deepEqual(heard.sort(), [...handlers.keys()].sort());
      }
    } finally {
      await own.close();
    }
  });

  it('a Redis that hangs holds up nobody for long, and does not fill the memory', async () => {
    const a = await bus();
    redis.signal('SIGSTOP');
    try {
      await within(a.subscribe('hung', () => undefined), 'subscribing', 3_000);
      const text = 'x'.repeat(1_000);
      for (let n = 0; n < 30_000; n++) a.publish('elsewhere', { text });
    } finally {
      redis.signal('SIGCONT');
    }
    await eventually(() => a.healthy, 'it goes on');
    const b = await bus();
    const heard: unknown[] = [];
    await b.subscribe('after', (message) => heard.push(message));
    await eventually(() => (a.publish('after', {}), heard.length > 0), 'it carries again');
  });

  it('is closed during an outage without a word from what was under way', async () => {
    const a = await bus();
    const rejections: unknown[] = [];
    const note = (error: unknown) => rejections.push(error);
    process.on('unhandledRejection', note);
    const handler = () => undefined;
    await a.subscribe('t', handler);
    await redis.kill();
    await eventually(() => !a.healthy, 'it is noticed');
    a.publish('t', {});
    a.unsubscribe('t', handler);
    await a.subscribe('u', handler);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await a.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.off('unhandledRejection', note);
    assert.deepEqual(rejections, []);
    await redis.start();
  });
});
