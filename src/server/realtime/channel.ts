import type { LoggedEvent } from '../../events/catalogue.js';
import type { ReceiptHint } from '../../events/hub.js';
import type { Cursor } from '../../events/cursor.js';
import type { EventLog } from '../../events/log.js';
import type { Tail, TailListener } from '../../events/tail.js';
import { DeliveredEvent, hydrate } from '../../services/chat-events.js';
import type { MessageRow } from '../../services/loaders/messages.js';
import type { RecentMessages } from '../../services/recent-messages.js';
import type { LoaderScope } from '../../db/loaders.js';
import type { Clock } from '../../lib/clock.js';
import type { Attachment, ReplayResult, ResetReason, ResyncReason } from './attachment.js';
import { EventRing, type Kept } from './event-ring.js';
import { ReceiptFeed, type ReceiptReader } from './receipt-feed.js';
import { RenderableEvent, RenderInterrupted } from './render-group.js';

export interface ChannelDeps {
  log: Pick<EventLog, 'read' | 'heads'>;
  recent: Pick<RecentMessages, 'take'>;
  scope(): LoaderScope;
  receipts: ReceiptReader;
  clock: Clock;
  /** For how long links to files may be kept before they are handed on, milliseconds. */
  keepLinksMs: number;
  /** Whether a failure is one of the database's being away, so that trying again helps. */
  isPassing(error: unknown): boolean;
  onError(error: unknown, stream: string): void;
}

/** Events that may be under way to those for whom they are still being made. */
const MAX_UNDER_WAY = 64;
/** Events that may wait to be written; what comes on top is read from the log when its turn has come. */
const MAX_QUEUED = 1_000;
const REPLAY_PAGE = 200;
/** Farther behind than this, reading the state again is cheaper than replaying it. */
const MAX_REPLAY = 10_000;
const ATTEMPTS = 20;
const RETRY_MS = 250;

type Hydrated = DeliveredEvent | Promise<DeliveredEvent>;
/** How far somebody has been served. */
interface Place {
  pos: number;
  /** The last event that is being made for it; what follows is written behind that. Null while everything was at hand. */
  pending: Promise<void> | null;
}
type Slot = { logged: LoggedEvent; hydrated: Hydrated } | { typename: string; body: object };

/** One live stream in this process: hydrates each event once, renders it once a group, writes it to every subscription. */
export class Channel implements TailListener {
  tail: Tail | null = null;
  /** The offset up to which everybody attached has been served, or is being served now. */
  delivered = -1;
  /** Those who follow the live end. */
  readonly #live = new Map<Attachment, Place>();
  /** Those who are still replaying. */
  readonly #joining = new Map<Attachment, Place>();
  readonly #queue: Slot[] = [];
  readonly #ring: EventRing;
  readonly #receipts: ReceiptFeed;
  /** Events that are still being made for some. */
  readonly #underWay = new Set<Promise<void>>();
  #pumping = false;
  /** More has come than may wait: it is read from the log. */
  #behind = false;
  #reset: ResetReason | null = null;

  constructor(
    readonly stream: string,
    private readonly deps: ChannelDeps,
  ) {
    this.#ring = new EventRing(stream, deps.clock, deps.keepLinksMs);
    this.#receipts = new ReceiptFeed(this, deps.receipts, (error) => deps.onError(error, stream));
  }

  onStart(tail: Tail): void {
    this.tail = tail;
    this.delivered = tail.head;
  }

  /** Nothing will come any more. */
  get over(): boolean {
    return this.#reset !== null;
  }

