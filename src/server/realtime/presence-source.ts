import type { Bus, BusHandler } from '../../events/bus.js';
import { invalidInput } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import { distinct } from '../../lib/validate.js';
import type { PresenceRow } from '../../services/loaders/presence.js';
import { presenceTopic } from '../../services/presence-news.js';
import type { PresenceReader } from '../../services/presence-reader.js';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { Source, Subscriber } from './subscriptions.js';

const MAX_USERS = 100;
/** Hints that come within this are answered by one reading. */
const GATHER_MS = 50;
/** Pairs of viewer and person that one reading asks about. */
const PAGE = 1_000;

/** Differs from all that is told: the next look tells it again. */
const UNTOLD = '?';

interface Watcher {
  viewerId: string;
  userIds: readonly string[];
  outbox: Outbox;
  /** What was told last of each person, as a text to compare. */
  told: Map<string, string>;
}
interface Watched {
  watchers: Set<Watcher>;
  handler: BusHandler;
  ready: Promise<void>;
}

/**
 * `presenceEvents`. A hint says no more than that something about a person may have changed; then presence and what each
 * watcher may see of it are read together, for all watchers, and told to those for whom it differs. So privacy, contacts and
 * blocks hold from the moment they change, and hints that were lost are made good by looking again now and then.
 */
export class PresenceSource implements Source {
  readonly #watched = new Map<string, Watched>();
  readonly #toLookAt = new Map<string, Set<Watcher>>();
  readonly #again: NodeJS.Timeout;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  constructor(
    private readonly bus: Bus,
    private readonly reader: PresenceReader,
    private readonly onError: (error: unknown, stream: string) => void,
    lookAgainMs: number,
  ) {
    this.#again = setInterval(() => this.#lookAtAll(), lookAgainMs);
    this.#again.unref();
    bus.onRecovered(() => this.#lookAtAll());
  }

  async open({ viewer, sink, group }: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const userIds = distinct((args['userIds'] as string[]).map((id) => decodeId('User', id, 'userIds')), 'userIds', MAX_USERS);
    if (!userIds.length) throw invalidInput('userIds', 'userIds is empty.');
    const told = new Map<string, string>();
    const outbox = new Outbox(sink, group, (error, userId) => {
      told.set(userId, UNTOLD);
      this.onError(error, `presence of ${userId}`);
    });
    const watcher: Watcher = { viewerId: viewer.userId, userIds, outbox, told };
    try {
      await Promise.all(userIds.map((userId) => this.#watch(userId, watcher)));
    } catch (error) {
      this.#leave(watcher);
      throw error;
    }
    for (const userId of userIds) this.#lookAt(userId, [watcher]);
    return () => this.#leave(watcher);
  }

  close(): void {
    clearInterval(this.#again);
    if (this.#timer) clearTimeout(this.#timer);
    for (const [userId, { handler }] of this.#watched) this.bus.unsubscribe(presenceTopic(userId), handler);
    this.#watched.clear();
  }

  #watch(userId: string, watcher: Watcher): Promise<void> {
    let watched = this.#watched.get(userId);
    if (!watched) {
      const watchers = new Set<Watcher>();
      const handler = () => this.#lookAt(userId, watchers);
      this.#watched.set(userId, (watched = { watchers, handler, ready: this.bus.subscribe(presenceTopic(userId), handler) }));
    }
    watched.watchers.add(watcher);
    return watched.ready;
  }

  #leave(watcher: Watcher): void {
    for (const userId of watcher.userIds) {
      this.#toLookAt.get(userId)?.delete(watcher);
      const watched = this.#watched.get(userId);
      if (!watched?.watchers.delete(watcher) || watched.watchers.size) continue;
      this.#watched.delete(userId);
      this.bus.unsubscribe(presenceTopic(userId), watched.handler);
    }
  }

  #lookAtAll(): void {
    for (const [userId, { watchers }] of this.#watched) this.#lookAt(userId, watchers);
  }

  #lookAt(userId: string, watchers: Iterable<Watcher>): void {
    const waiting = this.#toLookAt.get(userId) ?? new Set();
    for (const watcher of watchers) waiting.add(watcher);
    this.#toLookAt.set(userId, waiting);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looking || this.#timer || !this.#toLookAt.size) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#look();
    }, GATHER_MS);
    this.#timer.unref();
  }

  /** One reading after the other, so that what was read later is told later. */
  async #look(): Promise<void> {
    this.#looking = true;
    const asked = [...this.#toLookAt].flatMap(([userId, watchers]) => [...watchers].map((watcher) => ({ userId, watcher, viewerId: watcher.viewerId })));
    this.#toLookAt.clear();
    try {
      for (let from = 0; from < asked.length; from += PAGE) {
        const page = asked.slice(from, from + PAGE);
        const presences = await this.reader.read(page);
        const events = new Map<string, EphemeralEvent>();
        for (const [index, { userId, watcher }] of page.entries()) tell(watcher, userId, presences[index] ?? null, events);
      }
    } catch (error) {
      // The database is away: looking again in a while finds what was missed.
      this.onError(error, 'presence');
    } finally {
      this.#looking = false;
      this.#lookSoon();
    }
  }
}

function tell(watcher: Watcher, userId: string, presence: PresenceRow | null, events: Map<string, EphemeralEvent>): void {
  const text = presence ? `${presence.status} ${presence.lastSeenAt?.getTime() ?? ''}` : '';
  // Of whom one may not see nothing is told, until that changes.
  if ((watcher.told.get(userId) ?? '') === text) return;
  watcher.told.set(userId, text);
  const key = `${userId} ${text}`;
  let event = events.get(key);
  if (!event) events.set(key, (event = new EphemeralEvent({ __typename: 'PresenceEvent', userId: encodeId('User', userId), userKey: userId, presence })));
  watcher.outbox.offer(userId, event);
}
