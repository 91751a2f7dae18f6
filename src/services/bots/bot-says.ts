import { hashInput, type Tx } from '../../db/unit-of-work.js';
import { HAND_OVER_PHRASES, type HandOverPhrases } from '../../language/hand-over.js';
import { spokenLanguage } from '../../language/in-process.js';
import type { BotRow } from '../loaders/bots.js';
import { writeMessage } from '../message-writer.js';

/** What a bot says of handing over, in the language of what was said to it where it speaks that. */
export const phrasesFor = (text: string, { languages }: Pick<BotRow, 'languages'>): HandOverPhrases => HAND_OVER_PHRASES[spokenLanguage(text, languages)]!;

/** Has a bot say something in a chat that this transaction holds. It calls nobody. */
export async function botSays(tx: Tx, chatId: string, botId: string, text: string): Promise<void> {
  await writeMessage(tx, {
    chatId, senderId: botId, idempotencyKey: null, inputHash: hashInput({ chatId, text }), kind: 'TEXT', text, mentions: null, replyToSeq: null, threadRootSeq: null, forward: null, card: null,
  });
}
