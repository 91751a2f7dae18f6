/** A message on the bus: plain JSON. */
export type BusMessage = object;
/** `by-postgres`: Redis is away, and what it would carry goes through PostgreSQL, slower; `away`: only the comparison with the log is left. */
export type BusState = 'ok' | 'by-postgres' | 'away';
export type BusHandler = (message: BusMessage) => void;

/**
 * Carries hints between processes: that a stream has new events, that somebody types, that a cache is stale. Delivery
 * is at most once and unordered: whoever needs more reads PostgreSQL (see Hub).
 */
export interface Bus {
  /** Hands the message to every subscriber of the topic, in this process at once. Never throws, never waits. */
  publish(topic: string, message: BusMessage): void;
  /** Resolves when messages published from now on, by any process, will arrive. */
  subscribe(topic: string, handler: BusHandler): Promise<void>;
  unsubscribe(topic: string, handler: BusHandler): void;
  /** Called after messages may have been lost and the bus is well again. */
  onRecovered(handler: () => void): void;
  readonly healthy: boolean;
  readonly state: BusState;
  close(): Promise<void>;
}

/** The bus of a single process, and the local half of every other. */
export class LocalBus implements Bus {
  readonly healthy = true;
  readonly state = 'ok';
  readonly #topics = new Map<string, Set<BusHandler>>();

  constructor(private readonly onError: (error: unknown, topic: string) => void = () => undefined) {}

  publish(topic: string, message: BusMessage): void {
    const handlers = this.#topics.get(topic);
    if (!handlers) return;
    for (const handler of handlers) {
      // Whoever publishes has committed: a subscriber's fault is not theirs.
      try {
        handler(message);
      } catch (error) {
        this.onError(error, topic);
      }
    }
  }

  async subscribe(topic: string, handler: BusHandler): Promise<void> {
    this.add(topic, handler);
  }

  /** Returns whether this is the topic's first handler. */
  add(topic: string, handler: BusHandler): boolean {
    const handlers = this.#topics.get(topic);
    if (handlers) handlers.add(handler);
    else this.#topics.set(topic, new Set([handler]));
    return !handlers;
  }

  unsubscribe(topic: string, handler: BusHandler): void {
    this.remove(topic, handler);
  }

  /** Returns whether the topic has no handler any more. */
  remove(topic: string, handler: BusHandler): boolean {
    const handlers = this.#topics.get(topic);
    if (!handlers?.delete(handler) || handlers.size) return false;
    this.#topics.delete(topic);
    return true;
  }

  onRecovered(): void {
    // Nothing is ever lost inside one process.
  }

  async close(): Promise<void> {
    this.#topics.clear();
  }
}
