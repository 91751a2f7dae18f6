import { RedisPubSub } from 'graphql-redis-subscriptions';
import { Redis, type Cluster } from 'ioredis';
import type { Logger } from '../lib/logger.js';
import { connectCluster, connectRedis, isCluster, type RedisSettings } from './redis-connect.js';

/** Redis as the bus sees it: texts on channels, at most once. */
export interface RedisChannels {
  /** Connected, as far as is known: who hangs is connected too. */
  readonly ready: boolean;
  /** Rejects where Redis is not there, or does not answer in time. */
  publish(channel: string, message: object): Promise<unknown>;
  /** Resolves once Redis has taken it, or it is wanted no more; stands from then on, also after reconnects. */
  subscribe(channel: string, receive: (message: object) => void): Promise<unknown>;
  unsubscribe(channel: string): void;
  /** Called whenever subscriptions have been made anew, so that messages may have been lost. */
  onRenewed(handler: () => void): void;
  /** Drops connections that nothing comes through any more, and makes them anew. */
  reconnect(): void;
  close(): void;
}

/** How long a publication waits for its answer. */
const COMMAND_MS = 2_000;
/** Resubscribing takes a moment after a connection is ready. */
const SETTLE_MS = 50;

export const redisChannels = (settings: RedisSettings, log: Logger): RedisChannels => (isCluster(settings) ? new ShardedChannels(settings, log) : new PlainChannels(settings, log));

/** Unsubscribing from a Redis that goes away is done by its going: nobody waits for these answers. */
class Subscriber extends Redis {
  override unsubscribe(...channels: unknown[]): Promise<unknown> {
    return super.unsubscribe(...(channels as string[])).catch(() => undefined);
  }
  override punsubscribe(...patterns: unknown[]): Promise<unknown> {
    return super.punsubscribe(...(patterns as string[])).catch(() => undefined);
  }
}

interface Wanted {
  receive: (message: object) => void;
  taken: () => void;
  refused: (error: unknown) => void;
}

/**
 * By one server, or the master of sentinels. What is wanted is kept here, and Redis is asked while it is there: an outage may be long, topics come
 * and go all the time, and commands that wait for its end would be kept until then.
 */
class PlainChannels implements RedisChannels {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #pubsub: RedisPubSub;
  readonly #wanted = new Map<string, Wanted>();
  /** What Redis has been asked for: by its id once that stands. ioredis carries it over reconnects, what is under way too. */
  readonly #asked = new Map<string, number | 'under way'>();
  #renewed: () => void = () => undefined;

