import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { StatusAudienceKind, StatusFont, StatusKind } from '../../entities/status.js';
import { userStream } from '../../events/catalogue.js';
import { cleanEmoji } from '../../lib/emoji.js';
import { DomainError, forbidden, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText, distinct } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import { claimFiles } from '../files/file-claims.js';
import { maySee, STATUS_COLUMNS, type StatusRow } from '../loaders/statuses.js';
import { assertIsThere } from '../person-checks.js';
import { Quota } from '../quota.js';
import { dropFromHighlights, lockHighlightsWith } from './highlight-items.js';
import { eraseStatuses } from './status-erasure.js';
import { tellOthers } from './status-news.js';

export const STATUS_HOURS = 24;
export const STATUSES_A_DAY = 100;
export const MAX_STATUS_BYTES = 2_048;
/** People whom a status names, to leave them out or to show it to them alone. */
export const MAX_LISTED = 1_000;
export const MAX_MUTED = 10_000;

export interface PostStatus {
  text: string | null;
  /** #rrggbb */
  backgroundColor: string | null;
  font: StatusFont | null;
  /** A picture or video of the author's. */
  fileId: string | null;
  audience: { kind: StatusAudienceKind; userIds: string[] };
  idempotencyKey: string;
}

/** Showing something to one's contacts for a day, and what they do with it. Who sees what stands in loaders/statuses.ts. */
export class StatusService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Errors: INVALID_INPUT, NOT_FOUND (the file; somebody who is listed), STATE_CONFLICT (the file is not READY), RATE_LIMITED (100 a day), IDEMPOTENCY_KEY_REUSED.
   */
  async post(actor: Actor, { idempotencyKey, ...input }: PostStatus): Promise<string> {
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_STATUS_BYTES, multiline: true });
    if (text === null && input.fileId === null) throw invalidInput('text', 'A status needs a text, a picture or a video.');
    assertFits(input);
    const background = input.backgroundColor === null ? null : cleanColor(input.backgroundColor);
    const listed = checkAudience(actor, input.audience);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'postStatus', idempotencyKey, input }, async (tx) => {
      await new Quota(tx.sql, { now: () => tx.now }, { name: 'statuses', points: STATUSES_A_DAY, seconds: 86_400 }).consume(actor.userId);
      await assertListedExist(tx, listed);
      const made = newId();
      const kind = input.fileId === null ? 'TEXT' : await claimFile(tx, actor, input.fileId, made);
      await tx.sql('insert into statuses (id, author_id, kind, text, background, font, file_id, audience, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
        made, actor.userId, kind, text, background, input.font, input.fileId, input.audience.kind, tx.now, new Date(tx.now.getTime() + STATUS_HOURS * 3_600_000),
      ]);
      await tx.sql('insert into status_audience (status_id, user_id) select $1, unnest($2::uuid[])', [made, listed]);
      tx.append(userStream(actor.userId), { kind: 'status.posted', statusId: made, authorId: actor.userId });
      await tellOthers(tx, made, 'POSTED');
      return { id: made };
    });
    return id;
  }

  /** Takes a status back, also out of highlights: it is gone at once, for everybody. Errors: NOT_FOUND, FORBIDDEN. */
  async delete(actor: Actor, statusId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteStatus' }, async (tx) => {
      const status = await readStatus(tx, statusId, actor.userId);
      if (status.authorId !== actor.userId) throw forbidden('Only its author deletes a status.');
      await lockHighlightsWith(tx, statusId);
      await lockStatus(tx, statusId);
      await dropFromHighlights(tx, actor.userId, statusId);
      await eraseStatuses(tx, [statusId]);
      tx.append(userStream(actor.userId), { kind: 'status.deleted', statusId, authorId: actor.userId, expired: false });
      // Of what was in a highlight alone, nobody's feed knows.
      if (status.expiresAt <= tx.now) await tx.sql('delete from statuses where id = $1', [statusId]);
      else await tellOthers(tx, statusId, 'DELETED');
      return null;
    });
  }

  /** Notes that the actor has seen a status; again, or their own: changes nothing. Errors: NOT_FOUND. */
  async view(actor: Actor, statusId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'viewStatus' }, async (tx) => {
      const { authorId } = await readStatus(tx, statusId, actor.userId);
      if (authorId === actor.userId) return null;
      const [seen] = await tx.sql('select from status_views where status_id = $1 and viewer_id = $2', [statusId, actor.userId]);
      if (seen) return null;
      await lockStatus(tx, statusId);
      if (await noteView(tx, statusId, actor.userId)) tellMarks(tx, actor.userId, statusId, authorId);
      return null;
    });
  }

  /** The actor's one reaction, in place of an earlier one; null takes it back. It says, too, that they have seen it. Errors: NOT_FOUND, FORBIDDEN (their own), INVALID_INPUT (emoji). */
  async react(actor: Actor, statusId: string, given: string | null): Promise<void> {
    const emoji = given === null ? null : cleanEmoji(given);
    if (given !== null && emoji === null) throw invalidInput('emoji', 'A reaction is one emoji.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'reactToStatus' }, async (tx) => {
      const { authorId } = await readStatus(tx, statusId, actor.userId);
      if (authorId === actor.userId) throw forbidden('Nobody reacts to their own status.');
      await lockStatus(tx, statusId);
      const first = await noteView(tx, statusId, actor.userId);
      const [before] = await tx.sql<{ reaction: string | null }>('select reaction from status_views where status_id = $1 and viewer_id = $2', [statusId, actor.userId]);
      const changed = before!.reaction !== emoji;
      if (changed) {
        await tx.sql('update status_views set reaction = $3, reacted_at = $4 where status_id = $1 and viewer_id = $2', [statusId, actor.userId, emoji, emoji && tx.now]);
        const by = Number(emoji !== null) - Number(before!.reaction !== null);
        await tx.sql('update statuses set reaction_count = reaction_count + $2, news_at = coalesce(news_at, $3) where id = $1', [statusId, by, tx.now]);
      }
      if (first || changed) tellMarks(tx, actor.userId, statusId, authorId);
      return null;
    });
  }

  /** Puts aside what somebody shows, or no longer. As it is already: changes nothing. Errors: NOT_FOUND, INVALID_INPUT (oneself), LIMIT_REACHED. */
  async mute(actor: Actor, userId: string, muted: boolean): Promise<void> {
    if (userId === actor.userId) throw invalidInput('userId', 'Nobody mutes themself.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: muted ? 'muteStatuses' : 'unmuteStatuses' }, async (tx) => {
      if (muted) await assertIsThere(tx.sql, userId, 'userId');
      const changed = muted
        ? await tx.sql('insert into status_mutes (owner_id, muted_id, created_at) values ($1, $2, $3) on conflict do nothing returning 1', [actor.userId, userId, tx.now])
        : await tx.sql('delete from status_mutes where owner_id = $1 and muted_id = $2 returning 1', [actor.userId, userId]);
      // Who was suspended while they were muted can still be heard of again.
      if (!changed.length) return muted ? null : assertIsThere(tx.sql, userId, 'userId').then(() => null);
      const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from status_mutes where owner_id = $1', [actor.userId]);
      if (row!.n > MAX_MUTED) throw new DomainError('LIMIT_REACHED', `Nobody mutes more than ${MAX_MUTED} people.`);
      tx.append(userStream(actor.userId), { kind: 'status.muted', userId });
      return null;
    });
  }
}

