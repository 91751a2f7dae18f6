import { pageRequest, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import { cleanEmoji } from '../lib/emoji.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { assertCanReact } from '../policies/message-policy.js';
import type { Actor, Reading } from './actor.js';
import { reactionUsers, type ReactingUser, type ReactionKey } from './loaders/message-parts.js';
import { MESSAGE_COLUMNS, type MessageKey, type MessageRow } from './loaders/messages.js';
import { lockMessage } from './message-changes.js';

export const MAX_DISTINCT_REACTIONS = 20;

/** Counts by emoji, in the order of first use, after one more (or less) of `emoji`; null for none at all. */
export function counted(counts: readonly [string, number][] | null, emoji: string, by: 1 | -1): [string, number][] | null {
  const known = counts?.some(([name]) => name === emoji) ?? false;
  const all = known ? counts! : [...(counts ?? []), [emoji, 0] as const];
  const changed = all.map(([name, count]): [string, number] => [name, name === emoji ? count + by : count]).filter(([, count]) => count > 0);
  return changed.length ? changed : null;
}

/** The groups of a message as the schema shows them. */
export interface ReactionGroup extends ReactionKey {
  count: number;
}
export const reactionGroups = ({ chatId, seq, reactions }: Pick<MessageRow, 'chatId' | 'seq' | 'reactions'>): ReactionGroup[] =>
  (reactions ?? []).map(([emoji, count]) => ({ chatId, seq, emoji, count }));

/** Who answers a message with an emoji. Rows say who; the message keeps the counts, written under the same lock. */
export class ReactionService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Adds the actor's reaction; there already: changes nothing.
   * Errors: NOT_FOUND, INVALID_INPUT (emoji), LIMIT_REACHED (of distinct emoji), BLOCKED, STATE_CONFLICT (deleted).
   */
  add(actor: Actor, key: MessageKey, emoji: string): Promise<MessageRow> {
    return this.#change(actor, key, emoji, 'addReaction', async (tx, clean, message) => {
      const made = await tx.sql('insert into message_reactions (chat_id, seq, user_id, emoji, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing returning seq', [
        key.chatId, key.seq, actor.userId, clean, tx.now,
      ]);
      if (!made.length) return undefined;
      const counts = counted(message.reactions, clean, 1);
      if (counts!.length > MAX_DISTINCT_REACTIONS) throw new DomainError('LIMIT_REACHED', `A message takes at most ${MAX_DISTINCT_REACTIONS} different emoji.`, { field: 'emoji' });
      return counts;
    });
  }

  /** Takes the actor's reaction away; not there: changes nothing. Errors: NOT_FOUND, INVALID_INPUT (emoji), BLOCKED, STATE_CONFLICT (deleted). */
  remove(actor: Actor, key: MessageKey, emoji: string): Promise<MessageRow> {
    return this.#change(actor, key, emoji, 'removeReaction', async (tx, clean, message) => {
      const gone = await tx.sql('delete from message_reactions where chat_id = $1 and seq = $2 and user_id = $3 and emoji = $4 returning seq', [key.chatId, key.seq, actor.userId, clean]);
      return gone.length ? counted(message.reactions, clean, -1) : undefined;
    });
  }

  /** `change` answers the new counts, or undefined when nothing has changed. */
  async #change(
    actor: Actor,
    key: MessageKey,
    given: string,
    operation: string,
    change: (tx: Tx, emoji: string, message: MessageRow) => Promise<[string, number][] | null | undefined>,
  ): Promise<MessageRow> {
    const emoji = cleanEmoji(given);
    if (emoji === null) throw invalidInput('emoji', 'A reaction is one emoji.');
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanReact(access, message);
      const counts = await change(tx, emoji, message);
      if (counts === undefined) return message;
      const [row] = await tx.sql<MessageRow>(`update messages m set reactions = $3, version = version + 1 where m.chat_id = $1 and m.seq = $2 returning ${MESSAGE_COLUMNS}`, [
        key.chatId, key.seq, counts && JSON.stringify(counts),
      ]);
      tx.append(chatStream(key.chatId), { kind: 'reactions.changed', seq: key.seq });
      return row!;
    });
  }

  /** Who reacted with this emoji, in the order in which they did. The caller has asked whether the message may be seen. */
  async users(reading: Reading, group: ReactionGroup, args: PageArgs): Promise<Page<ReactingUser>> {
    return (await reading.load(reactionUsers, { parent: group, request: pageRequest(args, ['time', 'uuid']) }))!;
  }
}
