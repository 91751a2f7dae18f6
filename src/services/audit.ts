import type { Sql } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx } from '../db/unit-of-work.js';
import type { AuditAction } from '../entities/audit.js';
import { newId, type IdType } from '../lib/ids.js';
import { assertMay } from '../policies/role-policy.js';
import type { Actor } from './actor.js';

export interface AuditSubject {
  type: IdType;
  id: string;
  /** Of a message. */
  seq?: number;
}

export interface AuditEntry {
  /** Null: the operator, by a command on the machine. */
  actorId: string | null;
  action: AuditAction;
  subject: AuditSubject;
  /** What was decided, as codes, numbers and public ids. Rows outlive everybody: no names, no addresses, no words that somebody wrote of somebody, the reason for an act aside. */
  details?: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

/** Writes down what somebody did for the place, in the transaction that does it: it is there exactly if the act is. Rows are never changed or removed (a trigger sees to it). */
export async function audit(tx: Tx, { actorId, action, subject, details = {} }: AuditEntry): Promise<void> {
  await tx.sql('insert into audit_log (id, at, actor_id, action, subject_type, subject_id, subject_seq, details) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
    newId(), tx.now, actorId, action, subject.type, subject.id, subject.seq ?? null, JSON.stringify(details),
  ]);
}

export interface AuditRow {
  id: string;
  at: Date;
  actorId: string | null;
  action: AuditAction;
  subjectType: IdType;
  subjectId: string;
  subjectSeq: number | null;
  details: object;
}

export interface AuditFilter {
  actions: readonly AuditAction[] | null;
  actorId: string | null;
  subject: AuditSubject | null;
}

/** What those who run the place have done. */
export class AuditLog {
  constructor(private readonly sql: Sql) {}

  /** The newest first. Errors: FORBIDDEN. */
  async list(actor: Actor, { actions, actorId, subject }: AuditFilter, args: PageArgs): Promise<Page<AuditRow>> {
    assertMay(actor, 'READ_AUDIT');
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<AuditRow>(
      `select id, at, actor_id as "actorId", action, subject_type as "subjectType", subject_id as "subjectId", subject_seq as "subjectSeq", details from audit_log
       where ($1::text[] is null or action = any($1)) and ($2::uuid is null or actor_id = $2)
         and ($3::uuid is null or (subject_id = $3 and subject_type = $4 and subject_seq is not distinct from $5::int)) and ($6::uuid is null or id < $6)
       order by id desc limit $7`,
      [actions, actorId, subject?.id ?? null, subject?.type ?? null, subject?.seq ?? null, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }
}