  /** Whether anybody is told of what is not in the log. */
  get heard(): boolean {
    for (const places of [this.#live, this.#joining]) for (const attachment of places.keys()) if (hearsAll(attachment)) return true;
    return false;
  }

  get attachments(): Iterable<Attachment> {
    return this.#live.keys();
  }

  /** Whether it follows the live end: it is then told of everything up to the leaving, in order. */
  isLive(attachment: Attachment): boolean {
    return this.#live.has(attachment);
  }

  onEvent(logged: LoggedEvent): void {
    if (this.#reset) return;
    this.#ring.forgetChanged(logged);
    if (this.#behind || this.#queue.length >= MAX_QUEUED) {
      this.#behind = true;
    } else {
      const known = logged.ref.kind === 'message.sent' ? this.deps.recent.take(this.stream, logged.pos) : undefined;
      this.#queue.push({ logged, hydrated: this.#hydrate(logged, known) });
    }
    this.#pump();
  }

  onReceipts(hint: ReceiptHint): void {
    this.#receipts.accept(hint);
  }

  close(): void {
    this.#receipts.close();
  }

  onReset(reason: ResetReason = 'epoch'): void {
    if (this.#reset) return;
    this.#reset = reason;
    this.#queue.length = 0;
    this.#ring.clear();
    const attached = [...this.#live.keys()];
    this.#live.clear();
    // Those who are joining find out by themselves.
    for (const attachment of attached) attachment.onReset(reason);
  }

  /** Hands what is not in the log (receipts) to everybody who hears such, each at its own place in the stream; in turn with the events. */
  broadcast(typename: string, body: object): void {
    if (this.#reset || !this.tail || !this.heard) return;
    this.#queue.push({ typename, body });
    this.#pump();
  }

  /** Why the stream can't be continued from a cursor; null when it can. */
  async misfit(cursor: Cursor): Promise<ResyncReason | null> {
    if (cursor.epoch === this.tail!.epoch && cursor.pos <= this.tail!.head) return null;
    // The hint of what the cursor's maker has seen may still be on its way to this process.
    const head = (await this.deps.log.heads([this.stream])).get(this.stream);
    if (head) this.tail!.reconcile(head);
    if (cursor.epoch !== head?.epoch || cursor.epoch !== this.tail!.epoch) return 'EPOCH_CHANGED';
    return cursor.pos > head.head ? 'AHEAD' : null;
  }

  /**
   * Replays what comes after `after`, then joins the live end. Between the last comparison and the joining nothing can
   * happen: both are in one turn of the loop. `after` may lie ahead of what this process has heard of: what is up to it
   * is then not written.
   */
  async attach(attachment: Attachment, after: number): Promise<ReplayResult> {
    if (this.tail!.head - after > MAX_REPLAY) return 'TOO_FAR_BEHIND';
    const place: Place = { pos: after, pending: null };
    this.#joining.set(attachment, place);
    try {
      while (!attachment.sink.closed && !this.#reset) {
        if (place.pos >= this.delivered) {
          this.#live.set(attachment, place);
          return 'live';
        }
        const kept = this.#ring.at(place.pos + 1);
        const page = kept ? [kept] : await this.#readPage(place.pos);
        if (!page) return 'UNREADABLE';
        if (!page.length) return 'EXPIRED';
        for (const { logged, event } of page) {
          if (logged.pos !== place.pos + 1) return 'EXPIRED';
          const writing = this.#write(attachment, place, logged, event);
          if (writing) await writing;
          event.settle();
          if (!this.#joining.has(attachment) || attachment.sink.closed) return 'closed';
          const draining = attachment.sink.drained();
          if (draining) await draining;
        }
      }
    } finally {
      this.#joining.delete(attachment);
    }
    if (this.#reset && !attachment.sink.closed) attachment.onReset(this.#reset);
    return 'closed';
  }

  detach(attachment: Attachment): void {
    this.#live.delete(attachment);
    this.#joining.delete(attachment);
  }

  /** Null when it holds an event that this process can't show. */
  async #readPage(after: number): Promise<Kept[] | null> {
    const read = async () => {
      const page = await this.deps.log.read(this.stream, after, this.delivered, REPLAY_PAGE);
      const hydrated = await Promise.all(page.map(async (logged) => this.#hydrate(logged)));
      return page.map((logged, index) => ({ logged, event: new RenderableEvent(hydrated[index]!) }));
    };
    try {
      return await this.#patiently(read(), read);
    } catch (error) {
      if (this.deps.isPassing(error)) throw error;
      this.deps.onError(error, this.stream);
      return null;
    }
  }

  #hydrate(logged: LoggedEvent, known?: MessageRow): Hydrated {
    const scope = this.deps.scope();
    let hydrated: Hydrated | undefined;
    try {
      hydrated = hydrate(this.stream, this.tail!.epoch, logged, (def, key) => scope.load(def, key), known);
    } catch (error) {
      hydrated = Promise.reject(error as Error);
    }
    // A newer server may have written what this one has never heard of.
    hydrated ??= Promise.reject(new Error(`There is no shape for ${logged.ref.kind}.`));
    if (hydrated instanceof Promise) hydrated.catch(() => undefined); // met where it is awaited
    return hydrated;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#serve().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.deps.onError(error, this.stream);
    this.onReset(this.deps.isPassing(error) ? 'unavailable' : 'unreadable');
  }

  /** Takes what waits, in order, until nothing does. Whatever it throws ends the channel. */
  async #serve(): Promise<void> {
    while (!this.#reset) {
      const slot = this.#queue.shift();
      if (slot) {
        if (!('logged' in slot)) await Promise.all(this.#underWay);
        const serving = 'logged' in slot ? this.#deliver(slot.logged, slot.hydrated) : this.#broadcast(slot.typename, slot.body);
        if (serving) await serving;
      } else if (this.#behind) {
        await this.#catchUp();
      } else {
        this.#pumping = false;
        return;
      }
    }
  }

  /**
   * Writes an event to everybody for whom it is at hand, and behind what they wait for to the others: those for whom it must
   * be made by asking the database hold up nobody else. Null when the next may follow at once.
   */
  #deliver(logged: LoggedEvent, hydrated: Hydrated): Promise<void> | null {
    if (hydrated instanceof Promise) return this.#patiently(hydrated, async () => this.#hydrate(logged)).then((ready) => this.#deliver(logged, ready) ?? undefined);
    if (this.#reset) return null;
    const event = new RenderableEvent(hydrated);
    // Remembered before it is written: who attaches while it is being written takes it from the ring.
    this.#ring.remember(logged, event);
    this.delivered = logged.pos;
    const writing: Promise<void>[] = [];
    for (const [attachment, place] of this.#live) {
      const pending = place.pos < logged.pos ? this.#write(attachment, place, logged, event) : null;
      if (pending) writing.push(pending);
    }
    if (!writing.length) {
      event.settle();
      return null;
    }
    const all = Promise.all(writing).then(() => event.settle());
    this.#underWay.add(all);
    const done = all.catch((error: unknown) => this.#fail(error)).finally(() => this.#underWay.delete(all));
    return this.#underWay.size < MAX_UNDER_WAY ? null : done;
  }

  /** Reads what could not wait in the queue. */
  async #catchUp(): Promise<void> {
    const head = this.tail!.head;
    if (this.delivered >= head) {
      this.#behind = false;
      return;
    }
    const read = () => this.deps.log.read(this.stream, this.delivered, head, REPLAY_PAGE);
    const page = await this.#patiently(read(), read);
    if (!page.length) return this.onReset();
    const hydrated = page.map((logged) => this.#hydrate(logged));
    for (const [index, logged] of page.entries()) {
      if (logged.pos !== this.delivered + 1) return this.onReset();
      const serving = this.#deliver(logged, hydrated[index]!);
      if (serving) await serving;
    }
  }

  /** Each gets it at the place that it has come to: a cursor must not lead back, nor past what was not written yet. */
  async #broadcast(typename: string, body: object): Promise<void> {
    const atPlace = new Map<number, RenderableEvent>();
    const tell = (attachment: Attachment): Promise<void> | null => {
      const at = this.#placeOf(attachment);
      if (at === undefined) return null;
      let event = atPlace.get(at);
      if (!event) atPlace.set(at, (event = new RenderableEvent(new DeliveredEvent(typename, this.stream, this.tail!.epoch, at, new Date(), body))));
      // Whoever was replaying meanwhile is told again, farther on.
      return this.#render(attachment, event, (bytes) => void (this.#placeOf(attachment) === at ? attachment.sink.next(bytes) : tell(attachment)), null);
    };
    await Promise.all([...this.#live.keys(), ...this.#joining.keys()].filter(hearsAll).map(async (attachment) => tell(attachment)));
  }

  #placeOf(attachment: Attachment): number | undefined {
    return (this.#live.get(attachment) ?? this.#joining.get(attachment))?.pos;
  }

  /** Writes an event to one; null when it was done at once. */
  #write(attachment: Attachment, place: Place, logged: LoggedEvent, event: RenderableEvent): Promise<void> | null {
    if (attachment.hears?.(logged) === false) {
      place.pos = logged.pos;
      return null;
    }
    const bytes = place.pending ? null : event.atHand(attachment.group, attachment.visibleFrom);
    if (bytes) {
      this.#hand(attachment, place, logged, bytes);
      return null;
    }
    const writing = this.#render(attachment, event, (rendered) => this.#hand(attachment, place, logged, rendered), place.pending);
    if (!writing) return null;
    const pending = writing.finally(() => {
      if (place.pending === pending) place.pending = null;
    });
    return (place.pending = pending);
  }

  #hand(attachment: Attachment, place: Place, logged: LoggedEvent, bytes: Buffer): void {
    // Before it is written: the sink may end the subscription, and with it this attachment.
    place.pos = logged.pos;
    attachment.sink.next(bytes);
    attachment.onDelivered?.(logged);
    if (!(attachment.isLast?.(logged) ?? isLeaving(logged, attachment.viewerId))) return;
    this.detach(attachment);
    attachment.onRevoked(logged);
  }

  /**
   * Renders for one who is still attached when the bytes are there, and what was to be written before them has been; null
   * when that was at once. Whoever can't be served is told so.
   */
  #render(attachment: Attachment, event: RenderableEvent, write: (bytes: Buffer) => void, before: Promise<void> | null): Promise<void> | null {
    const render = () => event.for(attachment.group, attachment.visibleFrom);
    const take = (bytes: Buffer) => {
      if (this.#placeOf(attachment) !== undefined) write(bytes);
    };
    let bytes: Buffer | Promise<Buffer>;
    try {
      bytes = render();
    } catch (error) {
      bytes = Promise.reject(error as Error);
    }
    if (!(bytes instanceof Promise) && !before) {
      take(bytes);
      return null;
    }
    const ready = bytes instanceof Promise ? this.#patiently(bytes, async () => render()) : Promise.resolve(bytes);
    ready.catch(() => undefined); // met in its turn
    return (before ? before.then(() => ready) : ready).then(take, (error: unknown) => {
      this.deps.onError(error, this.stream);
      if (this.#placeOf(attachment) === undefined) return;
      this.detach(attachment);
      attachment.onReset(error instanceof RenderInterrupted || this.deps.isPassing(error) ? 'unavailable' : 'unreadable');
    });
  }

  /** Tries again while the database is away for a moment; rejects when it stays away. The first may have failed long ago, as it came: a pause for each of a queue would hold up all. */
  async #patiently<Result>(first: Promise<Result>, again: () => Promise<Result>): Promise<Result> {
    let trying = first;
    for (let attempt = 1; ; attempt++) {
      try {
        return await trying;
      } catch (error) {
        if (attempt >= ATTEMPTS || this.#reset || !(error instanceof RenderInterrupted || this.deps.isPassing(error))) throw error;
        if (attempt === 2) this.deps.onError(error, this.stream);
        if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        trying = again();
      }
    }
  }
}

/** Whether somebody hears what is not in the log too. */
const hearsAll = (attachment: Attachment): boolean => attachment.hears?.(null) !== false;

const isLeaving = ({ ref }: LoggedEvent, viewerId: string): boolean => ref.kind === 'member.left' && ref.userId === viewerId;
