import { LightSocket, type FrameHandler } from './light-socket.js';

/** The one character by which a subscription's frames are told from answers: ids of subscriptions begin with it. */
const SUBSCRIPTION = 's'.charCodeAt(0);
const ID_PLACE = '{"id":"'.length;

interface Waiting {
  resolve(data: Record<string, unknown>): void;
  reject(error: Error): void;
}

/** Whether a frame brings data: what ends a subscription is no event, and must not pass for one. */
function isNext(buffer: Buffer, start: number): boolean {
  const at = buffer.indexOf('"next"', start, 'latin1');
  return at >= 0 && at < start + 64;
}

/** A graphql-transport-ws client as light as its socket: subscription frames are handed on unparsed. */
export class GraphqlSocket {
  #socket!: LightSocket;
  #asked = 0;
  #acknowledge: (() => void) | null = null;
  readonly #waiting = new Map<string, Waiting>();
  /** The first error that the server has told of. */
  fault: Error | null = null;
  closed = false;

  private constructor(private readonly onEvent: FrameHandler) {}

  static async open(port: number, init: object, onEvent: FrameHandler, path = '/graphql'): Promise<GraphqlSocket> {
    const client = new GraphqlSocket(onEvent);
    client.#socket = await LightSocket.open({
      port,
      path,
      protocol: 'graphql-transport-ws',
      onFrame: (buffer, start, end) => client.#take(buffer, start, end),
      onClose: () => {
        client.closed = true;
        for (const waiting of client.#waiting.values()) waiting.reject(new Error('the connection was closed'));
      },
    });
    const acknowledged = new Promise<void>((resolve) => (client.#acknowledge = resolve));
    client.#socket.send(JSON.stringify({ type: 'connection_init', payload: init }));
    await acknowledged;
    return client;
  }

  /** `id` must begin with an s. */
  subscribe(id: string, query: string, variables: object): void {
    this.#socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
  }

  request(query: string, variables: object): Promise<Record<string, unknown>> {
    const id = `m${++this.#asked}`;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
    });
  }

  /** Sends a mutation whose answer nobody waits for; an error in it is a fault. */
  fire(query: string, variables: object): void {
    this.request(query, variables).catch((error: Error) => (this.fault ??= error));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(buffer: Buffer, start: number, end: number): void {
    if (buffer[start + ID_PLACE] === SUBSCRIPTION && isNext(buffer, start)) return this.onEvent(buffer, start, end);
    const message = JSON.parse(buffer.toString('utf8', start, end)) as { id?: string; type: string; payload?: { data?: Record<string, unknown>; errors?: { message: string }[] } & { message: string }[] };
    if (message.type === 'connection_ack') return this.#acknowledge?.();
    if (message.type === 'ping') return this.#socket.send('{"type":"pong"}');
    const waiting = this.#waiting.get(message.id ?? '');
    if (message.type === 'error') {
      const error = new Error(message.payload?.[0]?.message ?? 'an error without words');
      if (waiting) waiting.reject(error);
      else this.fault ??= error;
    } else if (message.type === 'next' && waiting) {
      const [error] = message.payload?.errors ?? [];
      if (error) waiting.reject(new Error(error.message));
      else waiting.resolve(message.payload!.data!);
    }
    if (message.type === 'complete' && message.id?.charCodeAt(0) === SUBSCRIPTION) this.fault ??= new Error('the server has ended a subscription');
    if (message.id && message.type !== 'complete') this.#waiting.delete(message.id);
  }
}
