import type { Hub } from '../../events/hub.js';
import type { Attachment } from './attachment.js';
import { Channel, type ChannelDeps } from './channel.js';

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
    private readonly hub: Pick<Hub, 'follow' | 'unfollow'>,
    private readonly deps: ChannelDeps,
  ) {}

  /** Opens channels, all together in one reading of heads. Each is released once for each opening. */
  async open(streams: readonly string[]): Promise<Map<string, Channel>> {
    // A channel that was reset serves nobody any more: a new one takes its place.
    for (const stream of streams) {
      const entry = this.#entries.get(stream);
      if (entry?.channel.over) this.#drop(entry);
    }
    const missing = streams.filter((stream) => !this.#entries.has(stream));
    if (missing.length) {
      const made = new Map(missing.map((stream) => [stream, new Channel(stream, this.deps)]));
      const ready = this.hub.follow(made);
      for (const [stream, channel] of made) this.#entries.set(stream, { channel, ready, users: 0, idle: null });
    }
    const entries = streams.map((stream) => this.#entries.get(stream)!);
    for (const entry of entries) this.#hold(entry);
    try {
      await Promise.all(entries.map((entry) => entry.ready));
    } catch (error) {
      for (const entry of entries) await entry.ready.then(() => this.release(entry.channel), () => this.#forget(entry));
      throw error;
    }
    return new Map(entries.map(({ channel }) => [channel.stream, channel]));
  }

  /** Lets go of a channel that `open` has given. */
  release(channel: Channel): void {
    const entry = this.#entries.get(channel.stream);
    // Another channel may have taken the place of one that was reset.
    if (entry?.channel !== channel || --entry.users > 0) return;
    entry.idle = setTimeout(() => this.#drop(entry), LINGER_MS);
    entry.idle.unref();
  }

  get(stream: string): Channel | undefined {
    return this.#entries.get(stream)?.channel;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Every attachment of every channel, for counting. */
  *attachments(): Iterable<Attachment> {
    for (const { channel } of this.#entries.values()) yield* channel.attachments;
  }

  close(): void {
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
  }

  #hold(entry: Entry): void {
    entry.users++;
    if (entry.idle) clearTimeout(entry.idle);
    entry.idle = null;
  }

  #drop(entry: Entry): void {
    entry.channel.close();
    if (this.#forget(entry)) this.hub.unfollow(entry.channel.stream);
  }

  /** Returns whether the entry was the stream's own still. */
  #forget(entry: Entry): boolean {
    if (entry.idle) clearTimeout(entry.idle);
    return this.#entries.get(entry.channel.stream) === entry && this.#entries.delete(entry.channel.stream);
  }
}
