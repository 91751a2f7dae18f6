import type { LoggedEvent, ChatEventRef } from '../../events/catalogue.js';
import type { EventLog } from '../../events/log.js';
import type { Tail, TailListener } from '../../events/tail.js';
import { DeliveredEvent, hydrate } from '../../services/chat-events.js';
import type { MessageRow } from '../../services/loaders/messages.js';
import type { RecentMessages } from '../../services/recent-messages.js';
import type { LoaderScope } from '../../db/loaders.js';
import { RenderableEvent, type RenderGroup } from './render-group.js';
import type { Sink } from './sink.js';

/** One subscription's place on one stream. */
export interface Attachment {
  readonly sink: Sink;
  readonly group: RenderGroup;
  readonly viewerId: string;
  /** The first message that the viewer may see in this chat. */
  visibleFrom: number;
  /** The viewer has left the chat: the last event has been written. */
  onRevoked(): void;
  /** Nothing more comes: the stream can't be continued (`epoch`), or could not be read (`unavailable`: resume in a moment). */
  onReset(reason: ResetReason): void;
  /** Sees each event after it was written; the inbox follows its own stream by it. */
  onDelivered?(event: LoggedEvent): void;
}

export type ResetReason = 'epoch' | 'unavailable';
export type ReplayResult = 'live' | 'closed' | 'expired' | 'too-far';

export interface ChannelDeps {
  log: EventLog;
  recent: RecentMessages;
  scope(): LoaderScope;
  onError(error: unknown, stream: string): void;
}

/** Events kept behind the live end, with the bytes made of them, for those who come back after a moment. */
const RING = 256;
const REPLAY_PAGE = 200;
/** Farther behind than this, reading the state again is cheaper than replaying it. */
const MAX_REPLAY = 10_000;
const HYDRATE_ATTEMPTS = 20;
const HYDRATE_RETRY_MS = 250;

interface Slot {
  logged: LoggedEvent;
  hydrated: DeliveredEvent | Promise<DeliveredEvent>;
}

/** One live stream in this process: hydrates each event once, renders it once a group, writes it to every subscription. */
export class Channel implements TailListener {
  tail: Tail | null = null;
  /** The offset up to which everybody attached has been served. */
  delivered = -1;
  readonly attachments = new Set<Attachment>();
  readonly #queue: Slot[] = [];
  readonly #ring: { logged: LoggedEvent; event: RenderableEvent }[] = [];
  #pumping = false;
  #reset: ResetReason | null = null;

  constructor(
    readonly stream: string,
    private readonly deps: ChannelDeps,
  ) {}

  onStart(tail: Tail): void {
    this.tail = tail;
    this.delivered = tail.head;
  }

  /** Nothing will come any more. */
  get over(): boolean {
    return this.#reset !== null;
  }

