import type { Ground } from '../lib/ground.js';
import { measurePages } from '../lib/pages.js';
import type { Row } from '../lib/report.js';
import type { ReadsTarget } from '../targets/target.js';

export const READS = { chats: 1_000, messages: 60, page: 50, reactions: 2, concurrency: 32, warmUp: 3_000, requests: 5_000, rounds: 3 };

/** Pages of 50 messages with senders and reactions, over so many chats that nobody's cache of answers would help. */
export function runReads(ground: Ground, target: ReadsTarget, profile?: string): Promise<Row> {
  const check = (body: Buffer) => {
    const { messages, senders, reactions } = target.count(body);
    if (messages !== READS.page || senders !== READS.page || reactions !== READS.page * READS.reactions) throw new Error(`an answer shows ${messages} messages, ${senders} senders, ${reactions} reactions`);
  };
  return measurePages(ground, target, READS, check, profile);
}
