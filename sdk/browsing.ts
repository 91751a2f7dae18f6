import { fromBase64, pack, toBase64, unpack } from './bytes.js';
import type { DocumentEvent, OmniTalk } from './client.js';
import { failure, OmniTalkError } from './errors.js';
import type { EventStream } from './stream.js';

/** An event as rrweb's `record` emits it, and its Replayer takes it. */
export interface BrowsingEvent {
  type: number;
  timestamp: number;
  data?: unknown;
}

/** rrweb's `record`, or what does the same. */
export interface Recorder {
  (options: { emit(event: BrowsingEvent, isCheckout?: boolean): void }): (() => void) | undefined;
  /** Emits a full snapshot of the page as it is now. */
  takeFullSnapshot(isCheckout?: boolean): void;
}

/** Who, besides the presenter, controls the page, and who asks to, in the order in which they asked: ids of users. */
export interface BrowsingControl {
  controllerId: string | null;
  requesterIds: readonly string[];
}

export type BrowsingEnd = 'CLOSED' | 'ENDED' | 'DELETED' | OmniTalkError;

/** Of rrweb's events. */
const FULL_SNAPSHOT = 2;
const GATHER_MS = 100;
/** Of one batch, before it is packed. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** What one batch may be as it is sent. */
const SENT_BYTES = 512 * 1024;
const PACK_FROM_BYTES = 1024;
/** What waits for a connection; past it the page is shown anew by a snapshot. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
const PASSING: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'INTERNAL']);

/** What both ends of a session have in common: they follow it, and know who controls. */
abstract class Session {
  control: BrowsingControl = { controllerId: null, requesterIds: [] };
  /** Resolves with the reason when it is over for this client. */
  readonly ended: Promise<BrowsingEnd>;
  protected closed = false;
  protected seq: number | null = null;
  readonly #stream: EventStream<DocumentEvent>;
  #end!: (reason: BrowsingEnd) => void;

  constructor(
    protected readonly client: OmniTalk,
    readonly documentId: string,
    private readonly onControl: ((control: BrowsingControl) => void) | undefined,
  ) {
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#stream = client.documentEvents(documentId, { after: () => this.seq });
  }

  /** The presenter takes control back, the controller gives it up, who asks withdraws. */
  async releaseControl(): Promise<void> {
    await this.client.api.releaseControl({ input: { documentId: this.documentId } });
  }

  /** Stops here. The session goes on without this client. */
  close(): void {
    this.finish('CLOSED');
  }

  protected async follow(): Promise<void> {
    try {
      for await (const event of this.#stream) await this.#take(event);
      this.finish('ENDED');
    } catch (error) {
      this.finish(error instanceof OmniTalkError ? error : failure('UNKNOWN', String(error), error));
    }
  }

  protected finish(reason: BrowsingEnd): void {
    if (this.closed) return;
    this.closed = true;
    this.#stream.close();
    this.#end(reason);
  }

  protected abstract onState(batches: number): void;
  protected abstract onUpdate(update: string): Promise<void> | void;
  protected onInput(_userId: string, _messages: readonly unknown[]): void {
    // To the presenter alone.
  }

  async #take(event: DocumentEvent): Promise<void> {
    switch (event.__typename) {
      case 'DocumentState':
        this.#controlIs({ controllerId: event.document.controller?.id ?? null, requesterIds: event.document.controlRequests.map(({ id }) => id) });
        this.seq = event.seq;
        return this.onState(event.batches);
      case 'DocumentUpdated':
        await this.onUpdate(event.update);
        this.seq = event.seq;
        return;
      case 'ControlChanged':
        this.#controlIs({ controllerId: event.controllerId ?? null, requesterIds: event.requesterIds });
        this.seq = event.seq;
        return;
      case 'ControlInput':
        return this.onInput(event.userId, event.messages);
      case 'DocumentEnded':
        return this.finish(event.reason);
      case 'AwarenessChanged':
        return;
    }
  }

  #controlIs(control: BrowsingControl): void {
    if (control.controllerId === this.control.controllerId && control.requesterIds.join() === this.control.requesterIds.join()) return;
    this.control = control;
    this.onControl?.(control);
  }
}

export interface ShareOptions {
  record: Recorder;
  /** Somebody asks for control, has it, or has it no more: decide by `grantControl` and `denyControl`. */
  onControl?: (control: BrowsingControl) => void;
  /** What the controller does, in the order in which they do it: apply it to the page, or not. */
  onInput?: (messages: readonly unknown[], userId: string) => void;
}

/** Shows this page to the members of the session's chat, until it is closed. */
export const shareBrowsing = (client: OmniTalk, documentId: string, options: ShareOptions): BrowsingShare => new BrowsingShare(client, documentId, options);

export class BrowsingShare extends Session {
  readonly #options: ShareOptions;
  /** As JSON. */
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** The page is to be shown anew before anything else. */
  #overdue = false;
  /** A full snapshot has been taken: what rrweb tells before can't be shown. */
  #begun = false;
  #batch: number | null = null;
  #stop: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;