  constructor(settings: RedisSettings, log: Logger) {
    const options = { enableOfflineQueue: false, maxRetriesPerRequest: 0 };
    this.#publisher = connectRedis(settings, { ...options, commandTimeout: COMMAND_MS });
    // The queue is for what is asked in the moment in which the connection goes. No ready check: a Redis that still loads takes subscriptions already.
    this.#subscriber = connectRedis(settings, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true, enableReadyCheck: false }, Subscriber);
    for (const client of [this.#publisher, this.#subscriber]) client.on('error', (error: Error) => log.warn({ error: error.message }, 'redis'));
    let ready = 0;
    this.#subscriber.on('ready', () => {
      for (const channel of new Set([...this.#asked.keys(), ...this.#wanted.keys()])) this.#settle(channel);
      if (ready++ > 0) setTimeout(() => this.#renewed(), SETTLE_MS).unref();
    });
    this.#pubsub = new RedisPubSub({ publisher: this.#publisher, subscriber: this.#subscriber });
  }

  get ready(): boolean {
    return this.#publisher.status === 'ready' && this.#subscriber.status === 'ready';
  }

  publish(channel: string, message: object): Promise<unknown> {
    return this.#pubsub.publish(channel, message);
  }

  subscribe(channel: string, receive: (message: object) => void): Promise<unknown> {
    return new Promise<void>((taken, refused) => {
      this.#wanted.set(channel, { receive, taken, refused });
      this.#settle(channel);
    });
  }

  unsubscribe(channel: string): void {
    this.#wanted.get(channel)?.taken();
    this.#wanted.delete(channel);
    this.#settle(channel);
  }

  onRenewed(handler: () => void): void {
    this.#renewed = handler;
  }

  reconnect(): void {
    for (const client of [this.#publisher, this.#subscriber]) if (client.status === 'ready' || client.status === 'connect') client.disconnect(true);
  }

  close(): void {
    this.#wanted.clear();
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  /** Brings a channel to what is wanted of it: now, or once its subscription has been answered, or when Redis is back. */
  #settle(channel: string): void {
    if (this.#subscriber.status !== 'ready') return;
    const [wanted, asked] = [this.#wanted.get(channel), this.#asked.get(channel)];
    if (asked === 'under way') return;
    if (!wanted) {
      if (asked === undefined) return;
      this.#asked.delete(channel);
      this.#pubsub.unsubscribe(asked);
    } else if (asked === undefined) void this.#ask(channel);
    else wanted.taken();
  }

  async #ask(channel: string): Promise<void> {
    this.#asked.set(channel, 'under way');
    try {
      this.#asked.set(channel, await this.#pubsub.subscribe(channel, (message) => this.#wanted.get(channel)?.receive(message as object)));
    } catch (error) {
      this.#asked.delete(channel);
      return this.#wanted.get(channel)?.refused(error);
    }
    this.#settle(channel);
  }
}

/** By a cluster. Sharded: a message goes to the node of its channel's slot and is not spread over all nodes, so that more nodes carry more. */
class ShardedChannels implements RedisChannels {
  readonly #cluster: Cluster;
  readonly #receivers = new Map<string, (message: object) => void>();
  /** Asked for while the cluster could not be reached. What it has once taken, ioredis keeps, also where slots move. */
  readonly #failed = new Set<string>();
  #renewed: () => void = () => undefined;
  #renewing: NodeJS.Timeout | null = null;

  constructor(settings: RedisSettings, log: Logger) {
    this.#cluster = connectCluster(settings, { commandTimeout: COMMAND_MS, sharded: true });
    this.#cluster.on('error', (error: Error) => log.warn({ error: error.message }, 'redis cluster'));
    this.#cluster.on('smessage', (channel: string, text: string) => this.#receivers.get(channel)?.(JSON.parse(text) as object));
    for (const event of ['ready', '+node', '-node']) this.#cluster.on(event, () => this.#renewSoon());
  }

  get ready(): boolean {
    return this.#cluster.status === 'ready';
  }

  publish(channel: string, message: object): Promise<unknown> {
    return this.#cluster.spublish(channel, JSON.stringify(message));
  }

  async subscribe(channel: string, receive: (message: object) => void): Promise<unknown> {
    this.#receivers.set(channel, receive);
    try {
      return await this.#cluster.ssubscribe(channel);
    } catch (error) {
      if (this.#receivers.has(channel)) this.#failed.add(channel);
      throw error;
    }
  }

  unsubscribe(channel: string): void {
    this.#receivers.delete(channel);
    this.#failed.delete(channel);
    this.#cluster.sunsubscribe(channel).catch(() => undefined);
  }

  onRenewed(handler: () => void): void {
    this.#renewed = handler;
  }

  reconnect(): void {
    if (this.ready) this.#cluster.disconnect(true);
  }

  close(): void {
    if (this.#renewing) clearTimeout(this.#renewing);
    this.#receivers.clear();
    this.#cluster.disconnect();
  }

  #renewSoon(): void {
    this.#renewing ??= setTimeout(() => {
      this.#renewing = null;
      void this.#renew();
    }, SETTLE_MS).unref();
  }

  async #renew(): Promise<void> {
    const failed = [...this.#failed];
    this.#failed.clear();
    await Promise.all(
      failed.map(async (channel) => {
        // ioredis notes a channel each time it is asked for; what it has noted is taken back first.
        await this.#cluster.sunsubscribe(channel).catch(() => undefined);
        const receive = this.#receivers.get(channel);
        if (receive) await this.subscribe(channel, receive).catch(() => undefined);
      }),
    );
    this.#renewed();
  }
}
