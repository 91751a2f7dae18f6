import type { Sql } from '../../db/database.js';
import { keyReused, type Tx, type UnitOfWork } from '../../db/unit-of-work.js';
import type { FilesRef } from '../../entities/message.js';
import { classify } from '../../language/classifier.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import { encodeId, newId } from '../../lib/ids.js';
import type { ChatAccess } from '../../policies/chat-policy.js';
import { floodSeconds, isLookedAt, judge, type Verdict } from '../../policies/moderation-policy.js';
import { MAX_ATTACHMENTS, type NewAttachments } from '../attachments.js';
import { wordsOfCard } from '../bots/card-input.js';
import { lockOwnFiles, tieFiles, tieFilesOf } from '../files/file-claims.js';
import { findEarlierMessage, type Draft } from '../message-writer.js';
import type { NewPoll } from '../polls.js';
import { tellOfCase } from './case-book.js';
import { FloodWatch } from './flood-watch.js';

/** What goes with a draft. */
export interface DraftParts {
  poll: NewPoll | null;
  files: NewAttachments | null;
  linkPreview?: false | undefined;
}
const NO_PARTS: DraftParts = { poll: null, files: null };

/** A draft as it is kept while it is held. */
export interface HeldDraft extends Omit<Draft, 'chatId' | 'senderId' | 'idempotencyKey' | 'inputHash'> {
  poll: NewPoll | null;
  files: FilesRef | null;
  linkPreview: boolean;
}

/** Of one person, in one chat: held at a time. */
const MAX_HELD = 20;

/** Every text of a message that others would read. */
export function textOf(draft: Pick<Draft, 'text' | 'card'>, poll: NewPoll | null): string {
  const { card } = draft;
  const captions = card?.type === 'files' ? (card.captions ?? []) : card?.type === 'location' ? [card.name] : card?.type === 'interactive' ? wordsOfCard(card) : [];
  return [draft.text, ...captions, ...(poll ? [poll.question, ...poll.options] : [])].filter((part) => part != null).join('\n');
}

/**
 * Stands before every send into a chat that has rules: what they block is refused, what they hold is kept, out of the log, until somebody who moderates has decided. Chats without
 * rules don't come here, and rules cost no more than their texts are long: the one thing that is asked of the database, how much somebody has sent, is not waited for past its budget.
 */
export class ModerationGate {
  readonly #flood: FloodWatch;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {
    this.#flood = new FloodWatch(sql, clock);
  }

  /** Returns when the draft may go. Errors: FORBIDDEN (silenced, with `retryAfter`), MODERATED, HELD, LIMIT_REACHED. What was sent before under its key may go: it is answered again. */
  async pass(access: ChatAccess, draft: Draft, parts: DraftParts = NO_PARTS): Promise<void> {
    if (!isLookedAt(access)) return;
    const now = this.clock.now();
    const silenced = (access.member!.silencedUntil?.getTime() ?? 0) - now.getTime();
    // Rules judge words; of what is encrypted there are none.
    const verdict = silenced > 0 || draft.kind === 'ENCRYPTED' ? null : await this.verdict(access, draft, parts.poll);
    if (silenced <= 0 && (!verdict || verdict.action === 'FLAG')) return;
    if (draft.idempotencyKey !== null && (await findEarlierMessage(this.sql, draft, now))) return;
    if (silenced > 0) throw new DomainError('FORBIDDEN', 'Those who moderate this chat let you say nothing for a while.', { retryAfter: Math.ceil(silenced / 1000) });
    if (verdict!.action === 'BLOCK') throw blocked(verdict!);
    await this.#hold(draft, parts, verdict!);
  }

  /** What the rules say of words that replace earlier ones: those are not held, only let through or not. Errors: FORBIDDEN, MODERATED. */
  async passEdit(access: ChatAccess, draft: Pick<Draft, 'text' | 'card'>): Promise<void> {
    if (!isLookedAt(access)) return;
    const silenced = (access.member!.silencedUntil?.getTime() ?? 0) - this.clock.now().getTime();
    if (silenced > 0) throw new DomainError('FORBIDDEN', 'Those who moderate this chat let you say nothing for a while.', { retryAfter: Math.ceil(silenced / 1000) });
    const text = textOf(draft, null);
    const verdict = judge(access.chat.rules.map((rules) => ({ ...rules, flood: null })), text, { recent: () => 0, scores: () => classify(text) });
    if (verdict && verdict.action !== 'FLAG') throw blocked(verdict);
  }

  /** What comes together with something else (a cart, a group buy) is not held either: it goes, or nothing of it does. What was sent before under its key may go. By the statements of the transaction that writes it. Errors: FORBIDDEN, MODERATED. */
  async passWith(sql: Sql, access: ChatAccess, draft: Draft, title: string | null): Promise<void> {
    if (!isLookedAt(access) || (await findEarlierMessage(sql, draft, this.clock.now()))) return;
    await this.passEdit(access, { text: [title, draft.text].filter((part) => part !== null).join('\n'), card: draft.card });
  }

  async verdict(access: ChatAccess, draft: Draft, poll: NewPoll | null): Promise<Verdict | null> {
    const { rules } = access.chat;
    const longest = floodSeconds(rules);
    const recent = longest ? await this.#flood.recent(draft.chatId, draft.senderId, draft.idempotencyKey, longest) : () => 0;
    const text = textOf(draft, poll);
    return judge(rules, text, { recent, scores: () => classify(text) });
  }

  async #hold(draft: Draft, parts: DraftParts, { reasons }: Verdict): Promise<never> {
    const { id, state } = await this.unitOfWork.run({ actorId: draft.senderId, operation: 'holdMessage' }, (tx) => hold(tx, draft, parts, reasons));
    const caseId = encodeId('ModerationCase', id);
    if (state === 'REJECTED') throw new DomainError('MODERATED', 'A moderator has decided against this message.', { reasons, caseId });
    throw new DomainError('HELD', 'The rules of this chat hold the message until a moderator has seen it.', { reasons, caseId });
  }
}

