import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../lib/logger.js';
import { LocalBus, type Bus, type BusHandler, type BusMessage, type BusState } from './bus.js';
import type { Detour } from './detour.js';
import { redisChannels, type RedisChannels } from './redis-channels.js';
import { isCluster, type RedisSettings } from './redis-connect.js';

interface Envelope {
  from: string;
  message: BusMessage;
  /** Counts what a process has sent by two ways, so that it is taken once. */
  n?: number;
}
/** By the detour: a message, or that a process has no Redis. */
type Detoured = (Envelope & { topic: string }) | { away: string };

const PREFIX = 'omnitalk:';
/** Messages that Redis has not taken yet; past this, more are dropped: receivers reconcile with the database. */
const MAX_PENDING = 10_000;
/** A Redis that accepts and does not answer must not hold up a subscriber: reconciliation stands in meanwhile. */
const SUBSCRIBE_PATIENCE_MS = 1_000;
/** Each process sends itself a message by Redis this often, and is without Redis when none has come back for a while. */
const PROBE_EVERY_MS = 1_000;
const SILENCE_MS = 2_500;
/** A silent connection is made anew after that long, and again as often. */
const RECONNECT_AFTER_MS = 6_000;
/** One probe goes by one node of a cluster: as many reach each of a few masters. */
const CLUSTER_PROBES = 12;
/** Who has said that it is without Redis is believed that long; it says it anew with each probe. */
const AWAY_MS = 4_000;
const MAX_AWAY = 10_000;
/** Messages that came by two ways, kept until the second has come. */
const MAX_TWICE = 20_000;

/**
 * The bus between processes. Handlers in this process are called directly, so a Redis outage delays other processes
 * alone, and one's own echo is dropped by its sender's id. While this process is without Redis, or another says that it is, messages also
 * go through PostgreSQL (`Detour`), where there is one.
 */
export class RedisBus implements Bus {
  readonly #local: LocalBus;
  readonly #id = randomUUID();
  readonly #channels: RedisChannels;
  readonly #subscriptions = new Map<string, Promise<unknown>>();
  readonly #recovered: (() => void)[] = [];
  readonly #probes: NodeJS.Timeout;
  readonly #probeTopics: string[];
  /** When a probe last came back, by its topic. */
  readonly #heard = new Map<string, number>();
  readonly #away = new Map<string, number>();
  readonly #twice = new LRUCache<string, true>({ max: MAX_TWICE, ttl: 60_000 });
  #answers = true;
  #reconnectedAt = performance.now();
  #sent = 0;
  #pending = 0;
  #closed = false;

