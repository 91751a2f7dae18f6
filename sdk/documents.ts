import * as Y from 'yjs';
import { Awareness, type AwarenessState } from './awareness.js';
import { fromBase64, toBase64 } from './bytes.js';
import type { DocumentEvent, OmniTalk } from './client.js';
import { failure, OmniTalkError } from './errors.js';
import type { EventStream } from './stream.js';

export { Awareness, type AwarenessChange, type AwarenessListener, type AwarenessState } from './awareness.js';

export interface WhiteboardOptions {
  /** A document of one's own, perhaps with what was drawn offline. */
  doc?: Y.Doc;
}

/** How a whiteboard came to be closed. */
export type WhiteboardEnd = 'CLOSED' | 'ENDED' | 'DELETED' | OmniTalkError;

/** Changes gather for so long before they are sent together. */
const GATHER_MS = 40;
/** Pointers move more often than others need to hear. */
const AWARENESS_MS = 60;
/** A pointer that rests is told again, so that it does not expire. */
const AWARENESS_AGAIN_MS = 12_000;
/** Bytes of changes that wait to be sent: past them they are dropped here, and found again by comparing state vectors. */
const MAX_WAITING_BYTES = 256 * 1024;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
/** What trying again can't mend; whatever the server did not take stays in the local document. */
const FINAL: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND', 'BLOCKED', 'LIMIT_REACHED', 'INVALID_INPUT', 'UNAUTHENTICATED', 'SESSION_ENDED', 'ACCESS_REVOKED', 'BAD_REQUEST']);

/** Opens a whiteboard: a Yjs document that is kept in step with everybody else's, online or, after a while offline, again. */
export function openWhiteboard(client: OmniTalk, documentId: string, options: WhiteboardOptions = {}): Whiteboard {
  return new Whiteboard(client, documentId, options);
}

export class Whiteboard {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** Resolves with the reason when it is closed, by oneself or by the server. */
  readonly ended: Promise<WhiteboardEnd>;
  /** Why the server did not take what was drawn, if it did not: it stands in the local document alone. */
  refused: OmniTalkError | null = null;
  readonly #stream: EventStream<DocumentEvent>;
  #end!: (reason: WhiteboardEnd) => void;
  #closed = false;
  #synced = false;
  /** What the server has said that it has; null until then. */
  #serverVector: Uint8Array | null = null;
  /** Local changes not yet sent; null: too many, compare state vectors instead. */
  #waiting: Uint8Array[] | null = [];
  #waitingBytes = 0;
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #awarenessTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #again: ReturnType<typeof setInterval>;
  #toTell: AwarenessState | null | undefined;
  readonly #onSettled = new Set<() => void>();

