import type { Duplex } from 'node:stream';

/** Past this a turn's frames leave in more than one write: one huge buffer costs more than it saves. */
const MAX_COALESCED = 64 * 1024;

/**
 * Writes WebSocket text frames (RFC 6455, unmasked as a server must) straight to the socket. What becomes ready for one
 * socket within one turn of the loop leaves in one write, in order.
 */
export class SocketWriter {
  #frames: Buffer[] = [];
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

  /** A text message in two parts that are adjacent on the wire. */
  write(head: Buffer, tail?: Buffer): void {
    const length = head.length + (tail?.length ?? 0);
    if (this.buffered + length > this.maxBuffered) return this.onOverflow();
    this.#frames.push(frameHeader(length), head);
    if (tail) this.#frames.push(tail);
    this.#bytes += length + 10;
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => setImmediate(() => this.flush()));
    } else if (this.#bytes > MAX_COALESCED) {
      this.#write();
    }
  }

  flush(): void {
    this.#scheduled = false;
    this.#write();
  }

  #write(): void {
    if (!this.#frames.length) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    if (!this.socket.destroyed) this.socket.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }
}

function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  if (length < 65_536) {
    const header = Buffer.allocUnsafe(4);
    header[0] = 0x81;
    header[1] = 126;
    header.writeUInt16BE(length, 2);
    return header;
  }
  const header = Buffer.allocUnsafe(10);
  header[0] = 0x81;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}
