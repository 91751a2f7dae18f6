import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { SupportState } from '../policies/support-policy.js';
import { BotType } from '../schema/bot.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  BotHandOverType, CancelSupportCaseInput, CancelSupportCasePayload, RequestPersonInput, RequestPersonPayload, ResolveSupportCaseInput, ResolveSupportCasePayload, SetBotHandOverInput, SetBotHandOverPayload,
  SupportCasePages, SupportCaseState, SupportCaseType, SupportLineType, TakeSupportCaseInput, TakeSupportCasePayload,
} from '../schema/support.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { HandOver } from '../services/bots/hand-over.js';
import type { SupportCases } from '../services/bots/support-cases.js';
import { botById, type BotRow } from '../services/loaders/bots.js';
import { handOverOf, TRANSCRIPT, transcriptOf, type HandOverRow, type SupportRow, type TranscriptLine } from '../services/loaders/support.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import { AtMost } from './at-most.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => BotType)
export class BotHandOverResolver {
  @FieldResolver(() => Boolean, { description: 'Somebody can ask it for a person.' })
  async handsOver(@Root() bot: BotRow, @Ctx() context: Context): Promise<boolean> {
    return (await context.load(handOverOf, bot.id)) !== null;
  }

  @ViewerDependent()
  @FieldResolver(() => BotHandOverType, { nullable: true, description: 'For its owner.' })
  async handOver(@Root() bot: BotRow, @Ctx() context: Context): Promise<HandOverRow | null> {
    if (context.requireViewer().userId !== bot.ownerId) return null;
    const row = await context.load(handOverOf, bot.id);
    return row && { ...row, chatId: encodeId('Chat', row.chatId) };
  }
}

@Resolver()
export class SupportVerbsResolver {
  constructor(
    private readonly handOver: HandOver,
    private readonly cases: SupportCases,
  ) {}

  @Mutation(() => SetBotHandOverPayload, { description: 'For the bot’s owner. A bot that hands over answers everybody in direct chats.' })
  async setBotHandOver(@Arg('input', () => SetBotHandOverInput) { botId, chatId, afterUnknown }: SetBotHandOverInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const bot = await this.handOver.set(viewer, decodeId('Bot', botId, 'botId'), chatId == null ? null : decodeId('Chat', chatId, 'chatId'), afterUnknown ?? null);
    context.forget();
    return { bot };
  }

  @Mutation(() => RequestPersonPayload, { description: 'Asks for a person instead of a bot; in a direct chat with it, words do the same. While one’s case with the bot goes on, that one is answered.' })
  async requestPerson(@Arg('input', () => RequestPersonInput) { botId, withTranscript, idempotencyKey }: RequestPersonInput, @Ctx() context: Context): Promise<object> {
    return { supportCase: await this.handOver.request(context.requireViewer(), decodeId('Bot', botId, 'botId'), withTranscript, idempotencyKey) };
  }

  @Mutation(() => TakeSupportCasePayload, { description: 'One wins. It makes a chat of the bot, the asker and oneself, in which the bot is silent until the case is closed.' })
  async takeSupportCase(@Arg('input', () => TakeSupportCaseInput) { supportCaseId }: TakeSupportCaseInput, @Ctx() context: Context): Promise<object> {
    return { supportCase: await this.cases.take(context.requireViewer(), decodeId('SupportCase', supportCaseId, 'supportCaseId')) };
  }

  @Mutation(() => ResolveSupportCasePayload, { description: 'By whoever has taken it, or the bot’s owner.' })
  async resolveSupportCase(@Arg('input', () => ResolveSupportCaseInput) { supportCaseId }: ResolveSupportCaseInput, @Ctx() context: Context): Promise<object> {
    return { supportCase: await this.cases.resolve(context.requireViewer(), decodeId('SupportCase', supportCaseId, 'supportCaseId')) };
  }

  @Mutation(() => CancelSupportCasePayload, { description: 'By whoever has asked for a person.' })
  async cancelSupportCase(@Arg('input', () => CancelSupportCaseInput) { supportCaseId }: CancelSupportCaseInput, @Ctx() context: Context): Promise<object> {
    return { supportCase: await this.cases.cancel(context.requireViewer(), decodeId('SupportCase', supportCaseId, 'supportCaseId')) };
  }
}

@Resolver(() => ViewerType)
export class ViewerSupportResolver {
  constructor(private readonly cases: SupportCases) {}

  @FieldResolver(() => SupportCasePages.Connection, { description: 'What bots have handed over to those among whom one is, the oldest first.' })
  supportQueue(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('botId', () => ID, { nullable: true }) botId: string | null | undefined,
    @Arg('states', () => [SupportCaseState], { defaultValue: ['OPEN'] }) states: SupportState[],
    @Ctx() context: Context,
  ): Promise<Page<SupportRow>> {
    return this.cases.queue(context.requireViewer(), botId == null ? null : decodeId('Bot', botId, 'botId'), states, args);
  }

  @FieldResolver(() => SupportCasePages.Connection, { description: 'In which one has asked for a person oneself, the newest first.' })
  supportCases(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<SupportRow>> {
    return this.cases.own(context.requireViewer(), args);
  }
}

@Resolver(() => SupportCaseType)
export class SupportCaseResolver {
  @FieldResolver()
  id(@Root() row: SupportRow): string {
    return encodeId('SupportCase', row.id);
  }

  @FieldResolver(() => BotType)
  bot(@Root() row: SupportRow, @Ctx() context: Context): Promise<BotRow | null> {
    return context.load(botById, row.botId);
  }

  @FieldResolver(() => UserType, { nullable: true })
  asker(@Root() row: SupportRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, row.askerId);
  }

  @FieldResolver(() => UserType, { nullable: true })
  agent(@Root() row: SupportRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return row.agentId === null ? null : context.load(userById, row.agentId);
  }

  @FieldResolver(() => ID, { nullable: true })
  chatId(@Root() row: SupportRow): string | null {
    return row.caseChatId && encodeId('Chat', row.caseChatId);
  }

  @AtMost(TRANSCRIPT)
  @ViewerDependent()
  @FieldResolver(() => [SupportLineType], { description: 'What was said between the asker and the bot until the case was opened, at most 50 messages, as far as it is still there. For the asker, and for whoever has taken the case, while it goes on.' })
  async transcript(@Root() row: SupportRow, @Ctx() context: Context): Promise<TranscriptLine[]> {
    return (await context.load(transcriptOf, row.id))!;
  }
}

export const SUPPORT_RESOLVERS = [BotHandOverResolver, SupportVerbsResolver, ViewerSupportResolver, SupportCaseResolver];
