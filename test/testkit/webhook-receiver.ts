import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { eventually } from './world.js';

/** What a receiver is told. */
export interface Told {
  type: string;
  timestamp: string;
  webhookId: string;
  stream: string;
  offset: number;
  cursor: string;
  data: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- a partner's own shape, by the type of the event
}
export interface Received {
  /** The `webhook-id`. */
  id: string;
  headers: IncomingHttpHeaders;
  body: string;
  told: Told;
}

/** A partner's server on loopback: it verifies by the public library of Standard Webhooks, and answers as it is told. */
export class WebhookReceiver {
  readonly #server: Server;
  readonly received: Received[] = [];
  /** The status of each answer; Infinity: none at all. */
  answer: (one: Received) => number = () => 200;
  headers: Record<string, string> = {};
  /** Until then nothing is answered. */
  hold: Promise<void> | null = null;
  /** Of whoever registered it; null: nothing is verified. */
  secret: string | null = null;
  /** What the library said of those that it did not take. */
  readonly refused: string[] = [];
  /** The receiver's clock, where the server's is ahead. */
  ahead = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const one: Received = { id: String(request.headers['webhook-id']), headers: request.headers, body, told: JSON.parse(body) as Told };
        if (this.secret !== null) this.#verify(one);
        this.received.push(one);
        const status = this.answer(one);
        if (status !== Infinity) void Promise.resolve(this.hold).then(() => response.writeHead(status, this.headers).end('{}'));
      });
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Waits until so many have come that fit, and answers them. */
  async got(count: number, fits: (one: Received) => boolean = () => true): Promise<Received[]> {
    await eventually(() => this.received.filter(fits).length >= count, `${count} webhooks; so far ${this.received.map(({ told }) => told.type).join()}`, 20_000);
    return this.received.filter(fits);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The library goes by the real clock: where the test has moved the server's, only the signature is compared. */
  #verify(one: Received): void {
    try {
      if (this.ahead === 0) new Webhook(this.secret!).verify(one.body, one.headers as Record<string, string>);
      else if (!signedBy(one, this.secret!)) throw new Error('another signature');
    } catch (error) {
      this.refused.push((error as Error).message);
    }
  }
}

/** Whether it carries the signature that the public library makes with this secret, whenever that was. */
export const signedBy = ({ id, headers, body }: Received, secret: string): boolean =>
  String(headers['webhook-signature']).split(' ').includes(new Webhook(secret).sign(id, new Date(Number(headers['webhook-timestamp']) * 1000), body));
