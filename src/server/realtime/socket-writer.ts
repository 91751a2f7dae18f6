import type { Duplex } from 'node:stream';

/** Past this a turn's frames leave in more than one write: one huge buffer costs more than it saves. */
const MAX_COALESCED = 64 * 1024;
const MAX_HEADER = 10;
const TEXT_FRAME = 0x81;

/** The writers with something to say in this turn of the loop. */
const ready: SocketWriter[] = [];

function flushAll(): void {
  const writers = ready.splice(0);
  for (const writer of writers) writer.flush();
}

/**
 * Writes WebSocket text frames (RFC 6455, unmasked as a server must) straight to the socket. What becomes ready for one
 * socket within one turn of the loop leaves in one write, in order.
 */
export class SocketWriter {
  /** Frames not yet written: their payloads, each in two parts that are adjacent on the wire. */
  #heads: Buffer[] = [];
  #tails: Buffer[] = [];
  /** The payloads' bytes, and a header's room for each. */
  #bytes = 0;
  #scheduled = false;

  constructor(
    private readonly socket: Duplex,
    /** Bytes that may wait in this process for the socket to take them. */
    private readonly maxBuffered: number,
    private readonly onOverflow: () => void,
  ) {}

  get buffered(): number {
    return this.socket.writableLength + this.#bytes;
  }

  /** A text message, in two parts. */
  write(head: Buffer, tail: Buffer): void {
    const length = head.length + tail.length + MAX_HEADER;
    if (this.buffered + length > this.maxBuffered) return this.onOverflow();
    this.#heads.push(head);
    this.#tails.push(tail);
    this.#bytes += length;
    if (this.#bytes > MAX_COALESCED) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (ready.push(this) === 1) setImmediate(flushAll);
  }

  /** Writes what waits. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#heads.length) return;
    const buffer = Buffer.allocUnsafe(this.#bytes);
    let end = 0;
    for (const [index, head] of this.#heads.entries()) {
      const tail = this.#tails[index]!;
      end = writeHeader(buffer, end, head.length + tail.length);
      end += head.copy(buffer, end);
      end += tail.copy(buffer, end);
    }
    this.#heads = [];
    this.#tails = [];
    this.#bytes = 0;
    if (!this.socket.destroyed) this.socket.write(buffer.subarray(0, end));
  }
}

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
