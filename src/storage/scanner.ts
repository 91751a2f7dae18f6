import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';

/** Looks for what is harmful in a file that passes by, piece after piece. */
export interface Scanner {
  begin(): Promise<Scan>;
}

export interface Scan {
  write(chunk: Buffer): Promise<void>;
  /** The name of what was found; null for nothing. Throws ScanError. */
  end(): Promise<string | null>;
  /** The file is not read to its end. Idempotent. */
  abort(): void;
}

/** TOO_LARGE: the scanner takes no files of this size. FAILED: it does not answer as it should; the file can be scanned later. */
export class ScanError extends Error {
  override readonly name = 'ScanError';
  constructor(
    readonly kind: 'TOO_LARGE' | 'FAILED',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const CONNECT_MS = 5_000;
/** clamd thinks for long over large archives. */
const ANSWER_MS = 300_000;
const MAX_CHUNK = 1024 * 1024;

/** The protocol of clamd: zINSTREAM, then pieces with their lengths, then a piece of length zero; it answers one line. */
export class Clamd implements Scanner {
  /** tcp://host:3310, or unix:/run/clamav/clamd.ctl. */
  constructor(private readonly address: string) {}

  async begin(): Promise<Scan> {
    const url = new URL(this.address);
    const socket = url.protocol === 'unix:' ? connect({ path: url.pathname }) : connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 3310) });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('clamd does not answer')));
    try {
      await once(socket, 'connect');
    } catch (error) {
      socket.destroy();
      throw new ScanError('FAILED', `clamd at ${this.address}: ${(error as Error).message}`, { cause: error });
    }
    socket.setTimeout(ANSWER_MS);
    socket.write('zINSTREAM\0');
    return new ClamdScan(socket);
  }
}

class ClamdScan implements Scan {
  #answer = '';
  #failure: Error | null = null;
  readonly #closed: Promise<void>;

  constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#answer += text;
      // It has said everything, whatever of the file it has not read.
      if (text.includes('\0')) socket.destroy();
    });
    socket.on('error', (error) => (this.#failure = error));
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += MAX_CHUNK) {
      // It has made up its mind, or gone: the rest need not be sent.
      if (this.#answer || this.socket.destroyed || this.#failure) return;
      const piece = chunk.subarray(at, at + MAX_CHUNK);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(piece.length);
      // In one write: at a length that is too much for it, clamd answers and closes, and a write that meets that would end the socket, and the answer be lost.
      this.socket.cork();
      this.socket.write(length);
      const goesOn = this.socket.write(piece);
      this.socket.uncork();
      if (!goesOn) await Promise.race([once(this.socket, 'drain').catch(() => undefined), this.#closed]);
      // So its answer is read between two pieces, too: of two turns of the loop at least one looks at the sockets.
      await turn();
      await turn();
    }
  }

  async end(): Promise<string | null> {
    if (!this.socket.destroyed && !this.#answer) this.socket.write(Buffer.alloc(4));
    // clamd closes after its answer; one that says nothing more is given up by the socket's timeout.
    await this.#closed;
    const answer = this.#answer.replace(/\0.*$/s, '').trim();
    const found = /^stream: (.+) FOUND$/.exec(answer);
    if (found) return found[1]!;
    if (answer === 'stream: OK') return null;
    if (/size limit exceeded/i.test(answer)) throw new ScanError('TOO_LARGE', answer);
    throw new ScanError('FAILED', `clamd: ${answer || (this.#failure?.message ?? 'no answer')}`);
  }

  abort(): void {
    this.socket.destroy();
  }
}
