import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { userStream, type StatusEventRef } from '../../events/catalogue.js';
import { NOBODY } from '../actor.js';
import { IN_AUDIENCE, MUTUAL } from '../loaders/statuses.js';
import { eraseStatuses } from './status-erasure.js';

export type StatusChange = 'POSTED' | 'DELETED' | 'EXPIRED';
export interface TellingJob {
  statusId: string;
  change: StatusChange;
}

/** People who are told in one transaction: their streams are locked for some milliseconds. See docs/adr/0009-statuses-are-told-in-batches.md. */
export const TOLD_AT_ONCE = 250;
const EXPIRED_AT_ONCE = 100;
const AUTHORS_AT_ONCE = 100;

/** Begins to tell those who may see a status. Of a status that is gone nobody need hear that it came. */
export async function tellOthers(tx: Tx, statusId: string, change: StatusChange): Promise<void> {
  if (change !== 'POSTED') await tx.sql(`delete from status_tellings where status_id = $1 and change = 'POSTED'`, [statusId]);
  await tx.sql('insert into status_tellings (status_id, change) values ($1, $2) on conflict do nothing', [statusId, change]);
  await enqueue(tx, { statusId, change });
}

const enqueue = (tx: Tx, job: TellingJob): Promise<void> => tx.enqueue('tell-of-status', job, { key: `tell-of-status ${job.statusId} ${job.change}` });

const eventOf = ({ statusId, change }: TellingJob, authorId: string): StatusEventRef =>
  change === 'POSTED' ? { kind: 'status.posted', statusId, authorId } : { kind: 'status.deleted', statusId, authorId, expired: change === 'EXPIRED' };

/** What becomes of statuses by themselves: others hear of them, their day ends, their authors hear who has seen them. */
export class StatusNews {
  static readonly EXPIRED = 'exists (select from statuses where removed_at is null and not expired and expires_at <= $1)';
  /** An author hears once a second, at the most, who has seen a status of theirs. */
  static readonly VIEWED = "exists (select from statuses where news_at <= $1::timestamptz - interval '1 second')";

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Tells the next batch of those who may see a status, and leaves the rest to the next job, so that many statuses have
   * their turns. How far it has come stands in the database: whatever is repeated tells nobody twice.
   */
  async tell(job: TellingJob): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'tellOfStatus' }, async (tx) => {
      const [telling] = await tx.sql<{ after: string; authorId: string; removed: boolean }>(
        `select t.after, s.author_id as "authorId", s.removed_at is not null as removed from status_tellings t join statuses s on s.id = t.status_id
         where t.status_id = $1 and t.change = $2 for update of t`,
        [job.statusId, job.change],
      );
      if (!telling) return null;
      const people = await tx.sql<{ id: string }>(
        `select mine.owner_id as id from statuses s join ${MUTUAL} on theirs.owner_id = s.author_id
         where s.id = $1 and theirs.owner_id = $2 and theirs.contact_id > $3 and ${IN_AUDIENCE} order by theirs.contact_id limit $4`,
        [job.statusId, telling.authorId, telling.after, TOLD_AT_ONCE],
      );
      for (const { id } of people) tx.append(userStream(id), eventOf(job, telling.authorId));
      if (people.length === TOLD_AT_ONCE) {
        await tx.sql('update status_tellings set after = $3 where status_id = $1 and change = $2', [job.statusId, job.change, people.at(-1)!.id]);
        await enqueue(tx, job);
        return null;
      }
      await tx.sql('delete from status_tellings where status_id = $1 and change = $2', [job.statusId, job.change]);
      if (telling.removed) await tx.sql('delete from statuses s where s.id = $1 and not exists (select from status_tellings t where t.status_id = s.id)', [job.statusId]);
      return null;
    });
  }

  /** Ends the day of statuses whose time is up; what no highlight holds is erased. True when there may be more. Nobody sees them from that moment on, whether or not this has come by. */
  expire(): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'expireStatuses' }, async (tx) => {
      const over = await tx.sql<{ id: string; authorId: string; kept: number }>(
        `update statuses set expired = true where id = any(array(
           select id from statuses where removed_at is null and not expired and expires_at <= $1 order by expires_at, id limit $2 for no key update skip locked))
         returning id, author_id as "authorId", kept`,
        [tx.now, EXPIRED_AT_ONCE],
      );
      await eraseStatuses(tx, over.filter(({ kept }) => kept === 0).map(({ id }) => id));
      for (const { id, authorId } of over) {
        tx.append(userStream(authorId), { kind: 'status.deleted', statusId: id, authorId, expired: true });
        await tellOthers(tx, id, 'EXPIRED');
      }
      return over.length === EXPIRED_AT_ONCE;
    });
  }

  /** Tells authors of new views and reactions, however many there were since the last round. True when there may be more. */
  tellViews(): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'tellStatusViews' }, async (tx) => {
      const seen = await tx.sql<{ id: string; authorId: string }>(
        `update statuses set news_at = null where id = any(array(select id from statuses where news_at is not null order by news_at limit $1 for no key update skip locked))
         returning id, author_id as "authorId"`,
        [AUTHORS_AT_ONCE],
      );
      for (const { id, authorId } of seen) tx.append(userStream(authorId), { kind: 'status.viewed', statusId: id });
      return seen.length === AUTHORS_AT_ONCE;
    });
  }
}