  constructor(
    settings: RedisSettings,
    private readonly log: Logger,
    private readonly detour: Detour | null = null,
  ) {
    this.#local = new LocalBus((error, topic) => log.error({ topic, error: (error as Error).message }, 'a subscriber of the bus failed'));
    this.#channels = redisChannels(settings, log);
    this.#channels.onRenewed(() => this.#recover());
    this.#probeTopics = Array.from({ length: isCluster(settings) ? CLUSTER_PROBES : 1 }, (_, index) => `${PREFIX}probe:${this.#id}:${index}`);
    for (const topic of this.#probeTopics) {
      this.#heard.set(topic, performance.now());
      this.#channels.subscribe(topic, () => this.#heard.set(topic, performance.now())).catch(() => undefined);
    }
    this.#probes = setInterval(() => this.#probe(), PROBE_EVERY_MS);
    this.#probes.unref();
    detour?.onMessage((text) => this.#takeDetoured(JSON.parse(text) as Detoured));
    detour?.onRenewed(() => this.state !== 'ok' && this.#recover());
  }

  get state(): BusState {
    if (this.#answers && this.#channels.ready) return 'ok';
    return this.detour?.ready ? 'by-postgres' : 'away';
  }

  get healthy(): boolean {
    return this.state === 'ok';
  }

  publish(topic: string, message: BusMessage): void {
    this.#local.publish(topic, message);
    const envelope: Envelope = { from: this.#id, message };
    if (this.detour && (!this.healthy || this.#othersAway())) {
      envelope.n = ++this.#sent;
      this.detour.send(JSON.stringify({ topic, ...envelope } satisfies Detoured));
    }
    if (!this.#channels.ready || this.#pending >= MAX_PENDING) return; // receivers reconcile with the database
    this.#pending++;
    this.#channels
      .publish(PREFIX + topic, envelope)
      .catch((error: Error) => this.log.warn({ topic, error: error.message }, 'redis publish failed'))
      .finally(() => this.#pending--);
  }

  async subscribe(topic: string, handler: BusHandler): Promise<void> {
    if (this.#local.add(topic, handler)) {
      const subscription = this.#channels.subscribe(PREFIX + topic, (envelope) => this.#take(topic, envelope as Envelope));
      // While Redis is away the detour and the hub's reconciliation stand in, so nobody waits for it.
      subscription.catch((error: Error) => this.log.warn({ topic, error: error.message }, 'redis subscribe failed'));
      this.#subscriptions.set(topic, subscription);
    }
    if (this.healthy) await patiently(this.#subscriptions.get(topic)!);
  }

  unsubscribe(topic: string, handler: BusHandler): void {
    if (!this.#local.remove(topic, handler)) return;
    this.#subscriptions.delete(topic);
    if (!this.#closed) this.#channels.unsubscribe(PREFIX + topic);
  }

  onRecovered(handler: () => void): void {
    this.#recovered.push(handler);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#probes);
    await this.#local.close();
    this.#channels.close();
    await this.detour?.close();
  }

  #take(topic: string, { from, message, n }: Envelope): void {
    if (from === this.#id) return;
    if (n !== undefined) {
      const name = `${from} ${n}`;
      if (this.#twice.has(name)) return;
      this.#twice.set(name, true);
    }
    this.#local.publish(topic, message);
  }

  #takeDetoured(detoured: Detoured): void {
    if (!('away' in detoured)) return this.#take(detoured.topic, detoured);
    if (detoured.away === this.#id || this.#away.size >= MAX_AWAY) return;
    this.#away.set(detoured.away, performance.now() + AWAY_MS);
  }

  #othersAway(): boolean {
    if (!this.#away.size) return false;
    for (const [id, until] of this.#away) if (until < performance.now()) this.#away.delete(id);
    return this.#away.size > 0;
  }

  /** Asks Redis by what it is for: a connection may stand to a server that hangs, that has been cut off, or that has forgotten who listens. */
  #probe(): void {
    const now = performance.now();
    const answers = this.#channels.ready && Math.min(...this.#heard.values()) > now - SILENCE_MS;
    if (answers !== this.#answers) {
      this.#answers = answers;
      this.log.warn({ state: this.state }, answers ? 'the bus is back' : 'the bus does not answer');
      // What was sent in the seconds until this was noticed is in the log. Others know at once, and what is on its way arrives.
      setTimeout(() => this.#recover(), 300).unref();
    }
    if (!answers) {
      this.detour?.send(JSON.stringify({ away: this.#id } satisfies Detoured));
      if (this.#channels.ready && now - this.#reconnectedAt > RECONNECT_AFTER_MS) {
        this.#reconnectedAt = now;
        this.#channels.reconnect();
      }
    } else this.#reconnectedAt = now;
    if (this.#channels.ready) for (const topic of this.#probeTopics) this.#channels.publish(topic, {}).catch(() => undefined);
  }

  #recover(): void {
    if (!this.#closed) for (const handler of this.#recovered) handler();
  }
}

async function patiently(subscription: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, SUBSCRIBE_PATIENCE_MS)));
  await Promise.race([subscription.catch(() => undefined), enough]);
  clearTimeout(timer);
}
