import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { cleanText } from '../lib/validate.js';
import type { Actor } from './actor.js';
import { bookReport } from './moderation/case-book.js';

export type ReportTargetType = 'USER' | 'MESSAGE' | 'CHAT' | 'GROUP';
export type ReportReason = 'SPAM' | 'HARASSMENT' | 'HATE' | 'VIOLENCE' | 'SEXUAL_CONTENT' | 'CHILD_SAFETY' | 'SELF_HARM' | 'FRAUD' | 'IMPERSONATION' | 'OTHER';

export interface ReportTarget {
  type: ReportTargetType;
  id: string;
  /** Of a message. */
  seq: number | null;
}
export interface ReportRow {
  id: string;
  targetType: ReportTargetType;
  targetId: string;
  targetSeq: number | null;
  reason: ReportReason;
  note: string | null;
  createdAt: Date;
}

const MAX_NOTE_BYTES = 2_048;

/** What people hold to be against the rules: read by those who moderate. */
export class ReportService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Once for a target: a second report answers the first. Errors: NOT_FOUND (also what the actor may not see), INVALID_INPUT. */
  async report(actor: Actor, target: ReportTarget, reason: ReportReason, note: string | null): Promise<ReportRow> {
    if (target.type === 'USER' && target.id === actor.userId) throw invalidInput('targetId', 'Nobody reports themself.');
    const cleaned = note === null ? null : cleanText(note, { field: 'note', maxBytes: MAX_NOTE_BYTES, multiline: true });
    const seq = target.seq ?? 0;
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'reportContent' }, async (tx) => {
      await assertSees(tx, actor.userId, target);
      const made = await tx.sql(
        `insert into reports (id, reporter_id, target_type, target_id, target_seq, reason, note, created_at) values ($1, $2, $3, $4, nullif($5, 0), $6, $7, $8) on conflict do nothing returning id`,
        [newId(), actor.userId, target.type, target.id, seq, reason, cleaned, tx.now],
      );
      if (made.length) await bookReport(tx, target, reason);
    });
    const [row] = await this.sql<ReportRow>(
      `select id, target_type as "targetType", target_id as "targetId", target_seq as "targetSeq", reason, note, created_at as "createdAt"
       from reports where reporter_id = $1 and target_type = $2 and target_id = $3 and coalesce(target_seq, 0) = $4`,
      [actor.userId, target.type, target.id, seq],
    );
    return row!;
  }
}

/** Whether somebody ($1) may see the target ($2, and $3 of a message). */
const SIGHT: Readonly<Record<ReportTargetType, string>> = {
  USER: 'select from users where id = $2 and id <> $1 and $3::int is null',
  CHAT: 'select from chat_members where user_id = $1 and chat_id = $2 and $3::int is null',
  MESSAGE: 'select from messages m join chat_members c on c.chat_id = m.chat_id and c.user_id = $1 and m.seq >= c.visible_from_seq where m.chat_id = $2 and m.seq = $3 and m.deleted_at is null',
  GROUP: `select from groups g where g.id = $2 and $3::int is null
    and (g.visibility <> 'SECRET' or exists (select from group_members m where m.group_id = g.id and m.user_id = $1 and m.state = 'MEMBER'))`,
};

async function assertSees(tx: Tx, userId: string, { type, id, seq }: ReportTarget): Promise<void> {
  const [seen] = await tx.sql(SIGHT[type], [userId, id, seq]);
  if (!seen) throw new DomainError('NOT_FOUND', `There is no such ${type.toLowerCase()}.`, { field: 'targetId' });
}
