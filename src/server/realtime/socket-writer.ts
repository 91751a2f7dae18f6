import type { Duplex } from 'node:stream';

/** Past this a turn's frames leave in more than one write: one huge buffer costs more than it saves. */
const MAX_COALESCED = 64 * 1024;
const MAX_HEADER = 10;
const TEXT_FRAME = 0x81;
/** Room behind a message larger than all room: for its operation's end, and for answers to pings. */
const SMALL_TALK = 4 * 1024;

/** Writes put together last, for sockets that get the very same: in a room most do. As many as there are different subscriptions to most rooms. */
const MAX_SHARED = 8;
interface Together {
  heads: readonly Buffer[];
  tails: readonly Buffer[];
  bytes: Buffer;
}
const shared: Together[] = [];
let nextShared = 0;

/** Short buffers are cut from blocks of so many bytes: one turn writes hundreds of them, and each block costs an allocation outside the heap. */
Buffer.poolSize = 64 * 1024;

/**
 * Events are a burst where one follows another within so many milliseconds: it then waits a moment for those behind it, and they leave together.
 * One that stands alone is not delayed, nor is anything that answers a client.
 */
export const BURST_MS = 40;
/** The moment: as long as writing to everybody took last, so that half of the time at most goes into writing, within these bounds. */
export const GATHER_MS = 4;
const MAX_GATHER_MS = 12;

/** The writers with something to say in this turn of the loop, and those that gather. */
const ready: SocketWriter[] = [];
const gathering: SocketWriter[] = [];
let gatherMs = GATHER_MS;

function flushReady(): void {
  const now = performance.now();
  for (const writer of ready.splice(0)) {
    if (writer.mayGo(now)) writer.flush(now);
    else if (gathering.push(writer) === 1) setTimeout(flushGathered, gatherMs);
  }
}

function flushGathered(): void {
  const now = performance.now();
  for (const writer of gathering.splice(0)) writer.flush(now);
  gatherMs = Math.min(Math.max(performance.now() - now, GATHER_MS), MAX_GATHER_MS);
}

/**
 * Writes WebSocket text frames (RFC 6455, unmasked as a server must) straight to the socket. What becomes ready for one
 * socket within one turn of the loop leaves in one write, in order; in a burst of events, what becomes ready within a few milliseconds. What the socket can't take yet waits here, as references
 * to payloads that many sockets share.
 */
export class SocketWriter {
  /** Frames not yet written: their payloads, each in two parts that are adjacent on the wire. */
  #heads: Buffer[] = [];
  #tails: Buffer[] = [];
  /** The payloads' bytes, and a header's room for each. */
  #bytes = 0;
  /** Whether a flush is to come; and whether it waits for no others. */
  #scheduled = false;
  #urgent = false;
  #flushedAt = -BURST_MS;
  /** Bytes that may wait: more than `maxBuffered` while a single message that is larger is on its way. */
  #limit: number;

  constructor(
    private readonly socket: Duplex,
    /** Bytes that may wait in this process for the socket to take them; one message alone may be larger. */
    private readonly maxBuffered: number,
    private readonly onOverflow: () => void,
  ) {
    this.#limit = maxBuffered; // the socket may hold the answer to its upgrade still
    socket.on('drain', () => this.flush());
  }

  get buffered(): number {
    return this.socket.writableLength + this.#bytes;
  }

  /** A text message, in two parts; an `urgent` one leaves in this turn, with all that was said before it. */
  write(head: Buffer, tail: Buffer, urgent: boolean): void {
    const length = head.length + tail.length + MAX_HEADER;
    const { buffered } = this;
    if (!buffered) this.#limit = Math.max(this.maxBuffered, length + SMALL_TALK);
    if (buffered + length > this.#limit) return this.onOverflow();
    this.#heads.push(head);
    this.#tails.push(tail);
    this.#bytes += length;
    if (this.#bytes > MAX_COALESCED && this.#scheduled) return this.flush();
    if (this.#scheduled && (!urgent || this.#urgent)) return;
    this.#scheduled = true;
    this.#urgent = urgent;
    if (ready.push(this) === 1) setImmediate(flushReady);
  }

  /** Whether it is this turn that what waits leaves in. */
  mayGo(now: number): boolean {
    return this.#urgent || now - this.#flushedAt >= BURST_MS;
  }

  /** Writes what waits, as far as the socket takes it; it goes on when the socket has drained. */
  flush(now = performance.now()): void {
    this.#scheduled = this.#urgent = false;
    if (!this.#heads.length) return;
    this.#flushedAt = now;
    while (this.#heads.length && !this.socket.writableNeedDrain) this.#writeSome();
  }

  /** Writes all that waits, whether or not the socket takes it now: a close frame follows. */
  finish(): void {
    while (this.#heads.length) this.#writeSome();
  }

  /** Drops what has not been handed to the socket. */
  discard(): void {
    this.#heads.length = this.#tails.length = 0;
    this.#bytes = 0;
  }

  /** One write, of as many frames as it coalesces. */
  #writeSome(): void {
    let bytes = 0;
    let count = 0;
    for (; count < this.#heads.length && (count === 0 || bytes < MAX_COALESCED); count++) bytes += this.#heads[count]!.length + this.#tails[count]!.length + MAX_HEADER;
    const heads = this.#heads;
    const tails = this.#tails;
    const whole = count === heads.length;
    const together = framed(whole ? heads : heads.slice(0, count), whole ? tails : tails.slice(0, count));
    if (whole) {
      this.#heads = [];
      this.#tails = [];
    } else {
      heads.splice(0, count);
      tails.splice(0, count);
    }
    this.#bytes -= bytes;
    if (!this.socket.destroyed) this.socket.write(together);
  }
}

/** Frames one behind the other: those that were put together for another socket where they are the same. Keeps the arrays. */
function framed(heads: readonly Buffer[], tails: readonly Buffer[]): Buffer {
  const count = heads.length;
  for (const known of shared) if (known.tails[0] === tails[0] && known.tails.length === count && isSame(known.heads, heads) && isSame(known.tails, tails)) return known.bytes;
  let length = 0;
  for (let index = 0; index < count; index++) length += frameLength(heads[index]!.length + tails[index]!.length);
  const bytes = Buffer.allocUnsafe(length);
  let end = 0;
  for (let index = 0; index < count; index++) {
    const head = heads[index]!;
    const tail = tails[index]!;
    end = writeHeader(bytes, end, head.length + tail.length);
    bytes.set(head, end);
    end += head.length;
    bytes.set(tail, end);
    end += tail.length;
  }
  // An answer, which stands in one part, is for one socket alone.
  if (tails[0]!.length) {
    shared[nextShared] = { heads, tails, bytes };
    nextShared = (nextShared + 1) % MAX_SHARED;
  }
  return bytes;
}

function isSame(some: readonly Buffer[], others: readonly Buffer[]): boolean {
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

const frameLength = (payload: number): number => payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : MAX_HEADER);

/** Returns the offset behind the header. */
function writeHeader(buffer: Buffer, at: number, length: number): number {
  buffer[at] = TEXT_FRAME;
  if (length < 126) {
    buffer[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    buffer[at + 1] = 126;
    return buffer.writeUInt16BE(length, at + 2);
  }
  buffer[at + 1] = 127;
  return buffer.writeBigUInt64BE(BigInt(length), at + 2);
}
