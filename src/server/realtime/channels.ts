import type { Hub } from '../../events/hub.js';
import { Channel, type Attachment, type ChannelDeps } from './channel.js';

/** How long a channel that nobody listens to is kept: those who come back find its events at hand. */
const LINGER_MS = 10_000;

interface Entry {
  channel: Channel;
  ready: Promise<void>;
  users: number;
  idle: NodeJS.Timeout | null;
}

/** The channels of this process: opened when somebody listens, closed a while after the last has gone. */
export class Channels {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly hub: Hub,
    private readonly deps: ChannelDeps,
  ) {}

  /** Opens channels, all together in one reading of heads. Each is released once for each opening. */
  async open(streams: string[]): Promise<Map<string, Channel>> {
    // A channel that was reset serves nobody any more: a new one takes its place.
    for (const stream of streams) if (this.#entries.get(stream)?.channel.over) this.#drop(stream);
    const missing = streams.filter((stream) => !this.#entries.has(stream));
    if (missing.length) {
      const made = new Map(missing.map((stream) => [stream, new Channel(stream, this.deps)]));
      const ready = this.hub.follow(made);
      for (const [stream, channel] of made) this.#entries.set(stream, { channel, ready, users: 0, idle: null });
      ready.catch(() => missing.forEach((stream) => this.#entries.delete(stream)));
    }
    const entries = streams.map((stream) => this.#entries.get(stream)!);
    for (const entry of entries) this.#hold(entry);
    try {
      await Promise.all(entries.map((entry) => entry.ready));
    } catch (error) {
      for (const stream of streams) this.release(stream);
      throw error;
    }
    return new Map(streams.map((stream, index) => [stream, entries[index]!.channel]));
  }

  release(stream: string): void {
    const entry = this.#entries.get(stream);
    if (!entry || --entry.users > 0) return;
    entry.idle = setTimeout(() => this.#drop(stream), LINGER_MS);
    entry.idle.unref();
  }

  get(stream: string): Channel | undefined {
    return this.#entries.get(stream)?.channel;
  }

  /** Every attachment of every channel, for counting. */
  *attachments(): Iterable<Attachment> {
    for (const { channel } of this.#entries.values()) yield* channel.attachments;
  }

  close(): void {
    for (const stream of [...this.#entries.keys()]) this.#drop(stream);
  }

  #hold(entry: Entry): void {
    entry.users++;
    if (entry.idle) clearTimeout(entry.idle);
    entry.idle = null;
  }

  #drop(stream: string): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    if (entry.idle) clearTimeout(entry.idle);
    this.#entries.delete(stream);
    this.hub.unfollow(stream);
  }
}
