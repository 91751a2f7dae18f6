import type { VoiceLink, VoiceSink } from './voice-link.js';

/** As much of a WebSocket as the bridge needs: one of `ws` fits. */
export interface VoiceSocket {
  /** Bytes given to `send` that the network has not taken yet. */
  readonly bufferedAmount: number;
  send(data: Buffer | string): void;
  close(code: number, reason: string): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

export interface VoiceBridgeOptions {
  /** The ids that the client knows. */
  participantId: (peerId: string) => string;
  producerId: (producerId: string) => string;
  /** The socket is gone; the seat is kept or left by whoever gave it. */
  onEnd: () => void;
}

/** Codes with which the server closes the socket. */
export const VOICE_CLOSE = {
  /** Too many messages that are no voice. */
  MALFORMED: 4400,
  /** The participant has left or was removed, or the call is over. */
  ENDED: 4404,
  /** Far more sound than time. */
  TOO_FAST: 4429,
  /** The call begins anew: connect again at once. */
  RESET: 4503,
} as const;

const HEADER = 7;
const MOST_MALFORMED = 20;
const MOST_TOO_FAST = 500;
/** A reader that is further behind hears the newest when it catches up, instead of everything late. */
const MOST_WAITING_BYTES = 32 * 1024;
const MOST_TEXT = 256;

/**
 * A client without WebRTC, over a WebSocket. Binary messages are voice, text messages are JSON:
 *
 * - client to server, binary: one byte of loudness (0 the loudest to 127 silence, as in RFC 6464; 255 not known), then one packet of Opus;
 * - client to server, text: `{"type":"mute"}` and `{"type":"unmute"}`;
 * - server to client, binary: stream (2 bytes), loudness (1 byte), timestamp at 48 kHz (4 bytes), all big-endian, then one packet of Opus;
 * - server to client, text: `ready` (with the own `producerId`), `stream` (a `stream` number, the `participantId` and the `producerId` whose it is), `streamEnded`, `error`.
 */
export class VoiceBridge implements VoiceSink {
  readonly #socket: VoiceSocket;
  readonly #options: VoiceBridgeOptions;
  #link: VoiceLink | undefined;
  #malformed = 0;
  #tooFast = 0;
  #ended = false;
  /** Frames that a slow reader did not get. */
  dropped = 0;

  constructor(socket: VoiceSocket, options: VoiceBridgeOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (data, isBinary) => this.#read(data, isBinary));
    socket.on('close', () => this.#end());
  }

  /** Begins, with a link that was opened with this bridge as its sink. */
  attach(link: VoiceLink): void {
    if (this.#ended) {
      link.close();
      return;
    }
    this.#link = link;
    this.#tell({ type: 'ready', producerId: this.#options.producerId(link.producer.id), sampleRate: 48_000 });
  }

  started(stream: number, { peerId, producerId }: { producerId: string; peerId: string }): void {
    this.#tell({ type: 'stream', stream, participantId: this.#options.participantId(peerId), producerId: this.#options.producerId(producerId) });
  }

  frame(stream: number, level: number, timestamp: number, opus: Buffer): void {
    if (this.#ended) return;
    if (this.#socket.bufferedAmount > MOST_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    const message = Buffer.allocUnsafe(HEADER + opus.length);
    message.writeUInt16BE(stream & 0xffff, 0);
    message.writeUInt8(level, 2);
    message.writeUInt32BE(timestamp, 3);
    opus.copy(message, HEADER);
    this.#socket.send(message);
  }

  ended(stream: number): void {
    this.#tell({ type: 'streamEnded', stream });
  }

  closed(why: 'left' | 'reset'): void {
    if (why === 'reset') this.#close(VOICE_CLOSE.RESET, 'The call begins anew: connect again.');
    else this.#close(VOICE_CLOSE.ENDED, 'You are no longer in this call.');
  }

  #read(data: Buffer, isBinary: boolean): void {
    // What comes before the link is open is too early to be heard by anybody.
    if (this.#ended || !this.#link) return;
    if (!isBinary) {
      this.#obey(data);
      return;
    }
    const written = data.length < 2 ? 'malformed' : this.#link.write(data[0]!, data.subarray(1));
    if (written === 'malformed') this.#refuse();
    if (written === 'too fast' && ++this.#tooFast >= MOST_TOO_FAST) this.#close(VOICE_CLOSE.TOO_FAST, 'More sound than time.');
  }

  #obey(data: Buffer): void {
    const type = data.length <= MOST_TEXT ? typeOf(data.toString()) : undefined;
    if (type !== 'mute' && type !== 'unmute') {
      this.#refuse();
      return;
    }
    // The seat may end under it; then the socket is closed for that.
    this.#link!.setMuted(type === 'mute').catch(() => undefined);
  }

  #refuse(): void {
    this.#malformed++;
    if (this.#malformed === 1) this.#tell({ type: 'error', code: 'BAD_FRAME', message: 'Send one byte of loudness and one packet of Opus, or {"type":"mute"}.' });
    if (this.#malformed >= MOST_MALFORMED) this.#close(VOICE_CLOSE.MALFORMED, 'Too many messages that are no voice.');
  }

  #tell(message: Record<string, unknown>): void {
    if (!this.#ended) this.#socket.send(JSON.stringify(message));
  }

  #close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#end();
    this.#socket.close(code, reason);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#link?.close();
    this.#options.onEnd();
  }
}

function typeOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}
