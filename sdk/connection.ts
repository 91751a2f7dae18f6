import { createClient, type Client } from 'graphql-ws';
import { failure, OmniTalkError, type ApiError } from './errors.js';
import type { Tokens } from './tokens.js';

/** What came of a subscription: results, then an end. */
export interface Handlers {
  next(result: { data?: unknown; errors?: readonly ApiError[] }): void;
  error(error: OmniTalkError): void;
  complete(): void;
}

/** As the server closes connections; docs/EVENTS.md explains each. */
const UNAUTHORIZED = 4401;
const TOKEN_EXPIRED = 4403;

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
const PING_MS = 12_000;
/** A server that has not answered a ping after this long is gone, though nobody said so. */
const PONG_MS = 5_000;
/** From the first packet to the server's word that the token is good: what swallows packets would else be waited for as long as the platform likes. */
const OPEN_MS = 10_000;

/**
 * The one WebSocket of a client: opened with the first subscription, closed after the last. Comes back by itself after a
 * lost network, a restart or a wait that the server asked for (1006, 1012, 1013 …), and with a fresh token after
 * TOKEN_EXPIRED. What can't get better by trying again (4401 and other faults) ends its subscriptions with the reason.
 */
export class Connection {
  readonly #client: Client;
  /** The token that the connection was last opened with. */
  #used: string | null = null;
  #expired = false;
  #operations = 0;
  #pongTimer: ReturnType<typeof setTimeout> | undefined;
  /** While it is being opened. */
  #openTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: () => string, tokens: Tokens, openWithin = OPEN_MS) {
    this.#client = createClient({
      url: () => url().replace(/^http/, 'ws'),
      connectionParams: async () => {
        const token = this.#expired ? await this.#renewed(tokens) : await tokens.current();
        this.#expired = false;
        this.#used = token;
        return token ? { authorization: `Bearer ${token}` } : {};
      },
      // Short, and the same in every client: the server puts together once what many sockets get alike.
      generateID: () => String(++this.#operations),
      retryAttempts: Number.POSITIVE_INFINITY,
      // Not at once: the failure of one socket may be told twice, and the second telling must not meet the next one.
      retryWait: (attempt) => new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_RETRY_MS * 2 ** attempt, LONGEST_RETRY_MS) * (0.5 + Math.random()))),
      // graphql-ws itself gives up on the codes that are final; what can't be renewed is final too.
      shouldRetry: (problem) => !(problem instanceof OmniTalkError) || problem.code === 'NETWORK',
      keepAlive: PING_MS,
      on: {
        connecting: () => {
          this.#opened();
          this.#openTimer = setTimeout(() => this.#client.terminate(), openWithin);
        },
        connected: () => this.#opened(),
        error: () => this.#opened(),
        ping: (received) => {
          if (!received) this.#pongTimer = setTimeout(() => this.#client.terminate(), PONG_MS);
        },
        pong: (received) => {
          if (received) clearTimeout(this.#pongTimer);
        },
        closed: (event) => {
          clearTimeout(this.#pongTimer);
          this.#opened();
          if ((event as { code?: number }).code === TOKEN_EXPIRED) this.#expired = true;
        },
      },
    });
  }

  /** Begins a subscription; the result ends it. `payload` is read again at every reconnect. */
  subscribe(payload: { query: string; variables: Record<string, unknown> }, handlers: Handlers): () => void {
    return this.#client.subscribe(payload, {
      next: (result) => handlers.next(result as { data?: unknown; errors?: readonly ApiError[] }),
      error: (error) => handlers.error(this.#explain(error)),
      complete: () => handlers.complete(),
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#pongTimer);
    // It rejects with what an attempt that is under way fails with, which its subscriptions are told.
    const closed = Promise.resolve(this.#client.dispose()).catch(() => undefined);
    // A turn later, as a connection that is begun in this one has no socket yet.
    await Promise.resolve();
    if (this.#openTimer) this.#client.terminate();
    await closed;
  }

  /** Or it will not open. */
  #opened(): void {
    clearTimeout(this.#openTimer);
    this.#openTimer = undefined;
  }

  async #renewed(tokens: Tokens): Promise<string> {
    const token = await tokens.insteadOf(this.#used);
    if (token === null) throw failure('TOKEN_EXPIRED', 'The access token has expired, and there is no way to renew it.');
    return token;
  }

  /** The errors of the operation, or why the connection was closed for good. */
  #explain(error: unknown): OmniTalkError {
    if (Array.isArray(error)) return new OmniTalkError(error as ApiError[]);
    if (error instanceof OmniTalkError) return error;
    const { code, reason } = (error ?? {}) as { code?: number; reason?: string };
    if (code === UNAUTHORIZED) return failure(reason === 'SESSION_ENDED' ? 'SESSION_ENDED' : 'UNAUTHENTICATED', 'The server has closed the connection: sign in again.', error);
    if (typeof code === 'number') return failure('CONNECTION_CLOSED', `The server has closed the connection: ${code} ${reason ?? ''}`.trim(), error);
    return failure('NETWORK', error instanceof Error ? error.message : 'The connection failed.', error);
  }
}
