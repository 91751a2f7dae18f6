import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Published {
  body?: string | Buffer;
  type?: string;
  status?: number;
  headers?: Record<string, string>;
}
export type Answer = Published | ((request: IncomingMessage, response: ServerResponse) => void);

/** A publisher's server on loopback: what it serves, and what it was asked. */
export class Publisher {
  readonly #answers = new Map<string, Answer>();
  /** The headers of every request, by path. */
  readonly asked = new Map<string, IncomingHttpHeaders[]>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<Publisher> {
    const server = createServer((request, response) => publisher.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const publisher: Publisher = new Publisher(server, (server.address() as AddressInfo).port);
    return publisher;
  }

  /** Settings under which the product may ask it. */
  get settings(): Record<string, string> {
    return { OUTBOUND_PRIVATE_HOSTS: `127.0.0.1:${this.port}` };
  }

  at(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  serve(path: string, answer: Answer): string {
    this.#answers.set(path, answer);
    return this.at(path);
  }

  times(path: string): number {
    return this.asked.get(path)?.length ?? 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url!, 'http://x').pathname;
    (this.asked.get(path) ?? this.asked.set(path, []).get(path)!).push(request.headers);
    const answer = this.#answers.get(path);
    if (typeof answer === 'function') return answer(request, response);
    const { body = '', type = 'text/html; charset=utf-8', status = answer ? 200 : 404, headers = {} } = answer ?? {};
    const etag = headers['etag'];
    if (etag && request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end();
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);
  }
}
