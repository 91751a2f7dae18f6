import type { Bus, BusMessage } from '../../events/bus.js';
import { chatStream } from '../../events/catalogue.js';
import type { StreamHint } from '../../events/hub.js';
import { Tail, type TailListener } from '../../events/tail.js';
import type { Clock } from '../../lib/clock.js';
import { encodeId, newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { documentTopic, type AwarenessNews, type DocumentHint, type DocumentLog, type LoggedUpdate } from '../../services/documents/document-log.js';
import type { DocumentRow } from '../../services/loaders/documents.js';
import { EphemeralEvent } from './outbox.js';
import type { DocumentWatcher } from './document-watcher.js';

/** Entries that are kept rendered behind the live end: a reader that is farther behind is brought up to date in another way. */
const RING = 256;
const RING_BYTES = 4 * 1024 * 1024;
/** Pointers that are remembered of one document. */
const MAX_AWARENESS = 500;
/** A document's log never begins anew. */
const EPOCH = 'document';

interface Entry {
  pos: number;
  bytes: number;
  event: EphemeralEvent;
}

export interface RoomDeps {
  bus: Bus;
  log: DocumentLog;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

/** The live end of one document in this process, and who looks on. */
export class DocumentRoom {
  readonly watchers = new Set<DocumentWatcher>();
  /** Resolves when every entry from now on will be handed on. */
  readonly ready: Promise<unknown>;
  readonly #ring: Entry[] = [];
  readonly #awareness = new Map<string, AwarenessNews>();
  /** Tells this room's questions from those of other processes. */
  readonly #id = newId();
  #ringBytes = 0;
  #inputs = 0;
  #tail: Tail<LoggedUpdate>;

  constructor(
    readonly document: DocumentRow,
    private readonly deps: RoomDeps,
    private readonly onReset: () => void,
  ) {
    this.#tail = this.#newTail();
    const { bus } = deps;
    this.ready = Promise.all([bus.subscribe(documentTopic(document.id), this.#onHint), bus.subscribe(chatStream(document.chatId), this.#onChat)]).then(() =>
      bus.publish(documentTopic(document.id), { asks: this.#id } satisfies DocumentHint),
    );
  }

  get id(): string {
    return this.document.id;
  }
  get head(): number {
    return this.#tail.head;
  }

  start(head: number): void {
    this.#tail.start({ epoch: EPOCH, head });
  }

  /** Compares with the database. */
  reconcile(head: number): void {
    if (this.head > head) this.#tail.cutBack();
    else this.#tail.reconcile({ epoch: EPOCH, head });
  }

  close(): void {
    this.#tail.close();
    this.deps.bus.unsubscribe(documentTopic(this.id), this.#onHint);
    this.deps.bus.unsubscribe(chatStream(this.document.chatId), this.#onChat);
  }

  /** What follows the entry `seq`: null when nothing does yet, undefined when it is not kept here any more. */
  after(seq: number): Entry | null | undefined {
    if (seq >= this.head) return null;
    return this.#ring[seq + 1 - (this.#ring[0]?.pos ?? Number.MAX_SAFE_INTEGER)];
  }

  /** Who points, as somebody begins to look on. */
  welcome(watcher: DocumentWatcher): void {
    const now = this.deps.clock.now().getTime();
    for (const [key, news] of this.#awareness) if (news.expiresAt > now && key !== watcher.key) watcher.outbox.offer(key, this.#awarenessEvent(news));
  }

  /** A tab has gone, and with it its pointer. */
  left(watcher: DocumentWatcher): void {
    const { userId, clientId, key } = watcher;
    if (clientId === null || !this.#awareness.has(key)) return;
    for (const other of this.watchers) if (other.key === key) return;
    this.#publish({ awareness: [{ userId, clientId, state: null, expiresAt: 0 }] });
  }

  /** Pointers that were not heard of for long are gone, though nobody said so. */
  expire(): void {
    const now = this.deps.clock.now().getTime();
    for (const news of this.#awareness.values()) if (news.expiresAt <= now) this.#onAwareness({ ...news, state: null });
  }

  revoke(userId: string): void {
    for (const news of this.#awareness.values()) if (news.userId === userId) this.#onAwareness({ ...news, state: null });
    for (const watcher of [...this.watchers]) if (watcher.userId === userId) watcher.revoke();
  }

  end(reason: 'ENDED' | 'DELETED'): void {
    const event = new EphemeralEvent({ __typename: 'DocumentEnded', documentId: encodeId('Document', this.id), reason });
    for (const watcher of [...this.watchers]) watcher.end(event);
  }

  #newTail(): Tail<LoggedUpdate> {
    const listener: TailListener<LoggedUpdate> = { onStart: () => this.#wakeAll(), onEvent: (update) => this.#take(update), onReset: () => this.#reset() };
    return new Tail<LoggedUpdate>(this.id, this.deps.log, listener, this.deps.logger);
  }

  #wakeAll(): void {
    for (const watcher of this.watchers) watcher.wake();
  }

  #take(update: LoggedUpdate): void {
    this.#ring.push({ pos: update.pos, bytes: update.body.length, event: logged(this.id, update) });
    this.#ringBytes += update.body.length;
    while (this.#ring.length > RING || (this.#ringBytes > RING_BYTES && this.#ring.length > 1)) this.#ringBytes -= this.#ring.shift()!.bytes;
    this.#wakeAll();
  }

  /** What is missing is not in the log any more: everybody goes on from the state. */
  #reset(): void {
    this.#tail = this.#newTail();
    this.#ring.length = 0;
    this.#ringBytes = 0;
    this.onReset();
  }

  #publish(hint: DocumentHint): void {
    this.deps.bus.publish(documentTopic(this.id), hint);
  }

  readonly #onHint = (message: BusMessage): void => {
    const hint = message as DocumentHint;
    if ('updates' in hint) this.#tail.accept({ epoch: EPOCH, events: hint.updates });
    else if ('head' in hint) this.#tail.reconcile({ epoch: EPOCH, head: hint.head });
    else if ('awareness' in hint) for (const news of hint.awareness) this.#onAwareness(news);
    else if ('asks' in hint) this.#onAsked(hint.asks);
    else if ('input' in hint) this.#onInput(hint.input);
    else this.end(hint.ended);
  };

  readonly #onChat = (message: BusMessage): void => {
    const hint = message as StreamHint;
    if (!('published' in hint)) return;
    for (const { ref } of hint.published.events) if (ref.kind === 'member.left') this.revoke(ref.userId);
  };

  /** Somebody begins to look on in another process: they are told of those who look on in this one. */
  #onAsked(room: string): void {
    if (room === this.#id) return;
    const here = new Set([...this.watchers].map(({ key }) => key));
    const awareness = [...this.#awareness].filter(([key]) => here.has(key)).map(([, news]) => news);
    if (awareness.length) this.#publish({ awareness });
  }

  #onAwareness(news: AwarenessNews): void {
    const key = awarenessKey(news.userId, news.clientId);
    const known = this.#awareness.get(key);
    if (news.state === null && !known) return;
    // Said again to a newcomer: the others know.
    const same = known !== undefined && known.expiresAt === news.expiresAt && news.state !== null;
    this.#awareness.delete(key);
    if (news.state !== null) this.#awareness.set(key, news);
    if (this.#awareness.size > MAX_AWARENESS) this.#awareness.delete(this.#awareness.keys().next().value!);
    if (same) return;
    const event = this.#awarenessEvent(news);
    for (const watcher of this.watchers) if (watcher.hears && watcher.key !== key) watcher.outbox.offer(key, event);
  }

  #onInput({ userId, messages }: { userId: string; messages: unknown[] }): void {
    const event = new EphemeralEvent({ __typename: 'ControlInput', documentId: encodeId('Document', this.id), userId: encodeId('User', userId), messages });
    // Each under a name of its own: none takes another's place.
    const name = `input ${++this.#inputs}`;
    for (const watcher of this.watchers) if (watcher.hears && watcher.userId === this.document.createdBy) watcher.outbox.offer(name, event);
  }

  #awarenessEvent({ userId, clientId, state }: AwarenessNews): EphemeralEvent {
    return new EphemeralEvent({ __typename: 'AwarenessChanged', documentId: encodeId('Document', this.id), userId: encodeId('User', userId), userKey: userId, clientId, state });
  }
}

export const awarenessKey = (userId: string, clientId: string): string => `${userId} ${clientId}`;

/** An entry of the log as the schema shows it. */
export function logged(documentId: string, { pos, kind, authorId, body }: LoggedUpdate): EphemeralEvent {
  const entry = { documentId: encodeId('Document', documentId), seq: pos };
  if (kind === 'UPDATE') return new EphemeralEvent({ __typename: 'DocumentUpdated', ...entry, userId: encodeId('User', authorId), update: body });
  const { controllerId, requests } = JSON.parse(Buffer.from(body, 'base64').toString()) as { controllerId: string | null; requests: string[] };
  return new EphemeralEvent({
    __typename: 'ControlChanged', ...entry, controllerId: controllerId && encodeId('User', controllerId), requesterIds: requests.map((id) => encodeId('User', id)),
  });
}
