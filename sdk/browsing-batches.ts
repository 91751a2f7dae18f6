import { fromBase64, pack, toBase64, unpack } from './bytes.js';
import { failure } from './errors.js';

/** An event as rrweb's `record` emits it, and its Replayer takes it. */
export interface BrowsingEvent {
  type: number;
  timestamp: number;
  data?: unknown;
}

/** An event that waits to be sent. */
export interface WaitingEvent {
  type: number;
  timestamp: number;
  /** As JSON. */
  text: string;
}

/** Of rrweb's events: the page as a whole, and what comes before it, the size of the window. */
export const FULL_SNAPSHOT = 2;
export const META = 4;
const CUSTOM = 5;

/** Of one batch: events, and characters, unless a single one has more. */
const BATCH_EVENTS = 2_000;
const BATCH_LENGTH = 1024 * 1024;
const PACK_FROM_BYTES = 1024;
/** What the server takes as one batch: as it is sent, and unpacked. */
const SENT_BYTES = 512 * 1024;
const PLAIN_BYTES = 8 * 1024 * 1024;
/** What is larger goes in pieces of so much, up to so much: packed, and unpacked. */
const PIECE_BYTES = 360 * 1024;
const PIECES_BYTES = 2 * 1024 * 1024;
const PIECES_PLAIN_BYTES = 32 * 1024 * 1024;

/** In place of `data`: a part of the bytes of a packed batch that is too large for one. */
interface Piece {
  index: number;
  of: number;
  /** In base64. */
  bytes: string;
}

/** How many of the waiting events go into one batch. One with a full snapshot begins with what comes before it: whoever comes late begins there. */
export function countOfBatch(waiting: readonly WaitingEvent[]): number {
  let length = 0;
  let count = 0;
  for (const { type, text } of waiting) {
    const opens = count === 0 || (count === 1 && waiting[0]!.type === META);
    if (!opens && (type === META || count === BATCH_EVENTS || length + text.length > BATCH_LENGTH)) break;
    length += text.length;
    count++;
  }
  return count;
}

/** The batches as which events are sent: one, or several with a piece each. Throws TOO_LARGE. */
export async function batchesOf(events: readonly WaitingEvent[]): Promise<Uint8Array[]> {
  const plain = new TextEncoder().encode(`[${events.map(({ text }) => text).join()}]`);
  if (plain.length > PIECES_PLAIN_BYTES) throw tooLarge(plain.length, PIECES_PLAIN_BYTES);
  const bytes = plain.length > PACK_FROM_BYTES ? await pack(plain) : plain;
  if (bytes.length <= SENT_BYTES && plain.length <= PLAIN_BYTES) return [bytes];
  if (bytes.length > PIECES_BYTES) throw tooLarge(bytes.length, PIECES_BYTES);
  const of = Math.ceil(bytes.length / PIECE_BYTES);
  // The first tells whether it is a snapshot, since the server reads no pieces.
  const typeOf = (index: number) => (index === 0 && events.some(({ type }) => type === FULL_SNAPSHOT) ? FULL_SNAPSHOT : CUSTOM);
  return [...Array(of).keys()].map((index) => {
    const piece: Piece = { index, of, bytes: toBase64(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)) };
    return new TextEncoder().encode(JSON.stringify([{ type: typeOf(index), timestamp: events[0]!.timestamp, piece }]));
  });
}

/** Reads what a presenter sent, in order. */
export class BatchReader {
  #pieces: Uint8Array[] = [];
  /** What the presenter's clock lacks to this one; at first with what is late. */
  #shift = Infinity;
  /** Not before it began to read: the Replayer never shows what came before it went live, when it has not all been there from the beginning. */
  #last = Date.now();

  /**
   * The events of one entry, with their times by this client's clock: in order, not before this was made nor later than now, and as
   * far apart as they were from when this client has caught up. None: of a batch in pieces some are yet to come. Throws TOO_LARGE, or a SyntaxError and the like.
   */
  async read(update: string): Promise<BrowsingEvent[]> {
    const events = parse(await unpack(fromBase64(update), PLAIN_BYTES));
    const { piece } = events[0] as { piece?: Piece };
    if (piece) return this.#join(piece);
    this.#pieces = [];
    return this.#timed(events);
  }

  async #join({ index, of, bytes }: Piece): Promise<BrowsingEvent[]> {
    if (index === 0) this.#pieces = [];
    // Of a batch whose presenter has gone before its end.
    if (index !== this.#pieces.length) return [];
    if (index * PIECE_BYTES >= PIECES_BYTES) throw tooLarge(of * PIECE_BYTES, PIECES_BYTES);
    this.#pieces.push(fromBase64(bytes));
    if (this.#pieces.length < of) return [];
    const whole = new Uint8Array(await new Blob(this.#pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    this.#pieces = [];
    return this.#timed(parse(await unpack(whole, PIECES_PLAIN_BYTES)));
  }

  #timed(events: BrowsingEvent[]): BrowsingEvent[] {
    this.#shift = Math.min(this.#shift, Date.now() - events.at(-1)!.timestamp);
    for (const event of events) event.timestamp = this.#last = Math.max(this.#last, event.timestamp + this.#shift);
    return events;
  }
}

const parse = (bytes: Uint8Array): BrowsingEvent[] => JSON.parse(new TextDecoder().decode(bytes)) as BrowsingEvent[];

const tooLarge = (is: number, most: number) => failure('TOO_LARGE', `The page is too large to be shown: ${is} bytes, ${most} at the most.`);
