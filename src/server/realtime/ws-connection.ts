import type { Duplex } from 'node:stream';
import type { GraphQLFormattedError } from 'graphql';
import { CloseCode, MessageType, validateMessage, type ConnectionInitMessage, type SubscribeMessage } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { Authentication } from '../authentication.js';
import { DomainError } from '../../lib/errors.js';
import type { Guest } from '../../services/calls/caller.js';
import type { RequestInfo, Viewer } from '../../resolvers/context.js';
import { readOperation } from '../read-request.js';
import type { Caller, Operations } from '../operations.js';
import { whenExpired } from './expiry.js';
import { replayRoom, untilRoom, type Deliveries, type Sink } from './sink.js';
import { SocketWriter } from './socket-writer.js';

/**
 * Why a server closes a WebSocket. 44xx are those of graphql-transport-ws; 10xx those of RFC 6455, which its client
 * takes as "reconnect". docs/EVENTS.md is the reader's version.
 */
export const CLOSE = {
  badRequest: CloseCode.BadRequest, // 4400: a message out of the protocol; give up
  unauthorized: CloseCode.Unauthorized, // 4401: subscribed before the acknowledgement, or the session has ended; sign in again
  tokenExpired: CloseCode.Forbidden, // 4403: connect again with a fresh token
  initTimeout: CloseCode.ConnectionInitialisationTimeout, // 4408
  subscriberExists: CloseCode.SubscriberAlreadyExists, // 4409
  tooManyInit: CloseCode.TooManyInitialisationRequests, // 4429
  restart: 1012, // the server drains; reconnect and resume
  tryLater: 1013, // too slow a reader, or no room; reconnect and resume
} as const;

export interface ConnectionOptions {
  deliveries: Deliveries;
  maxBuffered: number;
  maxSubscriptions: number;
  initTimeoutMs: number;
}

export interface ConnectionDeps {
  operations: Operations;
  authentication: Authentication;
  options: ConnectionOptions;
  /** Somebody has come in; false: they hold as many connections as one may. */
  authenticated(viewer: Viewer): boolean;
}

const CLOSE_GRACE_MS = 1_000;
/** A slow reader may still take the few frames that the socket holds, and learn by the close frame that it is to resume. */
const SLOW_GRACE_MS = 10_000;

/** One WebSocket that speaks graphql-transport-ws. */
export class WsConnection {
  viewer: Viewer | null = null;
  guest: Guest | null = null;
  readonly #writer: SocketWriter;
  readonly #operations = new Map<string, WsOperation>();
  readonly #initTimer: NodeJS.Timeout;
  #callOffExpiry: (() => void) | null = null;
  #state: 'new' | 'initialising' | 'acknowledged' | 'closed' = 'new';

  constructor(
    private readonly socket: WebSocket,
    duplex: Duplex,
    readonly request: RequestInfo,
    private readonly deps: ConnectionDeps,
  ) {
    this.#writer = new SocketWriter(duplex, deps.options.maxBuffered, () => this.#tooSlow());
    this.#initTimer = setTimeout(() => this.close(CLOSE.initTimeout, 'Connection initialisation timeout'), deps.options.initTimeoutMs);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#closed());
  }

  get subscriptions(): number {
    return this.#operations.size;
  }