const blocked = ({ reasons }: Verdict): DomainError => new DomainError('MODERATED', 'The rules of this chat don’t let this be said.', { field: 'text', reasons });

async function hold(tx: Tx, draft: Draft, { poll, files, linkPreview }: DraftParts, reasons: readonly string[]): Promise<{ id: string; state: string }> {
  const { chatId, senderId, idempotencyKey, inputHash, ...kept } = draft;
  // One at a time for each person, so that the limit and the key hold.
  await tx.sql('select from users where id = $1 for no key update', [senderId]);
  const [before] = await tx.sql<{ id: string; state: string; input_hash: Buffer }>(`select id, state, input_hash from moderation_cases where kind = 'HELD' and sender_id = $1 and idempotency_key = $2`, [senderId, idempotencyKey]);
  if (before) {
    if (!before.input_hash.equals(inputHash)) throw keyReused();
    return before;
  }
  const [open] = await tx.sql<{ n: number }>(`select count(*)::int as n from moderation_cases where sender_id = $1 and chat_id = $2 and kind = 'HELD' and state = 'OPEN'`, [senderId, chatId]);
  if (open!.n >= MAX_HELD) throw new DomainError('LIMIT_REACHED', `At most ${MAX_HELD} messages of one person are held in a chat.`);
  const id = newId();
  let { kind } = draft;
  if (files && !files.of) {
    const own = await lockOwnFiles(tx, senderId, files.ids, { field: 'attachmentIds', most: MAX_ATTACHMENTS });
    kind = own.length === 1 && own[0]!.kind === 'VOICE' ? 'VOICE' : 'MEDIA';
    await tieFiles(tx, files.ids, 'HELD', { id });
  } else if (files && !(await tieFilesOf(tx, { purpose: 'MESSAGE', ref: { id: files.of!.chatId, seq: files.of!.seq } }, files.ids, { purpose: 'HELD', ref: { id } }))) {
    throw new DomainError('NOT_FOUND', 'There is no such message to forward.', { field: 'messageIds' });
  }
  const held: HeldDraft = { ...kept, kind, poll, files: draft.card?.type === 'files' ? draft.card : null, linkPreview: linkPreview !== false };
  await tx.sql(
    `insert into moderation_cases (id, kind, target_type, target_id, chat_id, sender_id, reasons, draft, idempotency_key, input_hash, created_at) values ($1, 'HELD', 'MESSAGE', $2, $2, $3, $4, $5, $6, $7, $8)`,
    [id, chatId, senderId, reasons, JSON.stringify(held), idempotencyKey ?? `held ${id}`, inputHash, tx.now],
  );
  await tellOfCase(tx, { caseId: id, chatId, senderId });
  return { id, state: 'OPEN' };
}
