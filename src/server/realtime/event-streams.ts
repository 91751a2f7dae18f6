import type { ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { DomainError } from '../../lib/errors.js';
import type { Viewer } from '../../resolvers/context.js';
import type { Clock } from '../../lib/clock.js';
import type { Connected, SessionGate } from '../../services/session-gate.js';
import type { Authenticated, Authentication } from '../authentication.js';
import type { OperationRequest } from '../documents.js';
import { sendError } from '../http.js';
import type { Caller, Operations } from '../operations.js';
import { whenExpired } from './expiry.js';
import type { Place, Places } from './places.js';
import { replayRoom, untilRoom, type Deliveries, type Sink } from './sink.js';
import type { ConnectionListener } from './ws-server.js';

export interface EventStreamsOptions {
  maxBuffered: number;
  heartbeatMs: number;
  deliveries: Deliveries;
  /** Whether one more connection may be held. */
  hasRoom(): boolean;
  places: Places;
}

/**
 * Server-Sent Events on `/graphql` (graphql-sse's distinct connections mode): one operation a request, results as `next`
 * events, then `complete`. A stream that ends without `complete` says: reconnect and resume.
 */
export class EventStreams {
  readonly #streams = new Set<EventStream>();
  readonly #heartbeat: NodeJS.Timeout;
  #draining = false;

  constructor(
    private readonly operations: Operations,
    private readonly authentication: Authentication,
    sessions: SessionGate,
    private readonly clock: Clock,
    private readonly listener: ConnectionListener,
    private readonly options: EventStreamsOptions,
  ) {
    this.#heartbeat = setInterval(() => this.#streams.forEach((stream) => stream.beat()), options.heartbeatMs);
    this.#heartbeat.unref();
    sessions.onEnded((ids) => this.#endSessions(new Set(ids)));
  }

  get connections(): number {
    return this.#streams.size;
  }

  /** Answers a request that accepts `text/event-stream`. Whatever is wrong with the operation is told as a `next` event. */
  async serve(request: FastifyRequest, reply: FastifyReply, given: OperationRequest): Promise<FastifyReply> {
    if (this.#draining || !this.options.hasRoom()) {
      return sendError(reply.header('retry-after', '1'), 503, 'OVERLOADED', 'There is no room for one more connection: try again.', { retryAfter: 1 });
    }
    const place = this.options.places.enter(request.ip);
    if (!place) return sendError(reply.header('retry-after', '1'), 429, 'RATE_LIMITED', 'Too many connections of one address.', { retryAfter: 1 });
    reply.hijack();
    reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS });
    const stream = new EventStream(reply.raw, this.options, () => {
      this.#streams.delete(stream);
      place.leave();
    });
    this.#streams.add(stream);
    try {
      await this.#run(stream, request, given, place);
    } catch (error) {
      stream.error([this.operations.errors.map(error as Error)]);
    }
    return reply;
  }

  /** Ends every stream so that its client comes back elsewhere, and takes no more. */
  drain(): void {
    this.#draining = true;
    for (const stream of this.#streams) stream.restart();
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.drain();
  }

  /** Who came in by a session. */
  connected(): Connected[] {
    return [...this.#streams].flatMap((stream) =>
      stream.viewer ? [{ viewer: stream.viewer, end: () => stream.error([shown('SESSION_ENDED', 'This session has ended: sign in again.')]), restart: () => stream.restart() }] : [],
    );
  }

  async #run(stream: EventStream, request: FastifyRequest, given: OperationRequest, place: Place): Promise<void> {
    const authenticated = await this.authentication.authenticate(request.headers.authorization);
    if (authenticated?.viewer && !place.belongsTo(authenticated.viewer.userId)) throw new DomainError('OVERLOADED', 'Too many connections of one person.', { retryAfter: 1 });
    const caller: Caller = { viewer: authenticated?.viewer ?? null, guest: authenticated?.guest ?? null, request: { id: request.id, address: request.ip }, transport: 'sse' };
    const admitted = await this.operations.take(given, caller);
    if ('errors' in admitted) return stream.error(admitted.errors);
    if (request.method === 'GET' && admitted.prepared.kind === 'mutation') throw new DomainError('BAD_REQUEST', 'A GET runs no mutation.');
    if (stream.closed) return;
    if (admitted.prepared.kind !== 'subscription') {
      stream.next(Buffer.from(JSON.stringify(await this.operations.execute(admitted, caller))));
      return stream.complete();
    }
    if (authenticated) this.#belongsTo(stream, authenticated);
    stream.onEnd(await this.operations.subscribe(admitted, caller, stream));
  }

  #belongsTo(stream: EventStream, { viewer, expiresAt }: Authenticated): void {
    const id = randomUUID();
    stream.viewer = viewer;
    const callOff = whenExpired(expiresAt, () => this.clock.now(), () => stream.error([shown('TOKEN_EXPIRED', 'The access token has expired: refresh the session.')]));
    if (viewer) this.listener.connected(viewer, id);
    stream.onEnd(() => {
      callOff();
      if (viewer) this.listener.disconnected(viewer, id);
    });
  }

  #endSessions(ids: ReadonlySet<string>): void {
    for (const stream of this.#streams) if (stream.viewer && ids.has(stream.viewer.sessionId)) stream.error([shown('SESSION_ENDED', 'This session has ended: sign in again.')]);
  }
}

