import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { DomainError, forbidden, unauthenticated } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import type { Viewer } from '../../resolvers/context.js';
import { VoiceBridge, VOICE_CLOSE } from '../../media/voice-bridge.js';
import type { CallVoices, Voice } from '../../services/calls/call-voices.js';
import { callerOf } from '../../services/calls/caller.js';
import type { Connected, SessionGate } from '../../services/session-gate.js';
import type { Authentication } from '../authentication.js';
import type { ErrorMapper } from '../errors.js';
import { whenExpired } from './expiry.js';
import type { Place } from './places.js';

export interface VoiceServerDeps {
  authentication: Authentication;
  sessions: SessionGate;
  voices: CallVoices;
  errors: ErrorMapper;
  now(): Date;
  heartbeatMs: number;
}

/** Codes with which the server closes a voice socket, beside those of the bridge. The reason is the error's code. */
export const VOICE_REFUSED = { unauthorized: 4401, forbidden: 4403, noJoin: 4408, restart: 1012 } as const;

/** An Opus packet is 1,275 bytes at the most; the first message holds a token. */
const MAX_MESSAGE_BYTES = 8_192;
const JOIN_WITHIN_MS = 5_000;

interface Joining {
  type: 'join';
  callId: string;
  authorization: string;
  takeOver?: boolean;
  recordingConsent?: boolean;
}

/** `/voice`: people without WebRTC, each on a WebSocket of their own. The first message says who and where; docs/CALLS.md has the rest. */
export class VoiceServer {
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  readonly #sockets = new Map<WebSocket, Viewer | null>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  #draining = false;

  constructor(private readonly deps: VoiceServerDeps) {
    this.#heartbeat = setInterval(() => this.#beat(), deps.heartbeatMs);
    this.#heartbeat.unref();
    deps.sessions.onEnded((ids) => {
      for (const [socket, viewer] of this.#sockets) if (viewer && ids.includes(viewer.sessionId)) socket.close(VOICE_REFUSED.unauthorized, 'SESSION_ENDED');
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes over an upgrade that was let in. */
  accept(request: IncomingMessage, duplex: Duplex, head: Buffer, place: Place): void {
    this.#wss.handleUpgrade(request, duplex, head, (socket) => {
      socket.on('error', () => undefined); // 'close' follows, also of one that is refused
      if (this.#draining) return socket.close(VOICE_REFUSED.restart, 'Restarting: connect again');
      this.#sockets.set(socket, null);
      this.#alive.add(socket);
      socket.on('pong', () => this.#alive.add(socket));
      socket.on('close', () => this.#sockets.delete(socket));
      const late = setTimeout(() => socket.close(VOICE_REFUSED.noJoin, 'Say who you are'), JOIN_WITHIN_MS);
      socket.once('close', () => clearTimeout(late));
      socket.once('message', (data: RawData, isBinary: boolean) => {
        clearTimeout(late);
        void this.#join(socket, isBinary ? null : joiningOf(data), place);
      });
    });
  }

  /** Who came in by a session. */
  connected(): Connected[] {
    return [...this.#sockets].flatMap(([socket, viewer]) =>
      viewer ? [{ viewer, end: () => socket.close(VOICE_REFUSED.unauthorized, 'SESSION_ENDED'), restart: () => socket.close(VOICE_REFUSED.restart, 'What you may has changed: connect again') }] : [],
    );
  }

  drain(): void {
    this.#draining = true;
    for (const socket of this.#sockets.keys()) socket.close(VOICE_REFUSED.restart, 'Restarting: connect again');
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.drain();
    for (const socket of this.#sockets.keys()) socket.terminate();
    this.#wss.close();
  }

  async #join(socket: WebSocket, joining: Joining | null, place: Place): Promise<void> {
    if (!joining) return socket.close(VOICE_CLOSE.MALFORMED, 'The first message is {"type":"join","callId":…,"authorization":"Bearer …"}.');
    let voice: Voice | null = null;
    try {
      const authenticated = await this.deps.authentication.authenticate(joining.authorization);
      if (socket.readyState !== socket.OPEN) return;
      const caller = callerOf(authenticated?.viewer ?? null, authenticated?.guest ?? null);
      if (!authenticated || !caller) throw unauthenticated();
      // No document says what is asked here: it is what joinCall and produce are.
      const scopes = authenticated.viewer?.scopes;
      if (scopes && !scopes.includes('calls:write')) throw forbidden('This app was not given: calls:write.');
      if (authenticated.viewer && !place.belongsTo(authenticated.viewer.userId)) throw new DomainError('OVERLOADED', 'Too many connections of one person.', { retryAfter: 1 });
      this.#sockets.set(socket, authenticated.viewer);
      const bridge = new VoiceBridge(socket, { participantId: (id) => encodeId('CallParticipant', id), producerId: (id) => encodeId('CallProducer', id), onEnd: () => voice?.lost() });
      voice = await this.deps.voices.open(caller, decodeId('Call', joining.callId, 'callId'), { takeOver: joining.takeOver === true, recordingConsent: joining.recordingConsent === true }, bridge);
      bridge.attach(voice.link);
      // It went while its seat was being taken: the bridge has ended without knowing of it.
      if (socket.readyState !== socket.OPEN) return voice.lost();
      const callOff = whenExpired(authenticated.expiresAt, () => this.deps.now(), () => socket.close(VOICE_REFUSED.unauthorized, 'TOKEN_EXPIRED'));
      socket.once('close', callOff);
    } catch (error) {
      this.#refuse(socket, error as Error);
    }
  }

  #refuse(socket: WebSocket, error: Error): void {
    const code = String(this.deps.errors.map(error).extensions?.['code']);
    const unauthorized = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'SESSION_ENDED'].includes(code);
    const again = ['CALLS_UNAVAILABLE', 'UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'INTERNAL'].includes(code);
    socket.close(unauthorized ? VOICE_REFUSED.unauthorized : again ? VOICE_CLOSE.RESET : code === 'NOT_FOUND' ? VOICE_CLOSE.ENDED : VOICE_REFUSED.forbidden, code);
  }

  #beat(): void {
    for (const socket of this.#sockets.keys()) {
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** Null for what is no such message. */
function joiningOf(data: RawData): Joining | null {
  try {
    const message = JSON.parse((data as Buffer).toString()) as Partial<Joining> | null;
    const fits = message?.type === 'join' && typeof message.callId === 'string' && typeof message.authorization === 'string';
    return fits ? (message as Joining) : null;
  } catch {
    return null;
  }
}
