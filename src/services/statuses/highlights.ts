import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText, distinct } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import { addItems, MAX_ITEMS, removeItems, tellHighlight } from './highlight-items.js';

export const MAX_HIGHLIGHTS = 100;
const MAX_TITLE_BYTES = 128;

export interface CreateHighlight {
  title: string;
  statusIds: string[];
  coverStatusId: string | null;
  idempotencyKey: string;
}
/** What is left out stays as it is; null takes the chosen cover away. */
export interface UpdateHighlight {
  title?: string | null;
  coverStatusId?: string | null;
  addStatusIds: string[];
  removeStatusIds: string[];
}

/** What outlives its day: statuses that their author has put together under a title. */
export class HighlightService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Errors: INVALID_INPUT, NOT_FOUND (a status), LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED. */
  async create(actor: Actor, { idempotencyKey, ...input }: CreateHighlight): Promise<string> {
    const title = cleanTitle(input.title);
    const statusIds = distinct(input.statusIds, 'statusIds', MAX_ITEMS);
    if (!statusIds.length) throw invalidInput('statusIds', 'A highlight begins with a status.');
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createHighlight', idempotencyKey, input }, async (tx) => {
      // One at a time for each person, so that the limit holds.
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from status_highlights where owner_id = $1', [actor.userId]);
      if (row!.n >= MAX_HIGHLIGHTS) throw new DomainError('LIMIT_REACHED', `Nobody has more than ${MAX_HIGHLIGHTS} highlights.`);
      const made = newId();
      await tx.sql('insert into status_highlights (id, owner_id, title, created_at) values ($1, $2, $3, $4)', [made, actor.userId, title, tx.now]);
      await addItems(tx, made, actor.userId, statusIds);
      if (input.coverStatusId !== null) await setCover(tx, made, input.coverStatusId);
      tellHighlight(tx, actor.userId, made);
      return { id: made };
    });
    return id;
  }

  /** Errors: NOT_FOUND (highlight, a status), INVALID_INPUT (also when it would hold nothing), LIMIT_REACHED. What changes nothing tells nobody. */
  async update(actor: Actor, id: string, input: UpdateHighlight): Promise<void> {
    const title = input.title == null ? null : cleanTitle(input.title);
    const [added, removed] = [distinct(input.addStatusIds, 'addStatusIds', MAX_ITEMS), distinct(input.removeStatusIds, 'removeStatusIds', MAX_ITEMS)];
    if (added.some((statusId) => removed.includes(statusId))) throw invalidInput('removeStatusIds', 'A status can’t be added and removed at once.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateHighlight' }, async (tx) => {
      await lockHighlight(tx, id, actor.userId);
      const changes = [await removeItems(tx, id, removed), await addItems(tx, id, actor.userId, added)];
      const [held] = await tx.sql('select from status_highlight_items where highlight_id = $1 limit 1', [id]);
      if (!held) throw invalidInput('removeStatusIds', 'Nothing would be left: delete the highlight instead.');
      if (title !== null) changes.push((await tx.sql('update status_highlights set title = $2 where id = $1 and title <> $2 returning 1', [id, title])).length > 0);
      if (input.coverStatusId !== undefined) changes.push(await setCover(tx, id, input.coverStatusId));
      if (removed.length) await tx.sql('update status_highlights set cover_id = null where id = $1 and cover_id = any($2)', [id, removed]);
      if (!changes.includes(true)) return null;
      await tx.sql('update status_highlights set version = version + 1 where id = $1', [id]);
      tellHighlight(tx, actor.userId, id);
      return null;
    });
  }

  /** What no other highlight holds, and whose day is over, is erased with it. Errors: NOT_FOUND. */
  async delete(actor: Actor, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteHighlight' }, async (tx) => {
      await lockHighlight(tx, id, actor.userId);
      await removeItems(tx, id, null);
      await tx.sql('delete from status_highlights where id = $1', [id]);
      tellHighlight(tx, actor.userId, id);
      return null;
    });
  }
}

/** Whatever the highlights of others hold, nobody else changes them: they are not there. */
async function lockHighlight(tx: Tx, id: string, ownerId: string): Promise<void> {
  const [found] = await tx.sql('select from status_highlights where id = $1 and owner_id = $2 for update', [id, ownerId]);
  if (!found) throw new DomainError('NOT_FOUND', 'There is no such highlight.', { field: 'highlightId' });
}

/** True when it has changed. Throws INVALID_INPUT for what the highlight does not hold. */
async function setCover(tx: Tx, id: string, statusId: string | null): Promise<boolean> {
  if (statusId !== null) {
    const [held] = await tx.sql('select from status_highlight_items where highlight_id = $1 and status_id = $2', [id, statusId]);
    if (!held) throw invalidInput('coverStatusId', 'The cover is one of the highlight’s statuses.');
  }
  return (await tx.sql('update status_highlights set cover_id = $2 where id = $1 and cover_id is distinct from $2 returning 1', [id, statusId])).length > 0;
}

const cleanTitle = (title: string): string => cleanText(title, { field: 'title', maxBytes: MAX_TITLE_BYTES });
