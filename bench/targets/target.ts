import type { Ground } from '../lib/ground.js';
import type { PagesTarget } from '../lib/pages.js';
import type { Receiver } from '../lib/tally.js';
import type { ServerProcess } from '../lib/server-process.js';

/** One person in one room, connected. */
export interface Member {
  /** Sends a message to the room; an error shows as `fault`. */
  send(text: string): void;
  close(): void;
  readonly fault: Error | null;
}

/** A system that carries messages to rooms: ours, or a peer. */
export interface FanoutTarget {
  readonly server: ServerProcess;
  /** Rooms of so many members; connects everybody. `receivers` is called for each member, room by room. */
  connect(rooms: number, size: number, receiver: () => Receiver): Promise<Member[][]>;
  stop(): Promise<void>;
}

/** A system that answers with a page of 50 messages of a chat. */
export interface ReadsTarget extends PagesTarget {
  /** How many messages, senders and reactions an answer shows; throws when it is no answer. */
  count(body: Buffer): { messages: number; senders: number; reactions: number };
}

export type StartFanout = (ground: Ground) => Promise<FanoutTarget>;
export type StartReads = (ground: Ground) => Promise<ReadsTarget>;

/** Runs tasks, so many at a time. */
export async function eachOf<Item, Result>(items: readonly Item[], concurrency: number, work: (item: Item, index: number) => Promise<Result>): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(concurrency, items.length) }, async () => {
      for (let index; (index = next++) < items.length; ) results[index] = await work(items[index]!, index);
    }),
  );
  return results;
}
