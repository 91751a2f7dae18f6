import { connect, type Socket } from 'node:net';

/** A keep-alive HTTP/1.1 connection that asks one thing at a time and reads no more of an answer than it must. */
export class LightHttp {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #answer: { resolve(body: Buffer): void; reject(error: Error): void } | null = null;

  private constructor(private readonly port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('close', () => this.#answer?.reject(new Error('the connection was closed')));
    this.#socket.on('error', (error) => this.#answer?.reject(error));
  }

  static async open(port: number): Promise<LightHttp> {
    const client = new LightHttp(port);
    await new Promise<void>((resolve, reject) => {
      client.#socket.once('connect', () => resolve());
      client.#socket.once('error', reject);
    });
    return client;
  }

  /** The head of a request but for its length, made once for many. */
  static head(port: number, path: string, headers: Record<string, string>): string {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n${lines.join('')}content-length: `;
  }

  /** Resolves with the body of a 200; rejects for every other answer. */
  post(head: string, body: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#socket.write(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#bytes = this.#bytes.length ? Buffer.concat([this.#bytes, chunk]) : chunk;
    const blank = this.#bytes.indexOf('\r\n\r\n');
    if (blank < 0) return;
    const head = this.#bytes.toString('latin1', 0, blank);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return this.#settle(new Error(`an answer without content-length on port ${this.port}: ${head.slice(0, 200)}`));
    const end = blank + 4 + Number(length);
    if (this.#bytes.length < end) return;
    const body = this.#bytes.subarray(blank + 4, end);
    this.#bytes = this.#bytes.subarray(end);
    this.#settle(head.startsWith('HTTP/1.1 200') ? body : new Error(`${head.split('\r\n')[0]}: ${body.toString().slice(0, 300)}`));
  }

  #settle(outcome: Buffer | Error): void {
    const answer = this.#answer;
    this.#answer = null;
    if (outcome instanceof Error) answer?.reject(outcome);
    else answer?.resolve(outcome);
  }
}
