import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, forbidden, invalidInput, notFound } from '../../lib/errors.js';
import { encodeId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import type { ChatAccess } from '../../policies/chat-policy.js';
import { assertCanAppeal, assertCanDecide, moderates } from '../../policies/moderation-policy.js';
import { may } from '../../policies/role-policy.js';
import { NOBODY, type Actor } from '../actor.js';
import { audit } from '../audit.js';
import { lockChat, readChatAccess } from '../chat-access.js';
import { releaseFiles, tieFilesOf } from '../files/file-claims.js';
import { CASE_COLUMNS, IS_TOLD, type CaseRow, type CaseState } from '../loaders/moderation.js';
import { eraseMessages } from '../message-changes.js';
import { writeMessage, type Draft } from '../message-writer.js';
import { insertPoll } from '../polls.js';
import { checkSuspension, suspendIn } from '../roles.js';
import type { SessionService } from '../sessions.js';
import { tellOfCase } from './case-book.js';
import type { HeldDraft } from './gate.js';
import { banIn, MAX_NOTE_BYTES, MAX_SANCTION_SECONDS, silenceIn, strikeIn } from './sanctions.js';

export type CaseDecision = 'APPROVE' | 'REJECT';

export interface DecideInput {
  caseId: string;
  decision: CaseDecision;
  note: string | null;
  /** These go with REJECT. */
  strike: boolean;
  silenceSeconds: number | null;
  banSeconds: number | null;
  suspend: boolean;
  /** Null: for good. */
  suspendSeconds: number | null;
}

/** An appeal comes within so many days; until then what was held is kept. */
const APPEAL_DAYS = 30;
const DAY_MS = 86_400_000;
const FORGOTTEN_AT_ONCE = 100;

/** What was held, flagged or reported, and what becomes of it. */
export class ModerationCases {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
  ) {}

  /** What waits for a decision, the oldest first: of a chat for those who run it; of all, for moderators of the place. Errors: NOT_FOUND, FORBIDDEN. */
  async queue(actor: Actor, chatId: string | null, states: readonly CaseState[], args: PageArgs): Promise<Page<CaseRow>> {
    const request = pageRequest(args, ['uuid']);
    if (chatId !== null) {
      const access = await readChatAccess(this.sql, chatId, actor.userId);
      if (!access?.member && !may(actor, 'MODERATE')) throw notFound('chat');
      if (!moderates(actor, access)) throw forbidden('Only those who run the chat may do this.');
    } else if (!may(actor, 'MODERATE')) throw forbidden('Name a chat that you run: all cases are for moderators of the place.');
    const rows = await this.sql<CaseRow>(
      `select ${CASE_COLUMNS} from moderation_cases k where ($1::uuid is null or k.chat_id = $1) and k.state = any($2) and ($3::uuid is null or k.id > $3) order by k.id limit $4`,
      [chatId, states, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** What of one's own is held, or was decided, the newest first: nobody is told who has reported them, so nor of what is only flagged or reported. */
  async own(actor: Actor, args: PageArgs): Promise<Page<CaseRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<CaseRow>(
      `select ${CASE_COLUMNS} from moderation_cases k where k.sender_id = $1 and ${IS_TOLD} and ($2::uuid is null or k.id < $2)
       order by k.id desc limit $3`,
      [actor.userId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /**
   * APPROVE sends what was held, under the key that its sender gave it, and lets stand what was flagged or reported; REJECT keeps it, or deletes it for everyone. To decide the same again changes nothing.
   * Errors: NOT_FOUND, FORBIDDEN (one's own; an appeal against oneself), STATE_CONFLICT (decided otherwise; the sender has left), INVALID_INPUT.
   */
  async decide(actor: Actor, input: DecideInput): Promise<CaseRow> {
    const note = input.note === null ? null : cleanText(input.note, { field: 'note', maxBytes: MAX_NOTE_BYTES, multiline: true });
    for (const field of ['silenceSeconds', 'banSeconds'] as const) if (input[field] !== null) boundedInt(input[field], field, 1, MAX_SANCTION_SECONDS);
    checkSuspension(input.suspendSeconds, 'suspendSeconds');
    if (input.suspendSeconds !== null && !input.suspend) throw invalidInput('suspendSeconds', 'suspendSeconds goes with suspend.');
    if (input.decision === 'APPROVE' && (input.strike || input.suspend || input.silenceSeconds !== null || input.banSeconds !== null)) throw invalidInput('decision', 'Nothing follows for anybody from what is approved.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'decideModerationCase' }, async (tx) => {
      const { row, access } = await this.#lock(tx, actor, input.caseId);
      const state = input.decision === 'APPROVE' ? 'APPROVED' : 'REJECTED';
      if (row.state === state) return null;
      assertCanDecide(actor, row);
      const seq = await (state === 'APPROVED' ? approve(tx, row, access) : reject(tx, row));
      if (state === 'APPROVED') await tx.sql('delete from moderation_strikes where case_id = $1', [row.id]);
      await tx.sql(
        `update moderation_cases set state = $2, decided_by = $3, decided_at = $4, note = coalesce($5, note), seq = coalesce($6, seq), draft = case when $2 = 'APPROVED' then null else draft end where id = $1`,
        [row.id, state, actor.userId, tx.now, note, seq],
      );
      await audit(tx, {
        actorId: actor.userId, action: 'MODERATION_DECIDED', subject: { type: 'ModerationCase', id: row.id },
        details: { decision: input.decision, kind: row.kind, reasons: row.reasons, appeal: row.state === 'APPEALED', sender: row.senderId && encodeId('User', row.senderId), note },
      });
      await this.#sanction(tx, actor, row, access, input, note ?? row.reasons.join(', '));
      // Who was reported for nothing does not hear of it.
      await tellOfCase(tx, { caseId: row.id, chatId: row.chatId, senderId: row.kind === 'HELD' || state === 'REJECTED' || row.appeal ? row.senderId : null });
      return null;
    });
    return this.#read(input.caseId);
  }

  /** By whom it was decided against, once, within 30 days. Errors: NOT_FOUND, STATE_CONFLICT, EXPIRED, INVALID_INPUT. */
  async appeal(actor: Actor, caseId: string, text: string): Promise<CaseRow> {
    const words = cleanText(text, { field: 'text', maxBytes: MAX_NOTE_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'appealModeration' }, async (tx) => {
      const [row] = await tx.sql<CaseRow>(`select ${CASE_COLUMNS} from moderation_cases k where k.id = $1 and k.sender_id = $2 for update of k`, [caseId, actor.userId]);
      if (!row || (row.kind !== 'HELD' && row.state !== 'REJECTED' && row.appeal === null)) throw noCase();
      if (row.state === 'APPEALED' && row.appeal === words) return null;
      assertCanAppeal(row);
      if (tx.now.getTime() - row.decidedAt!.getTime() > APPEAL_DAYS * DAY_MS) throw new DomainError('EXPIRED', `An appeal comes within ${APPEAL_DAYS} days.`);
      await tx.sql(`update moderation_cases set state = 'APPEALED', appeal = $2, appealed_at = $3 where id = $1`, [caseId, words, tx.now]);
      await audit(tx, { actorId: actor.userId, action: 'MODERATION_APPEALED', subject: { type: 'ModerationCase', id: caseId } });
      await tellOfCase(tx, { caseId, chatId: row.chatId, senderId: row.senderId });
      return null;
    });
    return this.#read(caseId);
  }

  /** Forgets words and files of what was decided against, once there is no appeal any more. */
  async forget(): Promise<void> {
    for (let more = true; more; ) {
      more = await this.unitOfWork.run({ actorId: NOBODY, operation: 'forgetHeldMessages' }, async (tx) => {
        const rows = await tx.sql<{ id: string }>(
          `update moderation_cases set draft = null
           where id = any(array(select id from moderation_cases where draft is not null and state = 'REJECTED' and decided_at < $1 order by decided_at limit $2 for update skip locked)) returning id`,
          [new Date(tx.now.getTime() - APPEAL_DAYS * DAY_MS), FORGOTTEN_AT_ONCE],
        );
        await releaseFiles(tx, 'HELD', rows);
        return rows.length === FORGOTTEN_AT_ONCE;
      });
    }
  }

  /** The chat, then the case: nobody finds out of a case that is not theirs to decide. */
  async #lock(tx: Tx, actor: Actor, caseId: string): Promise<{ row: CaseRow & { draft: HeldDraft | null; key: string | null; hash: Buffer | null }; access: ChatAccess | null }> {
    const [known] = await tx.sql<{ chatId: string | null }>('select chat_id as "chatId" from moderation_cases where id = $1', [caseId]);
    if (!known) throw noCase();
    const access = known.chatId ? await lockChat(tx.sql, known.chatId, actor.userId) : null;
    if (!moderates(actor, access)) throw noCase();
    const [row] = await tx.sql<CaseRow & { draft: HeldDraft | null; key: string | null; hash: Buffer | null }>(
      `select ${CASE_COLUMNS}, k.draft, k.idempotency_key as key, k.input_hash as hash from moderation_cases k where k.id = $1 for update of k`,
      [caseId],
    );
    return { row: row!, access };
  }

  async #sanction(tx: Tx, actor: Actor, row: CaseRow, access: ChatAccess | null, { strike, silenceSeconds, banSeconds, suspend, suspendSeconds }: DecideInput, reason: string): Promise<void> {
    if (!strike && !suspend && silenceSeconds === null && banSeconds === null) return;
    const { senderId: userId, chatId } = row;
    if (!userId) throw invalidInput('strike', 'The case is about nobody.');
    if (strike || silenceSeconds !== null || banSeconds !== null) {
      if (!chatId || access?.chat.kind !== 'GROUP') throw invalidInput(strike ? 'strike' : banSeconds !== null ? 'banSeconds' : 'silenceSeconds', 'The case is of no group chat.');
      if (strike) await strikeIn(tx, actor, { chatId, userId, caseId: row.id }, access);
      if (silenceSeconds !== null) await silenceIn(tx, actor, { chatId, userId, seconds: silenceSeconds, reason });
      if (banSeconds !== null) await banIn(tx, actor, { chatId, userId, seconds: banSeconds, reason });
    }
    if (suspend) await suspendIn(tx, this.sessions, actor, { userId, seconds: suspendSeconds, reason });
  }

  async #read(id: string): Promise<CaseRow> {
    const [row] = await this.sql<CaseRow>(`select ${CASE_COLUMNS} from moderation_cases k where k.id = $1`, [id]);
    return row!;
  }
}

const noCase = (): DomainError => new DomainError('NOT_FOUND', 'There is no such case.', { field: 'caseId' });

/** Answers the number of a held message that is sent now: after all that was said meanwhile, an ordinary message. */
async function approve(tx: Tx, row: CaseRow & { draft: HeldDraft | null; key: string | null; hash: Buffer | null }, access: ChatAccess | null): Promise<number | null> {
  if (row.kind !== 'HELD') return null;
  if (!row.draft) throw new DomainError('STATE_CONFLICT', 'What was held has been forgotten.');
  const chatId = row.chatId!;
  const [sender] = await tx.sql<{ visibleFromSeq: number }>('select visible_from_seq as "visibleFromSeq" from chat_members where chat_id = $1 and user_id = $2', [chatId, row.senderId]);
  if (!sender || !access) throw new DomainError('STATE_CONFLICT', 'Who has sent it is no longer in the chat.');
  const { poll, files, linkPreview, ...kept } = row.draft;
  const draft: Draft = { ...kept, chatId, senderId: row.senderId!, idempotencyKey: row.key, inputHash: row.hash! };
  const { message, repeated } = await writeMessage(tx, { ...draft, ...(await standing(tx, draft)) }, { visibleFromSeq: sender.visibleFromSeq });
  if (!repeated) {
    const ref = { id: chatId, seq: message.seq };
    if (poll) await insertPoll(tx, message, { ...poll, closesAt: poll.closesAt && new Date(poll.closesAt) });
    if (files && !(await tieFilesOf(tx, { purpose: 'HELD', ref: { id: row.id } }, files.ids, { purpose: 'MESSAGE', ref }))) throw new DomainError('STATE_CONFLICT', 'A file of the message is no longer there.');
    if (!linkPreview) await tx.sql(`update messages set preview = '{"state":"OFF"}' where chat_id = $1 and seq = $2`, [chatId, message.seq]);
  }
  if (files) await releaseFiles(tx, 'HELD', [{ id: row.id }]);
  return message.seq;
}

/** What it answers may have been deleted meanwhile: the words are sent all the same, where there is a place for them. */
async function standing(tx: Tx, { chatId, replyToSeq, threadRootSeq }: Draft): Promise<Pick<Draft, 'replyToSeq' | 'threadRootSeq'>> {
  const wanted = [replyToSeq, threadRootSeq].filter((seq) => seq !== null);
  const rows = wanted.length ? await tx.sql<{ seq: number }>('select seq from messages where chat_id = $1 and seq = any($2) and deleted_at is null', [chatId, wanted]) : [];
  const there = (seq: number | null) => (rows.some((row) => row.seq === seq) ? seq : null);
  if (threadRootSeq !== null && there(threadRootSeq) === null) throw new DomainError('STATE_CONFLICT', 'The thread that it answers in has been deleted.');
  return { replyToSeq: there(replyToSeq), threadRootSeq };
}

async function reject(tx: Tx, row: CaseRow): Promise<null> {
  if (row.kind !== 'HELD' && row.targetType === 'MESSAGE') await eraseMessages(tx, row.targetId, [row.seq!]);
  return null;
}
