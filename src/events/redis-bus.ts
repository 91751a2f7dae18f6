import { randomUUID } from 'node:crypto';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { Redis } from 'ioredis';
import type { Logger } from '../lib/logger.js';
import { LocalBus, type Bus, type BusHandler, type BusMessage } from './bus.js';

interface Envelope {
  from: string;
  message: BusMessage;
}

const PREFIX = 'omnitalk:';
/** A reconnect is tried this often at the least: a short outage must not become a long one. */
const MAX_RETRY_MS = 1_000;
/** Messages that Redis has not taken yet; past this, more are dropped: receivers reconcile with the database. */
const MAX_PENDING = 10_000;
/** A Redis that accepts and does not answer must not hold up a subscriber: reconciliation stands in meanwhile. */
const SUBSCRIBE_PATIENCE_MS = 1_000;

/** Unsubscribing from a Redis that goes away is done by its going: nobody waits for these answers. */
class Subscriber extends Redis {
  override unsubscribe(...channels: unknown[]): Promise<unknown> {
    return super.unsubscribe(...(channels as string[])).catch(() => undefined);
  }
  override punsubscribe(...patterns: unknown[]): Promise<unknown> {
    return super.punsubscribe(...(patterns as string[])).catch(() => undefined);
  }
}

/**
 * The bus between processes. Handlers in this process are called directly, so a Redis outage delays other processes
 * alone, and one's own echo is dropped by its sender's id.
 */
export class RedisBus implements Bus {
  readonly #local: LocalBus;
  readonly #id = randomUUID();
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #pubsub: RedisPubSub;
  readonly #subscriptions = new Map<string, Promise<number>>();
  readonly #recovered: (() => void)[] = [];
  #pending = 0;
  #closed = false;

  constructor(
    url: string,
    private readonly log: Logger,
  ) {
    this.#local = new LocalBus((error, topic) => log.error({ topic, error: (error as Error).message }, 'a subscriber of the bus failed'));
    const options = { retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, MAX_RETRY_MS), enableOfflineQueue: false, maxRetriesPerRequest: 0 };
    this.#publisher = new Redis(url, options);
    // Subscribing waits for the connection; ioredis subscribes again by itself after a reconnect. Its ready check is off: it asks INFO, which
    // fails where a subscription has been faster, and then takes the process with it. A Redis that still loads takes subscriptions already.
    this.#subscriber = new Subscriber(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true, enableReadyCheck: false });
    for (const client of [this.#publisher, this.#subscriber]) client.on('error', (error: Error) => this.log.warn({ error: error.message }, 'redis'));
    let ready = 0;
    this.#subscriber.on('ready', () => {
      if (ready++ > 0) setTimeout(() => this.#recovered.forEach((handler) => handler()), 50).unref();
    });
    this.#pubsub = new RedisPubSub({ publisher: this.#publisher, subscriber: this.#subscriber });
  }

  get healthy(): boolean {
    return this.#publisher.status === 'ready' && this.#subscriber.status === 'ready';
  }

  publish(topic: string, message: BusMessage): void {
    this.#local.publish(topic, message);
    if (this.#publisher.status !== 'ready' || this.#pending >= MAX_PENDING) return; // receivers reconcile with the database
    const envelope: Envelope = { from: this.#id, message };
    this.#pending++;
    this.#pubsub
      .publish(PREFIX + topic, envelope)
      .catch((error: Error) => this.log.warn({ topic, error: error.message }, 'redis publish failed'))
      .finally(() => this.#pending--);
  }

  async subscribe(topic: string, handler: BusHandler): Promise<void> {
    if (this.#local.add(topic, handler)) {
      const receive = (envelope: Envelope) => {
        if (envelope.from !== this.#id) this.#local.publish(topic, envelope.message);
      };
      const subscription = this.#pubsub.subscribe(PREFIX + topic, receive);
      // While Redis is away the hub's reconciliation stands in, so nobody waits for it.
      subscription.catch((error: Error) => this.log.warn({ topic, error: error.message }, 'redis subscribe failed'));
      this.#subscriptions.set(topic, subscription);
    }
    if (this.#subscriber.status === 'ready') await patiently(this.#subscriptions.get(topic)!);
  }

  unsubscribe(topic: string, handler: BusHandler): void {
    if (!this.#local.remove(topic, handler)) return;
    const subscription = this.#subscriptions.get(topic);
    this.#subscriptions.delete(topic);
    subscription?.then((id) => !this.#closed && this.#pubsub.unsubscribe(id)).catch(() => undefined);
  }

  onRecovered(handler: () => void): void {
    this.#recovered.push(handler);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#local.close();
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }
}

async function patiently(subscription: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, SUBSCRIBE_PATIENCE_MS)));
  await Promise.race([subscription.catch(() => undefined), enough]);
  clearTimeout(timer);
}
