import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP relay in front of servers, as a balancer would stand there: it can turn to another server, and cut what goes through it. */
export class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<[client: Socket, server: Socket]>();
  #closed = false;

  private constructor(public target: number) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Resets every connection, towards the client, the server, or both. */
  cut(side: 'client' | 'server' | 'both' = 'both'): void {
    for (const [client, server] of this.#pairs) {
      if (side !== 'server') client.resetAndDestroy();
      if (side !== 'client') server.resetAndDestroy();
    }
  }

  /** Takes nothing more from the server, or from now on again. */
  set stalled(stalled: boolean) {
    for (const [, server] of this.#pairs) if (stalled) server.pause();
    else server.resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = createConnection(this.target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined); // 'close' follows
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      from.pipe(to);
    }
    if (this.#closed) this.cut();
  }
}
