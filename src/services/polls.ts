import { pageRequest, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { cleanText, distinct } from '../lib/validate.js';
import { assertCanSend, slowModeFor } from '../policies/chat-policy.js';
import { assertCanClosePoll, assertCanVote } from '../policies/message-policy.js';
import type { Actor, Reading } from './actor.js';
import { lockChat } from './chat-access.js';
import type { MessageKey, MessageRow } from './loaders/messages.js';
import { optionVoters, pollByKey, type OptionKey, type PollRow, type VotingUser } from './loaders/polls.js';
import { lockMessage, touchMessage } from './message-changes.js';
import { writeMessage, type Draft } from './message-writer.js';

const MIN_OPTIONS = 2;
const MAX_OPTIONS = 12;
const MAX_QUESTION_BYTES = 1_024;
const MAX_OPTION_BYTES = 256;

/** A poll to be asked. */
export interface NewPoll {
  question: string;
  options: string[];
  multiple: boolean;
  anonymous: boolean;
  closesAt: Date | null;
}

/** Throws INVALID_INPUT; the time of closing is judged when the poll is written. */
export function cleanPoll(poll: NewPoll): NewPoll {
  const question = cleanText(poll.question, { field: 'poll.question', maxBytes: MAX_QUESTION_BYTES, multiline: true });
  if (poll.options.length < MIN_OPTIONS || poll.options.length > MAX_OPTIONS) throw invalidInput('poll.options', `A poll has ${MIN_OPTIONS} to ${MAX_OPTIONS} options.`);
  const options = poll.options.map((option) => cleanText(option, { field: 'poll.options', maxBytes: MAX_OPTION_BYTES }));
  if (new Set(options).size < options.length) throw invalidInput('poll.options', 'Two options of the poll are the same.');
  return { ...poll, question, options };
}

export const isClosed = ({ closesAt }: Pick<PollRow, 'closesAt'>, now: Date): boolean => closesAt !== null && closesAt <= now;

/**
 * Writes a message with its poll. Errors: as those of sending, and INVALID_INPUT for a time of closing that has passed.
 */
export async function writePoll(tx: Tx, draft: Draft, poll: NewPoll): Promise<MessageRow> {
  const access = await lockChat(tx.sql, draft.chatId, draft.senderId);
  assertCanSend(access);
  const { message, repeated } = await writeMessage(tx, draft, { visibleFromSeq: access.member.visibleFromSeq, slowModeSeconds: slowModeFor(access) });
  if (repeated) return message;
  if (isClosed(poll, tx.now)) throw invalidInput('poll.closesAt', 'The poll would be closed already.');
  await insertPoll(tx, message, poll);
  return message;
}

/** The poll of a message that this transaction has written. */
export async function insertPoll(tx: Tx, { chatId, seq }: MessageKey, poll: NewPoll): Promise<void> {
  await tx.sql('insert into polls (chat_id, seq, question, multiple, anonymous, closes_at) values ($1, $2, $3, $4, $5, $6)', [
    chatId, seq, poll.question, poll.multiple, poll.anonymous, poll.closesAt,
  ]);
  await tx.sql('insert into poll_options (chat_id, seq, idx, text) select $1, $2, o.ord - 1, o.text from unnest($3::text[]) with ordinality o(text, ord)', [chatId, seq, poll.options]);
}

/** Voting, and the end of it. */
export class PollService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Replaces the actor's votes; none withdraws them. The same votes again change nothing.
   * Errors: NOT_FOUND (also for a message without a poll), INVALID_INPUT (options), BLOCKED, STATE_CONFLICT (closed, deleted).
   */
  vote(actor: Actor, key: MessageKey, given: readonly number[]): Promise<MessageRow> {
    const votes = distinct(given, 'optionIndexes', MAX_OPTIONS);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'votePoll' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      const poll = await pollOf(tx, message);
      assertCanVote(access, message, poll !== null && isClosed(poll, tx.now));
      if (!poll) throw noPoll();
      if (votes.some((index) => !poll.options[index])) throw invalidInput('optionIndexes', 'The poll has no such option.');
      if (!poll.multiple && votes.length > 1) throw invalidInput('optionIndexes', 'This poll takes one vote a person.');
      return (await replaceVotes(tx, key, actor.userId, votes)) ? touchMessage(tx, key) : message;
    });
  }

  /** Takes no more votes. Closed already: changes nothing. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (deleted). */
  close(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'closePoll' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      const poll = await pollOf(tx, message);
      assertCanClosePoll(access, message, actor.userId);
      if (!poll) throw noPoll();
      if (isClosed(poll, tx.now)) return message;
      await tx.sql('update polls set closes_at = $3 where chat_id = $1 and seq = $2', [key.chatId, key.seq, tx.now]);
      return touchMessage(tx, key);
    });
  }

  /** Who voted for an option, in the order in which they did; null where votes are anonymous. */
  async voters(reading: Reading, option: OptionKey & { anonymous: boolean }, args: PageArgs): Promise<Page<VotingUser> | null> {
    const request = pageRequest(args, ['time', 'uuid']);
    return option.anonymous ? null : reading.load(optionVoters, { parent: option, request });
  }
}

const noPoll = (): DomainError => new DomainError('NOT_FOUND', 'This message holds no poll.', { field: 'messageId' });

async function pollOf(tx: Tx, message: MessageRow): Promise<PollRow | null> {
  if (message.card?.type !== 'poll') return null;
  const [poll] = await pollByKey.batch([message], { sql: tx.sql, viewerId: null, now: tx.now });
  return poll ?? null;
}

/** Whether anything has changed. */
async function replaceVotes(tx: Tx, { chatId, seq }: MessageKey, userId: string, votes: number[]): Promise<boolean> {
  const before = await tx.sql<{ idx: number }>('select idx from poll_votes where chat_id = $1 and seq = $2 and user_id = $3', [chatId, seq, userId]);
  const had = new Set(before.map((row) => row.idx));
  const added = votes.filter((index) => !had.has(index));
  const removed = [...had].filter((index) => !votes.includes(index));
  if (!added.length && !removed.length) return false;
  await tx.sql('delete from poll_votes where chat_id = $1 and seq = $2 and user_id = $3 and idx = any($4)', [chatId, seq, userId, removed]);
  await tx.sql('insert into poll_votes (chat_id, seq, user_id, idx, created_at) select $1, $2, $3, unnest($4::int[]), $5', [chatId, seq, userId, added, tx.now]);
  await tx.sql(
    `update poll_options set votes = votes + case when idx = any($3::int[]) then 1 when idx = any($4::int[]) then -1 else 0 end where chat_id = $1 and seq = $2`,
    [chatId, seq, added, removed],
  );
  const voters = Number(votes.length > 0) - Number(had.size > 0);
  if (voters) await tx.sql('update polls set voter_count = voter_count + $3 where chat_id = $1 and seq = $2', [chatId, seq, voters]);
  return true;
}