  /** Closes once; operations end at once, so nothing is written behind the close frame. */
  close(code: number, reason: string, graceMs = CLOSE_GRACE_MS): void {
    if (this.#state === 'closed') return;
    this.#writer.finish();
    this.#closed();
    this.socket.close(code, reason);
    // A peer that does not read never answers the close frame.
    setTimeout(() => this.socket.terminate(), graceMs).unref();
  }

  #tooSlow(): void {
    this.#writer.discard();
    this.close(CLOSE.tryLater, 'Too slow: reconnect and resume', SLOW_GRACE_MS);
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(message: string): void {
    if (this.#state !== 'closed') this.#writer.write(Buffer.from(message), NOTHING, true);
  }

  /** An event's message. */
  write(head: Buffer, tail: Buffer): void {
    if (this.#state !== 'closed') this.#writer.write(head, tail, false);
  }

  get hasReplayRoom(): boolean {
    return this.#writer.buffered < replayRoom(this.deps.options.maxBuffered);
  }

  forget(id: string, operation: WsOperation): void {
    if (this.#operations.get(id) === operation) this.#operations.delete(id);
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#initTimer);
    this.#callOffExpiry?.();
    for (const operation of [...this.#operations.values()]) operation.end();
    this.#operations.clear();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state === 'closed') return;
    let message;
    try {
      if (isBinary) throw new Error('Binary messages are not part of the protocol');
      message = validateMessage(withQuery(JSON.parse((data as Buffer).toString())));
    } catch {
      return this.close(CLOSE.badRequest, 'Invalid message');
    }
    switch (message.type) {
      case MessageType.ConnectionInit:
        return void this.#initialise(message);
      case MessageType.Ping:
        return this.send({ type: MessageType.Pong, ...(message.payload ? { payload: message.payload } : {}) });
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        return this.#subscribe(message);
      case MessageType.Complete:
        return this.#operations.get(message.id)?.end();
      default:
        return this.close(CLOSE.badRequest, 'Unexpected message');
    }
  }

  async #initialise(message: ConnectionInitMessage): Promise<void> {
    if (this.#state !== 'new') return this.close(CLOSE.tooManyInit, 'Too many initialisation requests');
    this.#state = 'initialising';
    try {
      const payload = message.payload ?? {};
      const authenticated = await this.deps.authentication.authenticate(payload['authorization'] ?? payload['Authorization']);
      if ((this.#state as string) === 'closed') return;
      clearTimeout(this.#initTimer);
      this.#state = 'acknowledged';
      if (authenticated?.viewer && !this.deps.authenticated(authenticated.viewer)) return this.close(CLOSE.tryLater, 'Too many connections of one person');
      if (authenticated) {
        this.viewer = authenticated.viewer;
        this.guest = authenticated.guest;
        // The token's own expiry ends the connection: the client comes back with a fresh one.
        const now = () => this.deps.operations.context(this.#caller).now;
        this.#callOffExpiry = whenExpired(authenticated.expiresAt, now, () => this.close(CLOSE.tokenExpired, 'TOKEN_EXPIRED'));
      }
      this.send({ type: MessageType.ConnectionAck });
    } catch (error) {
      if (!(error instanceof DomainError)) return this.close(CLOSE.tryLater, 'Try again later');
      this.close(error.code === 'TOKEN_EXPIRED' ? CLOSE.tokenExpired : CLOSE.unauthorized, error.code);
    }
  }

  #subscribe(message: SubscribeMessage): void {
    if (this.#state !== 'acknowledged') return this.close(CLOSE.unauthorized, 'Unauthorized');
    const { id, payload } = message;
    if (this.#operations.has(id)) return this.close(CLOSE.subscriberExists, `Subscriber for ${id} already exists`);
    const operation = new WsOperation(this, id, this.deps.options.deliveries);
    if (this.#operations.size >= this.deps.options.maxSubscriptions) {
      return operation.error([{ message: 'Too many operations on this connection.', extensions: { code: 'LIMIT_REACHED' } }]);
    }
    this.#operations.set(id, operation);
    this.#run(operation, payload).catch((error: unknown) => operation.error([this.deps.operations.errors.map(error as Error)]));
  }

  get #caller(): Caller {
    return { viewer: this.viewer, guest: this.guest, request: this.request, transport: 'ws' };
  }

  async #run(operation: WsOperation, payload: SubscribeMessage['payload']): Promise<void> {
    const caller = this.#caller;
    const admitted = await this.deps.operations.take(readOperation(payload as unknown as Record<string, unknown>), caller);
    if (operation.closed) return;
    if ('errors' in admitted) return operation.error(admitted.errors);
    if (admitted.prepared.kind === 'subscription') {
      operation.onEnd(await this.deps.operations.subscribe(admitted, caller, operation));
      return;
    }
    const result = await this.deps.operations.execute(admitted, caller);
    operation.answer(JSON.stringify(result));
  }
}

const CLOSING_BRACE = Buffer.from('}');
const NOTHING: Buffer = Buffer.alloc(0);

/** Payloads with the brace that closes their message, newest last written over: made once for all who get them in turn. */
const closed: { payload: Buffer; tail: Buffer }[] = [];
const MAX_CLOSED = 8;
let nextClosed = 0;
function tailOf(payload: Buffer): Buffer {
  for (const known of closed) if (known.payload === payload) return known.tail;
  const tail = Buffer.concat([payload, CLOSING_BRACE]);
  closed[nextClosed] = { payload, tail };
  nextClosed = (nextClosed + 1) % MAX_CLOSED;
  return tail;
}

/** Openings of messages under ids that many clients give their operations: where they are the same, so are the bytes that leave. */
const heads = new Map<string, Buffer>();
const MAX_COMMON_ID = 6;
const MAX_HEADS = 1_000;
function headOf(id: string): Buffer {
  const known = heads.get(id);
  if (known) return known;
  const head = Buffer.from(openingOf(id));
  if (id.length <= MAX_COMMON_ID && heads.size < MAX_HEADS) heads.set(id, head);
  return head;
}
const openingOf = (id: string): string => `{"id":${JSON.stringify(id)},"type":"${MessageType.Next}","payload":`;

/** One operation of a connection. */
class WsOperation implements Sink {
  closed = false;
  #head: Buffer | null = null;
  #end: (() => void) | null = null;

  constructor(
    private readonly connection: WsConnection,
    private readonly id: string,
    private readonly deliveries: Deliveries,
  ) {}

  next(payload: Buffer): void {
    if (this.closed) return;
    this.deliveries.add(payload);
    this.connection.write((this.#head ??= headOf(this.id)), tailOf(payload));
  }

  /** The one result of a query or mutation, serialised, and the end. */
  answer(result: string): void {
    if (this.closed) return;
    this.connection.sendText(`${openingOf(this.id)}${result}}`);
    this.complete();
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    if (this.closed) return;
    this.connection.send({ id: this.id, type: MessageType.Error, payload: errors });
    this.end();
  }

  complete(): void {
    if (this.closed) return;
    this.connection.sendText(`{"id":${JSON.stringify(this.id)},"type":"${MessageType.Complete}"}`);
    this.end();
  }

  drained(): Promise<void> | null {
    return untilRoom(() => this.closed || this.connection.hasReplayRoom);
  }

  /** Ends without a word to the client. */
  end(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.forget(this.id, this);
    this.#end?.();
  }

  /** What to do at the end; done at once when it has come already. */
  onEnd(action: () => void): void {
    if (this.closed) action();
    else this.#end = action;
  }
}

/** graphql-ws asks for `query` even where a persisted operation is named instead: an empty one stands for none. */
function withQuery(message: unknown): unknown {
  const { type, payload } = (message ?? {}) as { type?: unknown; payload?: { query?: unknown } | null };
  const named = type === MessageType.Subscribe && typeof payload === 'object' && payload !== null && payload.query == null;
  return named ? { ...(message as object), payload: { ...payload, query: '' } } : message;
}
