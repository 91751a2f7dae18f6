import { isDeepStrictEqual } from 'node:util';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { BotCommand } from '../../entities/bot.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { cleanText } from '../../lib/validate.js';
import type { Actor, Reading } from '../actor.js';
import { BOT_COLUMNS, commandsOfChat, type BotRow, type ChatCommandRow } from '../loaders/bots.js';
import { tellOwner } from './owner-news.js';

const MAX_COMMANDS = 50;
const MAX_DESCRIPTION_BYTES = 256;

/** What bots can be told to do, as they say themselves. */
export class BotCommandService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Replaces all of them; by the bot's owner, or by the bot itself. The same again changes nothing. Errors: NOT_FOUND, INVALID_INPUT. */
  async set(actor: Actor, botId: string, given: readonly BotCommand[]): Promise<void> {
    const commands = cleanCommands(given);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'setBotCommands' }, async (tx) => {
      const [bot] = await tx.sql<BotRow>(`select ${BOT_COLUMNS} from bots b where b.id = $1 and b.deleted_at is null for update`, [botId]);
      if (!bot?.ownerId || ![bot.ownerId, bot.id].includes(actor.userId)) throw new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });
      if (isDeepStrictEqual(bot.commands, commands)) return null;
      await tx.sql('update bots set commands = $2 where id = $1', [botId, JSON.stringify(commands)]);
      tellOwner(tx, bot.ownerId, botId);
      return null;
    });
  }

  /** Of all bots of a chat, by their names. Whoever may not see the chat does not come here. */
  async ofChat(reading: Reading, chatId: string): Promise<ChatCommandRow[]> {
    return (await reading.load(commandsOfChat, chatId)) ?? [];
  }
}

function cleanCommands(given: readonly BotCommand[]): BotCommand[] {
  if (given.length > MAX_COMMANDS) throw invalidInput('commands', `A bot has at most ${MAX_COMMANDS} commands.`);
  const commands = given.map(({ name, description }) => {
    if (!/^[a-z0-9_]{1,32}$/.test(name)) throw invalidInput('commands', 'The name of a command is 1 to 32 of a to z, 0 to 9 and _.');
    return { name, description: cleanText(description, { field: 'commands', maxBytes: MAX_DESCRIPTION_BYTES }) };
  });
  if (new Set(commands.map(({ name }) => name)).size < commands.length) throw invalidInput('commands', 'Two commands have the same name.');
  return commands;
}