/** A status as the actor sees it. Throws NOT_FOUND. */
export async function readStatus(tx: Tx, statusId: string, actorId: string): Promise<StatusRow> {
  const [status] = await tx.sql<StatusRow>(`select ${STATUS_COLUMNS} from statuses s where s.id = $1 and ${maySee('$2', '$3')}`, [statusId, actorId, tx.now]);
  if (!status) throw new DomainError('NOT_FOUND', 'There is no such status.', { field: 'statusId' });
  return status;
}

/** One change of a status at a time. Throws NOT_FOUND for what has been erased in between. */
async function lockStatus(tx: Tx, statusId: string): Promise<void> {
  const [found] = await tx.sql('select from statuses where id = $1 and removed_at is null for no key update', [statusId]);
  if (!found) throw notFound('status');
}

/** True when it is their first; under the status's lock. */
async function noteView(tx: Tx, statusId: string, viewerId: string): Promise<boolean> {
  const made = await tx.sql('insert into status_views (status_id, viewer_id, viewed_at) values ($1, $2, $3) on conflict do nothing returning 1', [statusId, viewerId, tx.now]);
  if (made.length) await tx.sql('update statuses set view_count = view_count + 1, news_at = coalesce(news_at, $2) where id = $1', [statusId, tx.now]);
  return made.length > 0;
}

/** To the viewer's other devices. */
const tellMarks = (tx: Tx, viewerId: string, statusId: string, authorId: string): void => tx.append(userStream(viewerId), { kind: 'status.marks', statusId, authorId });

async function claimFile(tx: Tx, actor: Actor, fileId: string, statusId: string): Promise<StatusKind> {
  const [file] = await claimFiles(tx, actor.userId, [fileId], 'STATUS', { id: statusId }, { field: 'fileId', most: 1, kinds: ['IMAGE', 'VIDEO'] });
  return file!.kind === 'VIDEO' ? 'VIDEO' : 'IMAGE';
}

function assertFits({ fileId, backgroundColor, font }: Pick<PostStatus, 'fileId' | 'backgroundColor' | 'font'>): void {
  if (fileId === null) return;
  if (backgroundColor !== null) throw invalidInput('backgroundColor', 'Behind a picture or video there is no background.');
  if (font !== null) throw invalidInput('font', 'A font is of a text.');
}

function cleanColor(value: string): string {
  if (!/^#[0-9a-f]{6}$/i.test(value)) throw invalidInput('backgroundColor', 'A colour is written #rrggbb.');
  return value.toLowerCase();
}

function checkAudience(actor: Actor, { kind, userIds }: PostStatus['audience']): string[] {
  const listed = distinct(userIds, 'audience.userIds', MAX_LISTED).filter((id) => id !== actor.userId);
  if (kind === 'CONTACTS' && listed.length) throw invalidInput('audience.userIds', 'What all contacts see names nobody.');
  if (kind === 'ONLY' && !listed.length) throw invalidInput('audience.userIds', 'Somebody must be named, for whom alone it is.');
  return listed;
}

async function assertListedExist(tx: Tx, ids: string[]): Promise<void> {
  if (!ids.length) return;
  const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from users where id = any($1)', [ids]);
  if (row!.n < ids.length) throw new DomainError('NOT_FOUND', 'There is no such user.', { field: 'audience.userIds' });
}
