import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import type { Bus } from '../../events/bus.js';
import type { AttemptLimiter } from '../../lib/attempt-limiter.js';
import type { Clock } from '../../lib/clock.js';
import { invalidInput, notFound } from '../../lib/errors.js';
import { assertCanTakePart } from '../../policies/chat-policy.js';
import { assertCanSeeDocument, assertOpen } from '../../policies/document-policy.js';
import type { Actor } from '../actor.js';
import { readChatAccess } from '../chat-access.js';
import { readDocument, type DocumentRow } from '../loaders/documents.js';
import { checkBatch, type BrowsingService } from './browsing.js';
import { documentTopic, type AwarenessNews, type DocumentHint } from './document-log.js';
import { checkUpdate } from './yjs.js';
import type { Applied, WhiteboardWriter } from './whiteboard-writer.js';

/** What one person may send in a minute: an update counts one, and one more for each so many bytes. */
export const UPDATES_A_MINUTE = 3_000;
const BYTES_A_POINT = 8 * 1024;
export const AWARENESS_A_MINUTE = 3_000;
export const MAX_AWARENESS_BYTES = 2 * 1024;
/** A pointer that is not heard of for so long is gone. */
export const AWARENESS_LIFE_MS = 30_000;
const KEPT = 10_000;

/** What never changes of a document: where it belongs. */
type Place = Pick<DocumentRow, 'id' | 'kind' | 'chatId'>;

/** What people do on documents: changes, which are kept, and pointers, which are not. */
export class DocumentUpdateService {
  readonly #places = new LRUCache<string, Place>({ max: KEPT });

  constructor(
    private readonly sql: Sql,
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly whiteboards: WhiteboardWriter,
    private readonly browsing: BrowsingService,
    private readonly limits: { updates: AttemptLimiter; awareness: AttemptLimiter },
  ) {}

  /**
   * Of a whiteboard a Yjs update, of a session of co-browsing the presenter's next batch of rrweb events. Idempotent: what is there
   * already changes nothing. Errors: NOT_FOUND, FORBIDDEN, BLOCKED, INVALID_INPUT (update, batch), STATE_CONFLICT, LIMIT_REACHED, RATE_LIMITED, OVERLOADED.
   */
  async apply(actor: Actor, id: string, update: Buffer, batch: number | null): Promise<Applied & { snapshotWanted: boolean }> {
    await this.limits.updates.consume(actor.userId, 1 + Math.floor(update.length / BYTES_A_POINT));
    const place = await this.#place(id);
    if (place.kind === 'CO_BROWSING') return this.browsing.append(place, actor, batch, await checkBatch(update));
    if (batch !== null) throw invalidInput('batch', 'A whiteboard’s updates have no numbers.');
    return { ...(await this.whiteboards.apply(place, actor.userId, checkUpdate(update))), snapshotWanted: false };
  }

  /** Tells those who look on where somebody points. Kept nowhere. Answers until when it holds. Errors: NOT_FOUND, BLOCKED, STATE_CONFLICT (ended), INVALID_INPUT, RATE_LIMITED. */
  async tell(actor: Actor, id: string, clientId: string, state: unknown): Promise<Date> {
    checkClientId(clientId);
    if (state != null && Buffer.byteLength(JSON.stringify(state)) > MAX_AWARENESS_BYTES) throw invalidInput('state', `state is longer than ${MAX_AWARENESS_BYTES} bytes.`);
    await this.limits.awareness.consume(actor.userId);
    const row = await readDocument(this.sql, id);
    const access = row && (await readChatAccess(this.sql, row.chatId, actor.userId));
    assertCanSeeDocument(access);
    assertOpen(row!);
    // It may hold any words, and goes to the other at once.
    assertCanTakePart(access);
    const expiresAt = this.clock.now().getTime() + AWARENESS_LIFE_MS;
    const news: AwarenessNews = { userId: actor.userId, clientId, state: state ?? null, expiresAt };
    this.bus.publish(documentTopic(id), { awareness: [news] } satisfies DocumentHint);
    return new Date(expiresAt);
  }

  async #place(id: string): Promise<Place> {
    const known = this.#places.get(id);
    if (known) return known;
    const row = await readDocument(this.sql, id);
    if (!row) throw notFound('document');
    const place = { id, kind: row.kind, chatId: row.chatId };
    this.#places.set(id, place);
    return place;
  }
}

/** 1 to 64 visible ASCII characters. */
export function checkClientId(clientId: string): string {
  if (!/^[\x21-\x7e]{1,64}$/.test(clientId)) throw invalidInput('clientId', 'clientId is 1 to 64 visible ASCII characters.');
  return clientId;
}
