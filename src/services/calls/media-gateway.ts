import type { Bus } from '../../events/bus.js';
import { NoAnswer, Requests } from '../../events/requests.js';
import { DomainError } from '../../lib/errors.js';
import { MediaError, type Media, type MediaErrorCode, type OtherNodes } from '../../media/contract.js';

/** What of media may be asked from another process: JSON in, JSON out. */
const ASKED = [
  'join', 'leave', 'closeRoom', 'createTransport', 'connectTransport', 'restartIce', 'closeTransport', 'produce', 'closeProducer', 'setProducerPaused', 'consume',
  'closeConsumer', 'setConsumerPaused', 'setPreferredLayers', 'requestKeyFrame', 'produceData', 'closeDataProducer', 'consumeData', 'closeDataConsumer', 'stats',
  'startRecording', 'stopRecording', 'lend', 'takeBack', 'closePipe', 'heard',
] as const satisfies (keyof Media)[];
export type AskedMethod = (typeof ASKED)[number];
type Args<Name extends AskedMethod> = Parameters<Media[Name]>;
type Result<Name extends AskedMethod> = Awaited<ReturnType<Media[Name]>>;

interface Question {
  method: AskedMethod;
  args: unknown[];
}

const TIMEOUT_MS = 5_000;
/** Until ffmpeg runs, or a recording's file is complete. */
const LONG_TIMEOUT_MS = 20_000;

/** A call's media lives in one process: here it is asked there, whichever that is. */
export class MediaGateway {
  readonly #requests: Requests;

  constructor(
    readonly local: Media,
    readonly node: string,
    bus: Bus,
  ) {
    this.#requests = new Requests(bus, node, {
      answer: (question) => this.#here(question as Question),
      undo: (question, answer) => void this.#undo(question as Question, answer).catch(() => undefined),
      toFailure: (error) => (error instanceof MediaError ? { code: error.code, message: error.message, field: error.field } : { message: (error as Error).message }),
      fromFailure: (failure) => {
        const { code, message, field } = failure as { code?: MediaErrorCode; message: string; field?: string };
        return code ? new MediaError(code, message, field) : new Error(message);
      },
    });
  }

  start(): Promise<void> {
    return this.#requests.start();
  }

  /**
   * Asks the media of a process. Throws DomainErrors: NOT_FOUND, STATE_CONFLICT, INVALID_INPUT, LIMIT_REACHED, and CALLS_UNAVAILABLE also when that process
   * does not answer within 5 s.
   */
  async ask<Name extends AskedMethod>(node: string, method: Name, ...args: Args<Name>): Promise<Result<Name>> {
    try {
      return await this.#ask(node, method, args);
    } catch (error) {
      throw error instanceof MediaError ? translated(error) : error;
    }
  }

  /** How this process's media asks that of others. */
  get others(): OtherNodes {
    return { id: this.node, ask: (node, method, ...args) => this.#ask(node, method, args) as never };
  }

  close(): void {
    this.#requests.close();
  }

  /** Throws MediaErrors. */
  async #ask<Name extends AskedMethod>(node: string, method: Name, args: Args<Name>): Promise<Result<Name>> {
    try {
      const asking = node === this.node ? this.#here({ method, args }) : this.#requests.ask(node, { method, args } satisfies Question, method === 'startRecording' || method === 'stopRecording' ? LONG_TIMEOUT_MS : TIMEOUT_MS);
      return (await asking) as Result<Name>;
    } catch (error) {
      throw error instanceof NoAnswer ? new MediaError('UNAVAILABLE', 'The process that carries this call does not answer: join again in a moment.') : error;
    }
  }

  async #here({ method, args }: Question): Promise<unknown> {
    if (!ASKED.includes(method)) throw new MediaError('BAD_REQUEST', `Media has no ${String(method)}.`);
    return (this.local[method] as (...given: unknown[]) => Promise<unknown>)(...args);
  }

  /** What was made for somebody who was told by then that it could not be had: they ask anew, and this would be held as long as their seat. */
  async #undo({ method, args }: Question, answer: unknown): Promise<void> {
    const [roomId, peerId] = args as [string, string];
    const made = answer as { id: string; recordingId: string };
    if (method === 'createTransport') await this.local.closeTransport(roomId, peerId, made.id);
    if (method === 'produce') await this.local.closeProducer(roomId, peerId, made.id);
    if (method === 'produceData') await this.local.closeDataProducer(roomId, peerId, made.id);
    if (method === 'startRecording') await this.local.stopRecording(roomId, made.recordingId, false);
  }
}

const CODES = { NOT_FOUND: 'NOT_FOUND', CONFLICT: 'STATE_CONFLICT', BAD_REQUEST: 'INVALID_INPUT', LIMIT: 'LIMIT_REACHED', UNAVAILABLE: 'CALLS_UNAVAILABLE' } as const;

function translated({ code, message, field }: MediaError): DomainError {
  return new DomainError(CODES[code], message, { ...(field === undefined ? {} : { field }), ...(code === 'UNAVAILABLE' ? { retryAfter: 1 } : {}) });
}
