import { LocalBus, type Bus, type BusHandler, type BusMessage } from '../../src/events/bus.js';

/** What joins the buses of several nodes in one process, as Redis joins processes; and does to messages whatever a test wants. */
export class Ether {
  readonly #nodes = new Set<LocalBus>();
  /** How often, and after how many milliseconds each time, a message arrives: none at all loses it. */
  fate: (topic: string) => readonly number[] = () => [0];
  lost = 0;
  readonly #timers = new Set<NodeJS.Timeout>();

  /** The bus of one more node. Its own publishes are as unruly as the others'. */
  node(): Bus {
    const local = new LocalBus();
    this.#nodes.add(local);
    return {
      healthy: true,
      state: 'ok',
      publish: (topic, message) => this.#spread(topic, message),
      subscribe: (topic: string, handler: BusHandler) => local.subscribe(topic, handler),
      unsubscribe: (topic: string, handler: BusHandler) => local.unsubscribe(topic, handler),
      onRecovered: () => undefined,
      close: async () => {
        this.#nodes.delete(local);
        if (!this.#nodes.size) for (const timer of this.#timers) clearTimeout(timer);
        await local.close();
      },
    };
  }

  #spread(topic: string, message: BusMessage): void {
    const text = JSON.stringify(message); // as it would travel
    for (const node of this.#nodes) {
      const delays = this.fate(topic);
      if (!delays.length) this.lost++;
      for (const delay of delays) {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          node.publish(topic, JSON.parse(text) as BusMessage);
        }, delay);
        this.#timers.add(timer);
      }
    }
  }
}
