import type { EphemeralEvent, Outbox } from './outbox.js';
import { accessRevoked, endUnavailable } from './chat-source.js';
import type { RenderGroup } from './render-group.js';
import type { Sink } from './sink.js';

/** An event, and the entry up to which whoever has had it knows the document. */
export interface Step {
  seq: number;
  event: EphemeralEvent;
  /** The whole state, behind which whatever passes is told anew. */
  isState?: boolean;
}

/** One subscription to a document: is told the state, then every entry in order, at the pace at which it reads. */
export class DocumentWatcher {
  /** The newest entry that it knows; -1: it needs the state. */
  seq = -1;
  /** Stands in the room from the beginning, so that a removal is heard; is told of nothing before access is known. */
  live = false;
  revoked = false;
  #running = false;
  #woken = false;

  constructor(
    readonly userId: string,
    readonly clientId: string | null,
    /** Of the pointer that is its own. */
    readonly key: string,
    /** What it had when it subscribed. */
    readonly had: { stateVector: Uint8Array | null; after: number },
    readonly sink: Sink,
    readonly group: RenderGroup,
    /** For what is in no log. */
    readonly outbox: Outbox,
    /** What follows the entry `seq` (null: nothing yet); the state when `seq` is -1, or when what follows is not to be had any more. */
    private readonly next: () => Step | null | Promise<Step | null>,
    private readonly onState: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Whether it has been told the state: of what passes it hears from then on. */
  get hears(): boolean {
    return this.live && this.seq >= 0;
  }

  /** There may be something to tell. */
  wake(): void {
    this.#woken = true;
    if (this.live && !this.#running) void this.#run();
  }

  revoke(): void {
    this.revoked = true;
    const { live } = this;
    this.live = false;
    if (live) this.sink.error([accessRevoked()]);
  }

  end(event: EphemeralEvent): void {
    if (!this.live) return;
    this.live = false;
    const finish = (bytes: Buffer) => {
      if (this.sink.closed) return;
      this.sink.next(bytes);
      this.sink.complete();
    };
    const bytes = event.for(this.group);
    if (bytes instanceof Promise) bytes.then(finish, () => endUnavailable(this.sink));
    else finish(bytes);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#woken && this.live && !this.sink.closed) {
        this.#woken = false;
        await this.#tellAll();
      }
    } catch (error) {
      this.onError(error);
      if (this.live) endUnavailable(this.sink);
      this.live = false;
    } finally {
      this.#running = false;
    }
  }

  async #tellAll(): Promise<void> {
    for (;;) {
      const room = this.sink.drained();
      if (room) await room;
      const found = this.next();
      const step = found instanceof Promise ? await found : found;
      if (!step || !this.live || this.sink.closed) return;
      const bytes = step.event.for(this.group);
      const ready = bytes instanceof Promise ? await bytes : bytes;
      if (!this.live || this.sink.closed) return;
      this.sink.next(ready);
      this.seq = step.seq;
      if (step.isState) this.onState();
    }
  }
}
