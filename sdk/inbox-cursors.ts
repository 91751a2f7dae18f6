import { chatStreamOf, offsetOf, streamOf } from './cursors.js';
import type { InboxEventsSubscription } from './generated/graphql.js';

/** Of whoever was removed and added again at once, the new stay may be told before the removal: so many that were left last are kept. */
const MAX_LEFT = 100;

/**
 * Where each stream of an inbox has come to. Those of chats that were left go in the end: the server takes a bounded number. That of a chat
 * which the viewer is in never does: without one it would go on from its live end, and what was missed would not be told.
 */
export class InboxCursors {
  readonly #cursors: Map<string, string>;
  /** Chats that were left, in this order. */
  readonly #left = new Set<string>();

  constructor(after: readonly string[]) {
    this.#cursors = new Map(after.map((cursor) => [streamOf(cursor), cursor]));
  }

  get all(): string[] {
    return [...this.#cursors.values()];
  }

  take(event: InboxEventsSubscription['inboxEvents']): void {
    switch (event.__typename) {
      case 'ResyncRequired':
        return;
      case 'InboxCheckpoint':
        for (const cursor of event.cursors) this.#cursors.set(streamOf(cursor), cursor);
        return;
      case 'ChatAdded':
        if (event.chatCursor) this.#enter(event.chatCursor);
        break;
      case 'ChatRemoved':
        this.#leave(chatStreamOf(event.chatId));
        break;
      default:
    }
    this.#move(event.cursor);
  }

  /** What is followed was told of by a checkpoint or ChatAdded, if no cursor was given: anything else is what a chat that has gone still says. */
  #move(cursor: string): void {
    const stream = streamOf(cursor);
    if (this.#cursors.has(stream)) this.#cursors.set(stream, cursor);
  }

  /** It comes along the viewer's own stream: the chat's may be ahead of it. */
  #enter(cursor: string): void {
    const stream = streamOf(cursor);
    this.#left.delete(stream);
    const known = this.#cursors.get(stream);
    if (!known || offsetOf(cursor) > offsetOf(known)) this.#cursors.set(stream, cursor);
  }

  #leave(stream: string): void {
    if (!this.#cursors.has(stream)) return;
    this.#left.delete(stream);
    this.#left.add(stream);
    const [first] = this.#left;
    if (this.#left.size <= MAX_LEFT) return;
    this.#left.delete(first!);
    this.#cursors.delete(first!);
  }
}