const shown = (code: string, message: string): GraphQLFormattedError => ({ message, extensions: { code } });

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Proxies of the nginx kind hold answers back otherwise.
  'x-accel-buffering': 'no',
};
const HEARTBEAT = Buffer.from(':\n\n');
const NEXT = Buffer.from('event: next\ndata: ');
const END_OF_EVENT = Buffer.from('\n\n');
const COMPLETE = Buffer.from('event: complete\ndata: \n\n');

/** One operation and its connection. What becomes ready within one turn of the loop leaves in one write. */
class EventStream implements Sink {
  closed = false;
  viewer: Viewer | null = null;
  #waiting: Buffer[] = [];
  #bytes = 0;
  /** Bytes that may wait: more than `maxBuffered` while a single message that is larger is on its way. */
  #limit: number;
  readonly #onEnd: (() => void)[] = [];

  constructor(
    private readonly response: ServerResponse,
    private readonly options: EventStreamsOptions,
    /** What it holds is free again: an answer that has ended may still wait for its reader. */
    onClosed: () => void,
  ) {
    this.#limit = options.maxBuffered;
    response.on('close', () => {
      this.#end();
      onClosed();
    });
    response.on('error', () => undefined); // 'close' follows
    response.socket?.setNoDelay(true);
    response.write(HEARTBEAT); // some browsers see no headers before the first bytes
  }

  next(payload: Buffer): void {
    if (this.closed) return;
    this.options.deliveries.add(payload);
    this.#write(NEXT, payload, END_OF_EVENT);
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.next(Buffer.from(JSON.stringify({ errors })));
    this.complete();
  }

  complete(): void {
    if (this.closed) return;
    this.#write(COMPLETE);
    this.restart();
  }

  /** Ends the answer as it stands: without `complete` the client reconnects. */
  restart(): void {
    if (this.closed) return;
    this.#flush();
    this.#end();
    this.response.end();
    // Nothing more is written, so that no heartbeat finds out: whoever takes nothing of what is left for as long has gone.
    this.response.setTimeout(this.options.heartbeatMs, () => this.response.destroy());
  }

  beat(): void {
    if (!this.closed) this.#write(HEARTBEAT);
  }

  drained(): Promise<void> | null {
    return untilRoom(() => this.closed || this.#buffered < replayRoom(this.options.maxBuffered));
  }

  /** What to do at the end; done at once when it has come already. */
  onEnd(action: () => void): void {
    if (this.closed) action();
    else this.#onEnd.push(action);
  }

  get #buffered(): number {
    return this.response.writableLength + this.#bytes;
  }

  #write(...parts: Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const buffered = this.#buffered;
    // One message alone may be larger, and its end follow it: it could never be delivered otherwise.
    if (!buffered) this.#limit = Math.max(this.options.maxBuffered, length + COMPLETE.length);
    if (buffered + length > this.#limit) {
      this.#end();
      this.response.destroy(); // too slow a reader: it may come back and resume
      return;
    }
    if (!this.#waiting.length) setImmediate(() => this.#flush());
    this.#waiting.push(...parts);
    this.#bytes += length;
  }

  #flush(): void {
    if (!this.#waiting.length) return;
    const chunk = Buffer.concat(this.#waiting, this.#bytes);
    this.#waiting = [];
    this.#bytes = 0;
    if (!this.response.destroyed && !this.response.writableEnded) this.response.write(chunk);
  }

  #end(): void {
    if (this.closed) return;
    this.closed = true;
    for (const action of this.#onEnd.splice(0)) action();
  }
}
