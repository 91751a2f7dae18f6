import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A text message lies in `buffer` from `start` to `end`, and only during the call. */
export type FrameHandler = (buffer: Buffer, start: number, end: number) => void;

export interface LightSocketOptions {
  port: number;
  path: string;
  protocol?: string;
  onFrame: FrameHandler;
  onClose?(): void;
}

const READ_BYTES = 256 * 1024;
/** One buffer for all sockets: what is read is looked at before the next read. */
const shared = Buffer.allocUnsafe(READ_BYTES);
const NOTHING: Buffer = Buffer.alloc(0);

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * A WebSocket client that costs little, so that the measured server is what limits: frames are found in place, nothing is
 * inflated, and what is sent is masked with zero (which RFC 6455 allows and which changes no byte).
 */
export class LightSocket {
  #rest: Buffer = NOTHING;
  #fragments: Buffer = NOTHING;
  #upgraded = false;
  #opened: { resolve(): void; reject(error: Error): void } | null = null;
  readonly #socket: Socket;

  private constructor(private readonly options: LightSocketOptions) {
    this.#socket = connect({
      port: options.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: shared, callback: (length, buffer) => this.#read(buffer as Buffer, length) },
    });
  }

  static async open(options: LightSocketOptions): Promise<LightSocket> {
    const socket = new LightSocket(options);
    await socket.#handshake();
    return socket;
  }

  send(text: string | Buffer): void {
    this.#socket.write(frame(TEXT, typeof text === 'string' ? Buffer.from(text) : text));
  }

  /** Cuts the connection without a word, as a lost network does. */
  destroy(): void {
    this.#socket.destroy();
  }

  #handshake(): Promise<void> {
    const { path, port, protocol } = this.options;
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#socket.on('error', (error) => reject(error));
      this.#socket.on('close', () => {
        reject(new Error('closed before the upgrade'));
        if (this.#upgraded) this.options.onClose?.();
      });
      this.#socket.on('connect', () =>
        this.#socket.write(
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
            `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`,
        ),
      );
    });
  }

  #read(buffer: Buffer, length: number): boolean {
    let bytes = buffer;
    let end = length;
    if (this.#rest.length) {
      bytes = Buffer.concat([this.#rest, buffer.subarray(0, length)]);
      end = bytes.length;
      this.#rest = NOTHING;
    }
    const at = this.#upgraded ? this.#frames(bytes, 0, end) : this.#answer(bytes, end);
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
    return true;
  }

  #answer(bytes: Buffer, end: number): number {
    const blank = bytes.indexOf('\r\n\r\n');
    if (blank < 0 || blank >= end) return 0;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    if (!status.startsWith('HTTP/1.1 101')) {
      this.#opened?.reject(new Error(`no upgrade: ${status}`));
      this.#socket.destroy();
      return end;
    }
    this.#upgraded = true;
    this.#opened?.resolve();
    return this.#frames(bytes, blank + 4, end);
  }

  /** Handles every whole frame; returns where the rest begins. */
  #frames(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (end - at >= 2) {
      let length = bytes[at + 1]! & 0x7f;
      let head = 2;
      if (length === 126) {
        if (end - at < 4) break;
        length = bytes.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (end - at < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        head = 10;
      }
      const start = at + head;
      if (end - start < length) break;
      const opening = bytes[at]!;
      at = start + length;
      this.#frame(opening & 0x0f, (opening & 0x80) !== 0, bytes, start, at);
    }
    return at;
  }

  #frame(opcode: number, last: boolean, bytes: Buffer, start: number, end: number): void {
    if (opcode === PING) this.#socket.write(frame(PONG, bytes.subarray(start, end)));
    else if (opcode === CLOSE) this.#socket.end();
    else if (opcode === PONG) return;
    else if (!last) this.#fragments = Buffer.concat([this.#fragments, bytes.subarray(start, end)]);
    else if (this.#fragments.length) {
      const whole = Buffer.concat([this.#fragments, bytes.subarray(start, end)]);
      this.#fragments = NOTHING;
      this.options.onFrame(whole, 0, whole.length);
    } else this.options.onFrame(bytes, start, end);
  }
}

function frame(opcode: number, payload: Buffer): Buffer {
  const length = payload.length;
  const head = length < 126 ? 6 : length < 65_536 ? 8 : 14;
  const bytes = Buffer.alloc(head + length);
  bytes[0] = 0x80 | opcode;
  if (length < 126) bytes[1] = 0x80 | length;
  else if (length < 65_536) {
    bytes[1] = 0x80 | 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 0x80 | 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  payload.copy(bytes, head);
  return bytes;
}