  constructor(client: OmniTalk, documentId: string, options: ShareOptions) {
    super(client, documentId, options.onControl);
    this.#options = options;
    void this.follow();
  }

  async grantControl(userId: string): Promise<void> {
    await this.client.api.grantControl({ input: { documentId: this.documentId, userId } });
  }
  async denyControl(userId: string): Promise<void> {
    await this.client.api.denyControl({ input: { documentId: this.documentId, userId } });
  }

  /** Ends the session for everybody. */
  async end(): Promise<void> {
    await this.client.api.endCoBrowsing({ input: { documentId: this.documentId } });
    this.finish('ENDED');
  }

  protected onState(batches: number): void {
    if (this.#batch !== null) return;
    this.#batch = batches + 1;
    this.#stop = this.#options.record({ emit: (event) => this.#emit(event) });
  }

  protected onUpdate(): void {
    // One's own.
  }

  protected override onInput(userId: string, messages: readonly unknown[]): void {
    if (userId === this.control.controllerId) this.#options.onInput?.(messages, userId);
  }

  protected override finish(reason: BrowsingEnd): void {
    if (this.closed) return;
    clearTimeout(this.#timer);
    this.#stop?.();
    super.finish(reason);
  }

  #emit(event: BrowsingEvent): void {
    if (this.closed) return;
    // Behind what was dropped nothing can be shown but the page as a whole.
    if (this.#overdue) return;
    const text = JSON.stringify(event);
    this.#begun ||= event.type === FULL_SNAPSHOT;
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#drop();
    if (this.#begun) this.#timer ??= setTimeout(() => void this.#send(), GATHER_MS);
  }

  #drop(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#overdue = true;
  }

  /** As many of the waiting events as fit one batch. */
  #take(): string[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.length <= BATCH_BYTES)) bytes += this.#waiting[count++]!.length;
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    if (this.#sending) return;
    this.#sending = true;
    while (!this.closed && (this.#waiting.length || this.#overdue)) {
      if (this.#overdue) {
        this.#overdue = false;
        this.#options.record.takeFullSnapshot(true);
        if (!this.#waiting.length) break;
      }
      const plain = new TextEncoder().encode(`[${this.#take().join()}]`);
      const bytes = plain.length > PACK_FROM_BYTES ? await pack(plain) : plain;
      if (bytes.length > SENT_BYTES) {
        this.finish(failure('TOO_LARGE', `The page is too large to be shown: ${bytes.length} bytes, ${SENT_BYTES} at the most.`));
        break;
      }
      await this.#deliver(toBase64(bytes));
    }
    this.#sending = false;
  }

  /** Until it has been taken, under one number: a repeat does no harm. */
  async #deliver(update: string): Promise<void> {
    for (let retry = FIRST_RETRY_MS; !this.closed; retry = Math.min(retry * 2, LONGEST_RETRY_MS)) {
      try {
        const { applyDocumentUpdate } = await this.client.api.applyDocumentUpdate({ input: { documentId: this.documentId, update, batch: this.#batch! } });
        this.#batch!++;
        if (applyDocumentUpdate.snapshotWanted) this.#options.record.takeFullSnapshot(true);
        return;
      } catch (error) {
        const { code, retryAfter } = error as OmniTalkError;
        if (code === 'LIMIT_REACHED') return this.#drop();
        if (!PASSING.has(code)) return this.finish(error as OmniTalkError);
        await new Promise((resolve) => setTimeout(resolve, (retryAfter === undefined ? retry : retryAfter * 1_000) * (0.5 + Math.random())));
      }
    }
  }
}

export interface WatchOptions {
  /** In order, beginning with a full snapshot: give them to rrweb's Replayer (`addEvent`). After a time apart it may begin with one again. */
  onEvent: (event: BrowsingEvent) => void;
  onControl?: (control: BrowsingControl) => void;
}

/** Follows what a presenter shows. */
export const watchBrowsing = (client: OmniTalk, documentId: string, options: WatchOptions): BrowsingWatch => new BrowsingWatch(client, documentId, options);

export class BrowsingWatch extends Session {
  readonly #options: WatchOptions;

  constructor(client: OmniTalk, documentId: string, options: WatchOptions) {
    super(client, documentId, options.onControl);
    this.#options = options;
    void this.follow();
  }

  async requestControl(): Promise<void> {
    await this.client.api.requestControl({ input: { documentId: this.documentId } });
  }

  /** Once one has control: what one does, for the presenter's page. What the messages mean is between the two pages. */
  async sendControl(...messages: unknown[]): Promise<void> {
    await this.client.api.sendControl({ input: { documentId: this.documentId, messages } });
  }

  protected onState(): void {
    // What is to be shown follows.
  }

  protected async onUpdate(update: string): Promise<void> {
    const events = JSON.parse(new TextDecoder().decode(await unpack(fromBase64(update)))) as BrowsingEvent[];
    for (const event of events) this.#options.onEvent(event);
  }
}
