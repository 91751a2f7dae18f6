import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A TCP relay in front of servers, as a balancer would stand there: it can turn to another server, cut what goes through it, slow it down, and carry nothing. */
export class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<[client: Socket, server: Socket]>();
  #closed = false;
  /** Milliseconds that each piece waits, either way: one after the other, as on a line that is long and narrow. */
  delay = 0;
  /** Bytes that still go through, either way and of all connections, before the one that carries the next is torn. */
  #untilTorn = Infinity;
  /** How many connections were torn. */
  torn = 0;
  /** Resolves when what waits on a line that carries nothing goes on. */
  #carries: Promise<void> = Promise.resolve();
  #goOn: (() => void) | null = null;

  private constructor(
    public target: number,
    private readonly address: string,
    private readonly targetAddress: string,
  ) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(target: number, { address = '127.0.0.1', targetAddress = '127.0.0.1' } = {}): Promise<Relay> {
    const relay = new Relay(target, address, targetAddress);
    relay.#server.listen(0, address);
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    return `http://${this.address}:${this.port}/graphql`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
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

  /** Resets the connection, both ways, that carries the byte after so many more: in the midst of a message, of a handshake, of an answer. */
  tearAfter(bytes: number): void {
    this.#untilTorn = bytes;
  }

  /**
   * Carries nothing more, either way, and tells neither side of it, nor of the other's end: as a network that is parted. What was on its way
   * arrives when it is whole again.
   */
  set parted(parted: boolean) {
    if (parted === (this.#goOn !== null)) return;
    if (parted) this.#carries = new Promise((resolve) => (this.#goOn = resolve));
    else {
      this.#goOn!();
      this.#goOn = null;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.parted = false;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = createConnection(this.target, this.targetAddress);
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined); // 'close' follows
      from.on('close', () => {
        this.#pairs.delete(pair);
        void this.#carries.then(() => to.destroy());
      });
      const slow = new Transform({
        transform: (piece: Buffer, _encoding, done) => {
          const whole = piece.length <= this.#untilTorn;
          if (!whole) {
            to.end(piece.subarray(0, this.#untilTorn), () => pair.forEach((socket) => socket.resetAndDestroy()));
            this.#untilTorn = Infinity;
            this.torn++;
            return;
          }
          this.#untilTorn -= piece.length;
          if (this.delay) setTimeout(done, this.delay, null, piece);
          else if (this.#goOn) void this.#carries.then(() => done(null, piece));
          else done(null, piece);
        },
      });
      from.pipe(slow).pipe(to);
    }
    if (this.#closed) this.cut();
  }
}
