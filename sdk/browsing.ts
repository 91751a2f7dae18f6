import { batchesOf, BatchReader, countOfBatch, FULL_SNAPSHOT, META, type BrowsingEvent, type WaitingEvent } from './browsing-batches.js';
import { toBase64 } from './bytes.js';
import type { DocumentEvent, OmniTalk } from './client.js';
import { failure, OmniTalkError } from './errors.js';
import type { EventStream } from './stream.js';

export type { BrowsingEvent } from './browsing-batches.js';

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

const GATHER_MS = 100;
/** Characters that wait for a connection; past them the page is shown anew by a snapshot. */
const MAX_WAITING_LENGTH = 8 * 1024 * 1024;
/** A snapshot that is wanted is taken once what follows the last one weighs as much as that did, or so much. */
const CHANGES_BYTES = 1024 * 1024;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
const PASSING: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'INTERNAL']);

const asFailure = (error: unknown): OmniTalkError => (error instanceof OmniTalkError ? error : failure('UNKNOWN', String(error), error));

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
      this.finish(asFailure(error));
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
        this.seq = Math.max(this.seq ?? 0, event.seq);
        return this.onState(event.batches);
      case 'DocumentUpdated':
        if (this.#knows(event.seq)) return;
        await this.onUpdate(event.update);
        this.seq = event.seq;
        return;
      case 'ControlChanged':
        if (this.#knows(event.seq)) return;
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

  /** What still waited to be read when the connection was lost is told again behind it. */
  #knows(seq: number): boolean {
    return this.seq !== null && seq <= this.seq;
  }

  #controlIs(control: BrowsingControl): void {
    if (control.controllerId === this.control.controllerId && control.requesterIds.join() === this.control.requesterIds.join()) return;
    this.control = control;
    this.onControl?.(control);
  }
}

export interface ShareOptions {
  record: Recorder;
  /** What else rrweb's `record` is told: what it hides (`maskAllInputs`, `blockSelector` …), how often it looks. */
  recordOptions?: object;
  /** Somebody asks for control, has it, or has it no more: decide by `grantControl` and `denyControl`. */
  onControl?: (control: BrowsingControl) => void;
  /** What the controller does, in the order in which they do it: apply it to the page, or not. */
  onInput?: (messages: readonly unknown[], userId: string) => void;
}

/** Shows this page to the members of the session's chat, until it is closed. */
export const shareBrowsing = (client: OmniTalk, documentId: string, options: ShareOptions): BrowsingShare => new BrowsingShare(client, documentId, options);

export class BrowsingShare extends Session {
  readonly #options: ShareOptions;
  #waiting: WaitingEvent[] = [];
  #waitingLength = 0;
  /** The page is to be shown anew before anything else. */
  #overdue = false;
  /** A full snapshot has been taken: what rrweb tells before can't be shown. */
  #begun = false;
  #batch: number | null = null;
  /** Bytes of the last full snapshot as it was sent, and of what was sent since. */
  #snapshotBytes = 0;
  #changesBytes = 0;
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
    this.#stop = this.#options.record({ ...this.#options.recordOptions, emit: (event) => this.#emit(event) });
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
    this.#begun ||= event.type === FULL_SNAPSHOT;
    if (!this.#begun && event.type !== META) return;
    const { type, timestamp } = event;
    const text = JSON.stringify(event);
    this.#waiting.push({ type, timestamp, text });
    this.#waitingLength += text.length;
    if (this.#waitingLength > MAX_WAITING_LENGTH) this.#makeRoom();
    if (this.#begun) this.#timer ??= setTimeout(() => void this.#send().catch((error: unknown) => this.finish(asFailure(error))), GATHER_MS);
  }

  /** Too much waits. Behind a full snapshot nothing is lost with what was before it; else the page is to be shown anew. */
  #makeRoom(): void {
    if (this.#waiting.at(-1)!.type !== FULL_SNAPSHOT) return this.#drop();
    this.#waiting = this.#waiting.slice(this.#waiting.at(-2)?.type === META ? -2 : -1);
    this.#waitingLength = this.#waiting.reduce((sum, { text }) => sum + text.length, 0);
  }

  #drop(): void {
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#overdue = true;
  }

  #take(): WaitingEvent[] {
    const events = this.#waiting.splice(0, countOfBatch(this.#waiting));
    for (const { text } of events) this.#waitingLength -= text.length;
    return events;
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
      await this.#sendBatch(this.#take());
    }
    this.#sending = false;
  }

  async #sendBatch(events: WaitingEvent[]): Promise<void> {
    const isSnapshot = events.some(({ type }) => type === FULL_SNAPSHOT);
    let batches: Uint8Array[];
    try {
      batches = await batchesOf(events);
    } catch (error) {
      // A change that is too large may leave a page that is not.
      return isSnapshot ? this.finish(asFailure(error)) : this.#drop();
    }
    const bytes = batches.reduce((sum, { length }) => sum + length, 0);
    if (isSnapshot) [this.#snapshotBytes, this.#changesBytes] = [bytes, 0];
    else this.#changesBytes += bytes;
    for (const batch of batches) if (!(await this.#deliver(toBase64(batch)))) return;
  }

  /** Until it has been taken, under one number: a repeat does no harm. Answers whether it has been. */
  async #deliver(update: string): Promise<boolean> {
    for (let retry = FIRST_RETRY_MS; !this.closed; retry = Math.min(retry * 2, LONGEST_RETRY_MS)) {
      try {
        const { applyDocumentUpdate } = await this.client.api.applyDocumentUpdate({ input: { documentId: this.documentId, update, batch: this.#batch! } });
        this.#batch!++;
        if (applyDocumentUpdate.snapshotWanted && !this.closed) this.#snapshotWanted();
        return true;
      } catch (error) {
        const { code, retryAfter } = error as OmniTalkError;
        if (!PASSING.has(code)) {
          if (code === 'LIMIT_REACHED') this.#drop();
          else this.finish(asFailure(error));
          return false;
        }
        await new Promise((resolve) => setTimeout(resolve, (retryAfter === undefined ? retry : retryAfter * 1_000) * (0.5 + Math.random())));
      }
    }
    return false;
  }

  #snapshotWanted(): void {
    if (this.#changesBytes < Math.min(this.#snapshotBytes, CHANGES_BYTES) || this.#waiting.some(({ type }) => type === FULL_SNAPSHOT)) return;
    this.#options.record.takeFullSnapshot(true);
  }
}

export interface WatchOptions {
  /**
   * In order, beginning with a full snapshot: give them to rrweb's Replayer (`addEvent`). After a time apart it may begin with one again.
   * Their times are by this client's clock, from now on and never later than it says: start the Replayer (`startLive`) before.
   */
  onEvent(event: BrowsingEvent): void;
  onControl?: (control: BrowsingControl) => void;
}

/** Follows what a presenter shows. */
export const watchBrowsing = (client: OmniTalk, documentId: string, options: WatchOptions): BrowsingWatch => new BrowsingWatch(client, documentId, options);

export class BrowsingWatch extends Session {
  readonly #options: WatchOptions;
  readonly #reader = new BatchReader();

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
    for (const event of await this.#reader.read(update)) this.#options.onEvent(event);
  }
}