  constructor(
    private readonly client: OmniTalk,
    readonly documentId: string,
    options: WhiteboardOptions,
  ) {
    this.doc = options.doc ?? new Y.Doc();
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.awareness = new Awareness(this.doc.clientID, (state) => this.#tellSoon(state));
    // What the document holds already is found by comparing.
    if (options.doc) this.#waiting = null;
    this.doc.on('update', this.#onUpdate);
    this.#again = setInterval(() => this.awareness.getLocalState() && this.#tellSoon(this.awareness.getLocalState()), AWARENESS_AGAIN_MS);
    this.#stream = client.documentEvents(documentId, { stateVector: () => toBase64(Y.encodeStateVector(this.doc)), clientId: String(this.doc.clientID) });
    void this.#read();
  }

  /** Whether all that the server has is here, and it has all that is here. */
  get synced(): boolean {
    return this.#synced && !this.#sending && this.#waiting !== null && !this.#waiting.length;
  }

  /** Resolves when it is in step, or has been closed. */
  async whenSynced(): Promise<void> {
    while (!this.synced && !this.#closed && !this.refused) await new Promise<void>((resolve) => this.#onSettled.add(resolve));
  }

  /** Ends it. What has not been sent stays in `doc`: open it again with that document. */
  close(): void {
    this.#finish('CLOSED');
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this || this.#closed) return;
    if (this.#waiting) {
      this.#waiting.push(update);
      this.#waitingBytes += update.length;
      if (this.#waitingBytes > MAX_WAITING_BYTES) this.#compare();
    }
    this.#sendSoon(GATHER_MS);
  };

  async #read(): Promise<void> {
    try {
      for await (const event of this.#stream) this.#take(event);
      this.#finish('ENDED');
    } catch (error) {
      this.#finish(error instanceof OmniTalkError ? error : failure('UNKNOWN', String(error), error));
    }
  }

  #take(event: DocumentEvent): void {
    switch (event.__typename) {
      case 'DocumentState': {
        Y.applyUpdate(this.doc, fromBase64(event.update), this);
        this.#serverVector = event.stateVector == null ? null : fromBase64(event.stateVector);
        this.#synced = true;
        // After a time apart: whatever was drawn meanwhile, and whatever was on its way.
        if (this.#lacks()) this.#compare();
        this.awareness.forgetOthers();
        if (this.awareness.getLocalState()) this.#tellSoon(this.awareness.getLocalState());
        this.#sendSoon(0);
        return;
      }
      case 'DocumentUpdated':
        return Y.applyUpdate(this.doc, fromBase64(event.update), this);
      case 'AwarenessChanged': {
        const clientId = Number(event.clientId);
        if (Number.isSafeInteger(clientId)) this.awareness.receive(clientId, event.userId, (event.state ?? null) as AwarenessState | null);
        return;
      }
      case 'DocumentEnded':
        return this.#finish(event.reason);
      case 'ControlChanged':
      case 'ControlInput':
        return;
    }
  }

  /** Whether something of the local document is unknown to the server. What was only taken away is in `#waiting`. */
  #lacks(): boolean {
    const theirs = this.#serverVector ? Y.decodeStateVector(this.#serverVector) : new Map<number, number>();
    for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(this.doc))) if ((theirs.get(client) ?? 0) < clock) return true;
    return false;
  }

  #compare(): void {
    this.#waiting = null;
    this.#waitingBytes = 0;
  }

  #sendSoon(delay: number): void {
    if (this.#sending || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), delay);
  }

  async #send(): Promise<void> {
    if (this.#sending || this.#closed || !this.#synced) return;
    let retry = FIRST_RETRY_MS;
    this.#sending = true;
    while (!this.#closed && (this.#waiting === null || this.#waiting.length)) {
      const batch = this.#waiting;
      const update = batch ? Y.mergeUpdates(batch) : Y.encodeStateAsUpdate(this.doc, this.#serverVector ?? undefined);
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.client.api.applyDocumentUpdate({ input: { documentId: this.documentId, update: toBase64(update) } });
        retry = FIRST_RETRY_MS;
        this.refused = null;
      } catch (error) {
        const { code, retryAfter } = error as OmniTalkError;
        if (FINAL.has(code)) {
          this.refused = error as OmniTalkError;
          break;
        }
        // Whatever of it has arrived does no harm when it arrives again. What does not fit what the server has is found by comparing.
        this.#compare();
        if (code === 'STATE_CONFLICT') this.#serverVector = null;
        await new Promise((resolve) => setTimeout(resolve, (retryAfter === undefined ? retry : retryAfter * 1_000) * (0.5 + Math.random())));
        retry = Math.min(retry * 2, LONGEST_RETRY_MS);
      }
    }
    this.#sending = false;
    for (const settled of this.#onSettled) settled();
    this.#onSettled.clear();
  }

  #tellSoon(state: AwarenessState | null): void {
    this.#toTell = state;
    if (this.#closed) return;
    this.#awarenessTimer ??= setTimeout(() => {
      this.#awarenessTimer = undefined;
      const input = { documentId: this.documentId, clientId: String(this.doc.clientID), state: this.#toTell ?? null };
      // It passes, and is told again.
      this.client.api.updateAwareness({ input }).catch(() => undefined);
    }, AWARENESS_MS);
  }

  #finish(reason: WhiteboardEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.doc.off('update', this.#onUpdate);
    clearTimeout(this.#timer);
    clearTimeout(this.#awarenessTimer);
    clearInterval(this.#again);
    this.awareness.forgetOthers();
    this.#stream.close();
    for (const settled of this.#onSettled) settled();
    this.#onSettled.clear();
    this.#end(reason);
  }
}
