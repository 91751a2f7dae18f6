import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { BotCommand } from '../entities/bot.js';
import { decodeId } from '../lib/ids.js';
import { BotCommandType, ChatBotCommandType, DeleteBotInput, DeleteBotPayload, SetBotCommandsInput, SetBotCommandsPayload } from '../schema/bot-owner.js';
import { BotSpendingDayType, BotType } from '../schema/bot.js';
import { ChatType } from '../schema/chat.js';
import { DateTime } from '../schema/scalars.js';
import { UserType } from '../schema/user.js';
import type { BotPurse, SpendingDay } from '../services/bots/bot-purse.js';
import type { BotCommandService } from '../services/bots/commands.js';
import type { BotRetirement } from '../services/bots/retirement.js';
import { botById, type BotRow, type ChatCommandRow } from '../services/loaders/bots.js';
import type { ChatRow } from '../services/loaders/chats.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import { AtMost } from './at-most.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => BotType)
export class BotOwnerResolver {
  constructor(
    private readonly commandsOf: BotCommandService,
    private readonly retirement: BotRetirement,
    private readonly purse: BotPurse,
  ) {}

  @Mutation(() => SetBotCommandsPayload, { description: 'By the bot’s owner, or by the bot itself.' })
  async setBotCommands(@Arg('input', () => SetBotCommandsInput) { botId, commands }: SetBotCommandsInput, @Ctx() context: Context): Promise<object> {
    const bot = decodeId('Bot', botId, 'botId');
    await this.commandsOf.set(context.requireViewer(), bot, commands);
    context.forget();
    return { bot: await context.load(botById, bot) };
  }

  @Mutation(() => DeleteBotPayload, { description: 'Its token is void at once, it leaves its groups, and what it knew is gone; what it has said stays. It can’t be taken back.' })
  async deleteBot(@Arg('input', () => DeleteBotInput) { botId }: DeleteBotInput, @Ctx() context: Context): Promise<object> {
    await this.retirement.delete(context.requireViewer(), decodeId('Bot', botId, 'botId'));
    return { botId };
  }

  @AtMost(366)
  @ViewerDependent()
  @FieldResolver(() => [BotSpendingDayType], { nullable: true, description: 'For its owner; null for everybody else. At most 366 days; those without any are left out.' })
  async spending(@Root() bot: BotRow, @Arg('since', () => DateTime) since: Date, @Arg('until', () => DateTime) until: Date, @Ctx() context: Context): Promise<SpendingDay[] | null> {
    return context.viewer !== null && bot.ownerId === context.viewer.userId ? this.purse.days(bot.id, since, until) : null;
  }

  @AtMost(50)
  @FieldResolver(() => [BotCommandType], { description: 'What it can be told to do.' })
  commands(@Root() bot: BotRow): BotCommand[] {
    return bot.commands;
  }
}

@Resolver(() => ChatType)
export class ChatBotCommandsResolver {
  constructor(private readonly commands: BotCommandService) {}

  @AtMost(200)
  @FieldResolver(() => [ChatBotCommandType], { description: 'Of its bots, by the names of the commands: at most 200.' })
  botCommands(@Root() chat: ChatRow, @Ctx() context: Context): Promise<ChatCommandRow[]> {
    return this.commands.ofChat(context, chat.id);
  }
}

@Resolver(() => ChatBotCommandType)
export class ChatBotCommandResolver {
  @FieldResolver(() => UserType)
  bot(@Root() { botId }: ChatCommandRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, botId);
  }
}

export const BOT_OWNER_RESOLVERS = [BotOwnerResolver, ChatBotCommandsResolver, ChatBotCommandResolver];
