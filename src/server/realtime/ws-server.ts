import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Viewer } from '../../resolvers/context.js';
import type { Connected, SessionGate } from '../../services/session-gate.js';
import type { Authentication } from '../authentication.js';
import { DomainError } from '../../lib/errors.js';
import type { Limits, Operations } from '../operations.js';
import type { Place, Places } from './places.js';
import { CLOSE, WsConnection, type ConnectionOptions } from './ws-connection.js';

export interface WsServerOptions extends ConnectionOptions {
  path: string;
  /** Sockets of other kinds, by their paths: let in by the same rules. */
  others: Readonly<Record<string, { accept(request: IncomingMessage, socket: Duplex, head: Buffer, place: Place): void }>>;
  /** Whether one more connection may be held. */
  hasRoom(): boolean;
  places: Places;
  maxMessageBytes: number;
  heartbeatMs: number;
  allowOrigin(origin: string | undefined, host: string | undefined): boolean;
  addressOf(request: IncomingMessage): string;
  /** Each attempt to connect counts as a request of its address. */
  limits: Pick<Limits, 'request'>;
}

/** Hears when a person's connections come and go. */
export interface ConnectionListener {
  connected(viewer: Viewer, connectionId: string): void;
  disconnected(viewer: Viewer, connectionId: string): void;
}

/** Accepts WebSockets on the HTTP server, pings them, and ends those whose session has ended. */
export class WsServer {
  readonly #wss: WebSocketServer;
  readonly #connections = new Map<WebSocket, WsConnection>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  #draining = false;

  constructor(
    http: Server,
    private readonly operations: Operations,
    private readonly authentication: Authentication,
    sessions: SessionGate,
    private readonly listener: ConnectionListener,
    private readonly options: WsServerOptions,
  ) {
    this.#wss = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: false, // frames are written straight to the socket: see SocketWriter
      handleProtocols: (protocols) => (protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false),
    });
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs);
    this.#heartbeat.unref();
    sessions.onEnded((ids) => this.#endSessions(new Set(ids)));
  }

  get connections(): number {
    return this.#connections.size;
  }

  get subscriptions(): number {
    let total = 0;
    for (const connection of this.#connections.values()) total += connection.subscriptions;
    return total;
  }

  /** Tells every client to reconnect elsewhere, and accepts nobody more. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections.values()) connection.close(CLOSE.restart, 'Restarting: reconnect and resume');
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.drain();
    for (const socket of this.#connections.keys()) socket.terminate();
    this.#wss.close();
  }

  /** Who came in by a session. */
  connected(): Connected[] {
    return [...this.#connections.values()].flatMap((connection) =>
      connection.viewer
        ? [{ viewer: connection.viewer, end: () => connection.close(CLOSE.unauthorized, 'SESSION_ENDED'), restart: () => connection.close(CLOSE.restart, 'What you may has changed: reconnect and resume') }]
        : [],
    );
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = request.url?.split('?', 1)[0] ?? '';
    const other = Object.hasOwn(this.options.others, path) ? this.options.others[path]! : null;
    if (path !== this.options.path && !other) return refuse(socket, '404 Not Found');
    if (!this.#hasRoom()) return refuse(socket, '503 Service Unavailable', 1);
    // Tokens are explicit here, never cookies; yet pages of foreign origins have no business.
    if (!this.options.allowOrigin(request.headers.origin, request.headers.host)) return refuse(socket, '403 Forbidden');
    const place = this.options.places.enter(this.options.addressOf(request));
    if (!place) return refuse(socket, '429 Too Many Requests', 1);
    socket.once('close', () => place.leave());
    this.options.limits.request(this.options.addressOf(request)).then(
      () => {
        if (socket.destroyed) return;
        if (!this.#hasRoom()) return refuse(socket, '503 Service Unavailable', 1);
        if (other) return other.accept(request, socket, head, place);
        this.#wss.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request, socket, place));
      },
      (error: unknown) => {
        if (error instanceof DomainError) refuse(socket, '429 Too Many Requests', error.details.retryAfter);
        else refuse(socket, '503 Service Unavailable', 1);
      },
    );
  }

  #hasRoom(): boolean {
    return !this.#draining && this.options.hasRoom();
  }

  #accept(socket: WebSocket, request: IncomingMessage, duplex: Duplex, place: Place): void {
    // Before anything else: a broken frame of one that is being refused would end the process, unheard.
    socket.on('error', () => undefined); // 'close' follows
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL) return socket.close(4406, 'Subprotocol not acceptable');
    const id = randomUUID();
    const connection = new WsConnection(socket, duplex, { id, address: this.options.addressOf(request) }, {
      operations: this.operations,
      authentication: this.authentication,
      options: this.options,
      authenticated: (viewer) => {
        if (!place.belongsTo(viewer.userId)) return false;
        this.listener.connected(viewer, id);
        return true;
      },
    });
    this.#connections.set(socket, connection);
    this.#alive.add(socket);
    socket.on('pong', () => this.#alive.add(socket));
    socket.on('close', () => {
      this.#connections.delete(socket);
      if (connection.viewer) this.listener.disconnected(connection.viewer, id);
    });
  }

  #beat(): void {
    for (const socket of this.#connections.keys()) {
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }

  #endSessions(ids: ReadonlySet<string>): void {
    for (const connection of this.#connections.values()) {
      if (connection.viewer && ids.has(connection.viewer.sessionId)) connection.close(CLOSE.unauthorized, 'SESSION_ENDED');
    }
  }
}

/** And hangs up: whoever does not would hold the socket, and its place, for ever. */
function refuse(socket: Duplex, status: string, retryAfter?: number): void {
  socket.once('finish', () => socket.destroy());
  const retry = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}
