import type { Tx } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';

/** Something that its owner decides of a bot has changed: their other devices hear of it. */
export const tellOwner = (tx: Tx, ownerId: string, botId: string): void => tx.append(userStream(ownerId), { kind: 'bot.changed', botId });
