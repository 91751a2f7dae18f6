import type { EventRef, LoggedEvent } from '../../src/events/catalogue.js';
import type { EventLog, Published, StreamHead } from '../../src/events/log.js';

/** The log in memory, with the failures that a test wants of it. */
export class FakeLog implements Pick<EventLog, 'read' | 'heads' | 'head'> {
  readonly streams = new Map<string, { epoch: string; events: LoggedEvent[]; droppedUpTo: number }>();
  /** Thrown by the next readings, one each. */
  readonly failures: Error[] = [];
  reads = 0;
  /** How long a reading takes; a turn of the loop unless told. */
  latency: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve));

  stream(name: string): { epoch: string; events: LoggedEvent[]; droppedUpTo: number } {
    let stream = this.streams.get(name);
    if (!stream) this.streams.set(name, (stream = { epoch: EPOCH, events: [], droppedUpTo: 0 }));
    return stream;
  }

  /** Commits events and answers their hint. */
  commit(name: string, ...refs: EventRef[]): Published {
    const { epoch, events } = this.stream(name);
    const made = refs.map((ref, index) => ({ pos: events.length + index + 1, at: 0, ref }));
    events.push(...made);
    return { stream: name, epoch, events: made };
  }

  async heads(names: string[]): Promise<Map<string, StreamHead>> {
    // As PostgreSQL would: the answer is of the time of the question.
    const found = new Map(names.filter((name) => this.streams.has(name)).map((name) => [name, { epoch: this.stream(name).epoch, head: this.stream(name).events.length }]));
    await this.#answer();
    return found;
  }

  async head(name: string): Promise<StreamHead> {
    const { epoch, events } = this.stream(name);
    return { epoch, head: events.length };
  }

  async read(name: string, after: number, upTo: number, limit: number): Promise<LoggedEvent[]> {
    const { events, droppedUpTo } = this.stream(name);
    const found = events.filter(({ pos }) => pos > after && pos <= upTo && pos > droppedUpTo).slice(0, limit);
    this.reads++;
    await this.#answer();
    return found;
  }

  async #answer(): Promise<void> {
    await this.latency();
    const failure = this.failures.shift();
    if (failure) throw failure;
  }
}

export const EPOCH = '00000000-0000-4000-8000-000000000001';
export const quiet = { warn: () => undefined };
export const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};
