import assert from 'node:assert/strict';
import { ClusterFarm, SentinelFarm } from '../../test/testkit/redis-farm.js';
import { eventually } from '../../test/testkit/world.js';
import type { Logger } from '../lib/logger.js';
import { Rates } from '../server/limits/rates.js';
import { RedisBus } from './redis-bus.js';
import type { RedisSettings } from './redis-connect.js';

const log = { warn: () => undefined, error: () => undefined } as unknown as Logger;
const FAILOVER_MS = 30_000;

/** Two processes' worth of buses, and topics that fall on every node. */
class Pair {
  readonly heard = new Map<string, number>();
  readonly topics = Array.from({ length: 30 }, (_, n) => `topic-${n}`);
  private constructor(
    readonly a: RedisBus,
    readonly b: RedisBus,
  ) {}

  static async start(settings: RedisSettings): Promise<Pair> {
    const pair = new Pair(new RedisBus(settings, log), new RedisBus(settings, log));
    await eventually(() => pair.a.healthy && pair.b.healthy, 'both are connected', 10_000);
    await Promise.all(pair.topics.map((topic) => pair.b.subscribe(topic, () => pair.heard.set(topic, (pair.heard.get(topic) ?? 0) + 1))));
    return pair;
  }

  /** Each message once, on each topic. */
  async carries(): Promise<void> {
    this.heard.clear();
    for (const topic of this.topics) this.a.publish(topic, {});
    await eventually(() => this.heard.size === this.topics.length, 'every topic is heard');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([...this.heard.values()], Array(this.topics.length).fill(1));
  }

  /** Whatever is lost meanwhile, in the end everything is heard again. */
  async carriesAgain(): Promise<void> {
    await eventually(async () => {
      for (const topic of this.topics) this.a.publish(topic, {});
      this.heard.clear();
      await new Promise((resolve) => setTimeout(resolve, 250));
      for (const topic of this.topics) this.a.publish(topic, {});
      await new Promise((resolve) => setTimeout(resolve, 250));
      return this.a.healthy && this.b.healthy && this.heard.size === this.topics.length;
    }, 'every topic is heard again', FAILOVER_MS);
    await this.carries();
  }

  async close(): Promise<void> {
    await Promise.all([this.a.close(), this.b.close()]);
  }
}

/** What is counted by two processes is counted together. */
async function countTogether(settings: RedisSettings, who: string): Promise<void> {
  const [one, other] = [new Rates(settings, log), new Rates(settings, log)];
  try {
    await eventually(() => one.redisReady === true && other.redisReady === true, 'the limits are connected');
    const left = [];
    for (const rates of [one, other, one]) left.push((await rates.limiter('together', { points: 10, seconds: 60 }).spend(who)).remaining);
    assert.deepEqual(left, [9, 8, 7]);
  } finally {
    one.close();
    other.close();
  }
}

describe('Redis of several servers', function () {
  this.timeout(120_000);

  describe('Sentinel', () => {
    let farm: SentinelFarm;
    let pair: Pair;
    let settings: RedisSettings;
    before(async () => {
      farm = await SentinelFarm.start();
      settings = { url: 'redis://unused', sentinels: farm.sentinels.map(({ address }) => address), master: 'mymaster' };
      pair = await Pair.start(settings);
    });
    after(async () => {
      await pair?.close();
      await farm?.close();
    });

    it('the bus and the limits find the master', async () => {
      await pair.carries();
      await countTogether(settings, 'before a failover');
      assert.equal(await farm.masterPort(), farm.master.port);
    });

    it('when the master is killed, both go on with the replica that the sentinels choose', async () => {
      let recovered = 0;
      pair.b.onRecovered(() => recovered++);
      await farm.master.kill();
      await eventually(() => !pair.b.healthy, 'it is noticed', 10_000);
      await eventually(async () => (await farm.masterPort()) === farm.replica.port, 'the sentinels have chosen', FAILOVER_MS);
      await pair.carriesAgain();
      assert.ok(recovered > 0, 'who follows streams was told to compare');
      await countTogether(settings, 'after it');
    });

    it('when the master hangs, its connections are given up, though nobody closed them', async () => {
      farm.master.start();
      await eventually(() => farm.master.ask('role').then((text) => text.startsWith('slave'), () => false), 'the old master follows', FAILOVER_MS);
      await eventually(async () => /num-slaves\n1\n/.test(await farm.sentinels[0]!.ask('sentinel', 'master', 'mymaster')) && (await farm.master.ask('info', 'replication')).includes('master_link_status:up'), 'and can take over', FAILOVER_MS);
      farm.replica.signal('SIGSTOP');
      try {
        await eventually(() => !pair.b.healthy, 'it is noticed', 10_000);
        await eventually(async () => (await farm.masterPort()) === farm.master.port, 'the sentinels have chosen', FAILOVER_MS);
        await pair.carriesAgain();
      } finally {
        farm.replica.signal('SIGCONT');
      }
    });
  });

  describe('Cluster', () => {
    let farm: ClusterFarm;
    let pair: Pair;
    let settings: RedisSettings;
    before(async () => {
      farm = await ClusterFarm.start();
      settings = { url: 'redis://unused', nodes: [farm.masters[0]!.address, farm.masters[1]!.address] };
      pair = await Pair.start(settings);
    });
    after(async () => {
      await pair?.close();
      await farm?.close();
    });

    it('each master carries the channels of its own slots, and no other does', async () => {
      await pair.carries();
      const mine = await Promise.all(farm.masters.map(async (one) => (await one.ask('pubsub', 'shardchannels', 'omnitalk:topic-*')).split('\n').filter(Boolean)));
      assert.ok(mine.every((channels) => channels.length > 0), 'every master carries some');
      assert.deepEqual(mine.flat().sort(), pair.topics.map((topic) => `omnitalk:${topic}`).sort());
      assert.deepEqual(await Promise.all(farm.masters.map((one) => one.ask('pubsub', 'channels', '*'))), ['\n', '\n', '\n'], 'nothing is spread over all nodes');
      await countTogether(settings, 'before a node is lost');
    });

    it('a topic that is left is left on its master, and one that is joined again is heard', async () => {
      const handler = () => undefined;
      await pair.b.subscribe('left', handler);
      pair.b.unsubscribe('left', handler);
      const channels = async () => (await Promise.all(farm.masters.map((one) => one.ask('pubsub', 'shardchannels', 'omnitalk:left')))).join('').trim();
      await eventually(async () => (await channels()) === '', 'it is left');
      let heard = 0;
      await pair.b.subscribe('left', () => heard++);
      pair.a.publish('left', {});
      await eventually(() => heard === 1, 'it is heard');
    });

    it('when a master is killed, its replica carries its channels', async () => {
      await farm.masters[0]!.kill();
      await eventually(() => farm.replica.ask('role').then((text) => text.startsWith('master')), 'the replica takes over', FAILOVER_MS);
      await pair.carriesAgain();
      await countTogether(settings, 'after it is lost');
    });
  });
});