  onEvent(logged: LoggedEvent): void {
    const known = logged.ref.kind === 'message.sent' ? this.deps.recent.take(this.stream, logged.pos) : undefined;
    this.#queue.push({ logged, hydrated: this.#hydrate(logged, known) });
    if (!this.#pumping) void this.#pump();
  }

  onReset(reason: ResetReason = 'epoch'): void {
    this.#reset = reason;
    for (const attachment of [...this.attachments]) attachment.onReset(reason);
    this.attachments.clear();
  }

  /** Hands an event that is not in the log (receipts) to everybody, at the place of the newest event. */
  async broadcast(typename: string, body: object): Promise<void> {
    if (!this.tail || !this.attachments.size) return;
    const event = new RenderableEvent(new DeliveredEvent(typename, this.stream, this.tail.epoch, this.delivered, new Date(), body));
    await this.#writeToAll(event, null);
  }

  /**
   * Replays what comes after `after`, then joins the live end. Between the last comparison and the joining nothing can
   * happen: both are in one turn of the loop.
   */
  async attach(attachment: Attachment, after: number): Promise<ReplayResult> {
    let at = after;
    if (this.tail!.head - at > MAX_REPLAY) return 'too-far';
    let revoked = false;
    const write = async (logged: LoggedEvent, event: RenderableEvent) => {
      const bytes = event.for(attachment.group, attachment.visibleFrom);
      const ready = bytes instanceof Promise ? await bytes : bytes;
      if (attachment.sink.closed) return;
      attachment.sink.next(ready);
      attachment.onDelivered?.(logged);
      at = logged.pos;
      if (isLeaving(logged, attachment.viewerId)) revoked = true;
    };
    while (!attachment.sink.closed && !this.#reset) {
      if (revoked) {
        attachment.onRevoked();
        return 'closed';
      }
      if (at >= this.delivered) {
        this.attachments.add(attachment);
        return 'live';
      }
      const kept = this.#fromRing(at);
      if (kept) {
        for (const { logged, event } of kept) {
          await write(logged, event);
          if (revoked || attachment.sink.closed) break;
        }
      } else {
        const page = await this.deps.log.read(this.stream, at, this.delivered, REPLAY_PAGE);
        if (page[0]?.pos !== at + 1) return 'expired';
        const events = await Promise.all(page.map(async (logged) => this.#hydrate(logged)));
        for (const [index, logged] of page.entries()) {
          await write(logged, new RenderableEvent(events[index]!));
          if (revoked || attachment.sink.closed) break;
        }
      }
      await attachment.sink.drained();
    }
    if (this.#reset && !attachment.sink.closed) attachment.onReset(this.#reset);
    return 'closed';
  }

  detach(attachment: Attachment): void {
    this.attachments.delete(attachment);
  }

  #hydrate(logged: LoggedEvent, known?: MessageRow): DeliveredEvent | Promise<DeliveredEvent> {
    const scope = this.deps.scope();
    const hydrated = hydrate(this.stream, this.tail?.epoch ?? '', logged, (def, key) => scope.load(def, key), known);
    if (hydrated instanceof Promise) hydrated.catch(() => undefined); // met where it is awaited
    return hydrated;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let slot; (slot = this.#queue[0]) && !this.#reset; ) {
      const hydrated = slot.hydrated instanceof Promise ? await this.#patiently(slot.hydrated, slot.logged) : slot.hydrated;
      if (!hydrated) return this.onReset('unavailable');
      const event = new RenderableEvent(hydrated);
      // Remembered before it is written: who attaches while it is being written takes it from the ring.
      this.#queue.shift();
      this.#remember(slot.logged, event);
      this.delivered = slot.logged.pos;
      const writing = this.#writeToAll(event, slot.logged);
      if (writing) await writing;
    }
    this.#pumping = false;
  }

  /** Reads an event's rows again while the database is away for a moment; null when it stays away. */
  async #patiently(first: Promise<DeliveredEvent>, logged: LoggedEvent): Promise<DeliveredEvent | null> {
    let reading = first;
    for (let attempt = 1; ; attempt++) {
      try {
        return await reading;
      } catch (error) {
        this.deps.onError(error, this.stream);
        if (attempt >= HYDRATE_ATTEMPTS || this.#reset) return null;
        await new Promise((resolve) => setTimeout(resolve, HYDRATE_RETRY_MS));
        reading = Promise.resolve(this.#hydrate(logged));
      }
    }
  }

  /** Null when everything was at hand and has been written. */
  #writeToAll(event: RenderableEvent, logged: LoggedEvent | null): Promise<void> | null {
    const waiting: Promise<void>[] = [];
    for (const attachment of this.attachments) {
      const bytes = event.for(attachment.group, attachment.visibleFrom);
      if (bytes instanceof Promise) waiting.push(bytes.then((ready) => this.#write(attachment, ready, logged)));
      else this.#write(attachment, bytes, logged);
    }
    return waiting.length ? Promise.all(waiting).then(() => undefined) : null;
  }

  #write(attachment: Attachment, bytes: Buffer, logged: LoggedEvent | null): void {
    if (!this.attachments.has(attachment)) return;
    attachment.sink.next(bytes);
    if (!logged) return;
    attachment.onDelivered?.(logged);
    if (isLeaving(logged, attachment.viewerId)) {
      this.attachments.delete(attachment);
      attachment.onRevoked();
    }
  }

  #remember(logged: LoggedEvent, event: RenderableEvent): void {
    this.#forgetChanged(logged);
    this.#ring.push({ logged, event });
    if (this.#ring.length > RING) this.#ring.splice(0, this.#ring.length - RING);
  }

  #fromRing(after: number): { logged: LoggedEvent; event: RenderableEvent }[] | null {
    const first = this.#ring[0]?.logged.pos;
    return first !== undefined && first <= after + 1 ? this.#ring.slice(after + 1 - first) : null;
  }

  /** What shows a message that has changed is read anew for those who come later: what was erased stays erased. */
  #forgetChanged({ ref }: LoggedEvent): void {
    const seq = (ref as Partial<Extract<ChatEventRef, { seq: number }>>).seq;
    if (seq === undefined || ref.kind === 'message.sent') return;
    const cut = this.#ring.findLastIndex(({ event }) => event.event.refs.includes(seq));
    if (cut >= 0) this.#ring.splice(0, cut + 1);
  }
}

const isLeaving = ({ ref }: LoggedEvent, viewerId: string): boolean => ref.kind === 'member.left' && ref.userId === viewerId;
