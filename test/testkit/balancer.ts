import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Whoever does not take a connection within this is passed over. */
const CONNECT_MS = 400;

/** A balancer of TCP that knows nothing of what it carries: each connection to the next server that takes it. */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections each target took. */
  readonly taken: number[];
  #next = 0;

  private constructor(
    private readonly address: string,
    private readonly targets: readonly { host: string; port: number }[],
  ) {
    this.taken = targets.map(() => 0);
    this.#server = createServer((client) => void this.#join(client));
  }

  static async start(address: string, targets: readonly { host: string; port: number }[]): Promise<Balancer> {
    const balancer = new Balancer(address, targets);
    balancer.#server.listen(0, address);
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://${this.address}:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #join(client: Socket): Promise<void> {
    this.#watch(client);
    client.pause();
    for (let tried = 0; tried < this.targets.length && !client.destroyed; tried++) {
      const index = this.#next++ % this.targets.length;
      const server = await this.#connect(this.targets[index]!);
      if (!server) continue;
      this.taken[index]!++;
      for (const [from, to] of [[client, server], [server, client]] as const) {
        from.setNoDelay(true);
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
      if (client.destroyed) server.destroy();
      return;
    }
    client.destroy();
  }

  #connect(target: { host: string; port: number }): Promise<Socket | null> {
    return new Promise((resolve) => {
      const socket = createConnection(target);
      this.#watch(socket);
      const late = setTimeout(() => socket.destroy(), CONNECT_MS);
      socket.once('connect', () => {
        clearTimeout(late);
        resolve(socket);
      });
      socket.once('close', () => {
        clearTimeout(late);
        resolve(null);
      });
    });
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
