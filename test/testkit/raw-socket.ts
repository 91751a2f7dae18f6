import { within, type World } from './world.js';

/** A WebSocket that speaks graphql-transport-ws by hand, so that a test sees what a client library hides: frames and close codes. */
export class RawSocket {
  readonly #socket: WebSocket;
  readonly messages: { type: string; id?: string; payload?: unknown }[] = [];
  readonly #closed: Promise<{ code: number; reason: string }>;
  #wake: () => void = () => undefined;

  private constructor(url: string) {
    this.#socket = new WebSocket(url, 'graphql-transport-ws');
    this.#socket.addEventListener('message', ({ data }) => {
      this.messages.push(JSON.parse(data as string) as { type: string });
      this.#wake();
    });
    this.#closed = new Promise((resolve) => this.#socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })));
  }

  /** Connects and says who it is; resolves once the server has acknowledged. */
  static async open(world: World, accessToken: string | null, node = 0): Promise<RawSocket> {
    const socket = RawSocket.connect(world, accessToken, node);
    await socket.receive('connection_ack');
    return socket;
  }

  /** Connects and says who it is, whatever the server thinks of it. */
  static connect(world: World, accessToken: string | null, node = 0): RawSocket {
    const socket = new RawSocket(`${world.apps[node]!.url.replace(/^http/, 'ws')}/graphql`);
    const payload = accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
    socket.#socket.addEventListener('open', () => socket.send({ type: 'connection_init', payload }));
    return socket;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** The first message of a type, arrived or still to come. */
  receive(type: string): Promise<{ type: string; id?: string; payload?: unknown }> {
    return within(this.#first((message) => message.type === type), `a message of type ${type}`);
  }

  /** The message that ends an operation. */
  ended(id: string, patience?: number): Promise<{ type: string; payload?: unknown }> {
    return within(this.#first((message) => message.id === id && message.type !== 'next'), `the end of ${id}`, patience);
  }

  async #first(wanted: (message: { type: string; id?: string }) => boolean): Promise<{ type: string; id?: string; payload?: unknown }> {
    for (;;) {
      const found = this.messages.find(wanted);
      if (found) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  closed(): Promise<{ code: number; reason: string }> {
    return within(this.#closed, 'the socket to close');
  }

  close(): void {
    this.#socket.close();
  }
}
