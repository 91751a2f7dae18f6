import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  AddBotKnowledgeInput, AddBotKnowledgePayload, AddBotToChatInput, AddBotToChatPayload, BotKnowledgePages, BotKnowledgeType, BotMemoryPages, BotMemoryType, BotPages, BotReplyEventType, BotSettingsType,
  BotType, CreateBotInput, CreateBotPayload, EraseBotMemoryInput, EraseBotMemoryPayload, RemoveBotKnowledgeInput, RemoveBotKnowledgePayload, RotateBotTokenInput, RotateBotTokenPayload, UpdateBotInput,
  UpdateBotPayload,
} from '../schema/bot.js';
import { ForwardArgs } from '../schema/connection.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { BotService, BotWithToken } from '../services/bots/bots.js';
import type { BotKnowledgeService } from '../services/bots/knowledge.js';
import type { BotRow, KnowledgeRow, MemoryRow } from '../services/loaders/bots.js';
import { chatById } from '../services/loaders/chats.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => BotType)
export class BotResolver {
  constructor(private readonly bots: BotService) {}

  @Query(() => BotType, { nullable: true })
  bot(@Arg('id', () => ID, { description: 'Of a bot, or of its user.' }) id: string, @Ctx() context: Context): Promise<BotRow | null> {
    context.requireViewer();
    return this.bots.find(context, decodeId(id.startsWith('usr_') ? 'User' : 'Bot', id));
  }

  @FieldResolver()
  id(@Root() bot: BotRow): string {
    return encodeId('Bot', bot.id);
  }

  @FieldResolver(() => UserType)
  user(@Root() bot: BotRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, bot.id);
  }

  @FieldResolver(() => UserType, { nullable: true })
  owner(@Root() bot: BotRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return bot.ownerId === null ? null : context.load(userById, bot.ownerId);
  }

  @ViewerDependent()
  @FieldResolver(() => BotSettingsType, { nullable: true })
  settings(@Root() bot: BotRow, @Ctx() context: Context): BotRow | null {
    return context.requireViewer().userId === bot.ownerId ? bot : null;
  }
}

@Resolver(() => BotType)
export class BotVerbsResolver {
  constructor(
    private readonly bots: BotService,
    private readonly knowledgeOf: BotKnowledgeService,
  ) {}

  @ViewerDependent()
  @FieldResolver(() => BotKnowledgePages.Connection, { description: 'What it was given to read, the oldest first; for others than its owner, empty.' })
  knowledge(@Root() bot: BotRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<KnowledgeRow>> {
    return this.knowledgeOf.list(context.requireViewer(), bot.id, args);
  }

  @Mutation(() => CreateBotPayload, { description: 'At most 20 bots a person. A repeat answers the same bot and a token that is good.' })
  createBot(@Arg('input', () => CreateBotInput) input: CreateBotInput, @Ctx() context: Context): Promise<BotWithToken> {
    return this.bots.create(context.requireViewer(), input);
  }

  @Mutation(() => UpdateBotPayload)
  async updateBot(@Arg('input', () => UpdateBotInput) { botId, ...change }: UpdateBotInput, @Ctx() context: Context): Promise<object> {
    return { bot: await this.bots.update(context.requireViewer(), decodeId('Bot', botId, 'botId'), change) };
  }

  @Mutation(() => RotateBotTokenPayload, { description: 'The token before it is good for nothing from now on; what was open by it ends.' })
  rotateBotToken(@Arg('input', () => RotateBotTokenInput) { botId }: RotateBotTokenInput, @Ctx() context: Context): Promise<BotWithToken> {
    return this.bots.rotateToken(context.requireViewer(), decodeId('Bot', botId, 'botId'));
  }

  @Mutation(() => AddBotKnowledgePayload, { description: 'Pages are fetched, and files read, before it answers.' })
  async addBotKnowledge(@Arg('input', () => AddBotKnowledgeInput) input: AddBotKnowledgeInput, @Ctx() context: Context): Promise<object> {
    const { botId, title = null, text = null, faq = null, fileId = null, urls = null, idempotencyKey } = input;
    const viewer = context.requireViewer();
    const file = fileId === null ? null : decodeId('File', fileId, 'fileId');
    return { knowledge: await this.knowledgeOf.add(viewer, { botId: decodeId('Bot', botId, 'botId'), title, text, pairs: faq, fileId: file, urls, idempotencyKey }) };
  }

  @Mutation(() => RemoveBotKnowledgePayload)
  async removeBotKnowledge(@Arg('input', () => RemoveBotKnowledgeInput) { knowledgeId }: RemoveBotKnowledgeInput, @Ctx() context: Context): Promise<object> {
    await this.knowledgeOf.remove(context.requireViewer(), decodeId('BotKnowledge', knowledgeId, 'knowledgeId'));
    return { knowledgeId };
  }

  @Mutation(() => AddBotToChatPayload, { description: 'One’s own bot, or the built-in one. It speaks when mentioned, replied to, or called by /handle.' })
  async addBotToChat(@Arg('input', () => AddBotToChatInput) { botId, chatId, seesHistory }: AddBotToChatInput, @Ctx() context: Context): Promise<object> {
    const chat = decodeId('Chat', chatId, 'chatId');
    await this.bots.addToChat(context.requireViewer(), decodeId('Bot', botId, 'botId'), chat, seesHistory);
    context.forget();
    return { chat: await context.load(chatById, chat) };
  }

  @Mutation(() => EraseBotMemoryPayload, { description: 'Has a bot forget what it was asked to remember of oneself.' })
  async eraseBotMemory(@Arg('input', () => EraseBotMemoryInput) { botId, memoryId }: EraseBotMemoryInput, @Ctx() context: Context): Promise<object> {
    const memory = memoryId == null ? null : decodeId('BotMemory', memoryId, 'memoryId');
    return { erased: await this.bots.eraseMemory(context.requireViewer(), decodeId('Bot', botId, 'botId'), memory) };
  }
}

@Resolver(() => ViewerType)
export class ViewerBotsResolver {
  constructor(private readonly service: BotService) {}

  @FieldResolver(() => BotPages.Connection, { description: 'One’s own, the newest first.' })
  bots(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<BotRow>> {
    return this.service.listOwn(context.requireViewer(), args);
  }

  @FieldResolver(() => BotType, { nullable: true, description: 'The one that comes with the product; its chat is among the viewer’s. Null where the settings say so.' })
  assistant(): Promise<BotRow | null> {
    return this.service.builtIn();
  }

  @FieldResolver(() => BotMemoryPages.Connection, { description: 'What one has had bots remember, the newest first.' })
  botMemories(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<MemoryRow>> {
    return this.service.memories(context.requireViewer(), args);
  }
}

@Resolver(() => BotKnowledgeType)
export class BotKnowledgeResolver {
  @FieldResolver()
  id(@Root() row: KnowledgeRow): string {
    return encodeId('BotKnowledge', row.id);
  }
}

@Resolver(() => BotMemoryType)
export class BotMemoryResolver {
  @FieldResolver()
  id(@Root() row: MemoryRow): string {
    return encodeId('BotMemory', row.id);
  }
  @FieldResolver()
  botId(@Root() row: MemoryRow): string {
    return encodeId('Bot', row.botId);
  }
  @FieldResolver()
  chatId(@Root() row: MemoryRow): string {
    return encodeId('Chat', row.chatId);
  }
}

@Resolver(() => BotReplyEventType)
export class BotReplyEventResolver {
  @FieldResolver(() => UserType)
  user(@Root() { userKey }: { userKey: string }, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, userKey);
  }
}

export const BOT_RESOLVERS = [BotResolver, BotVerbsResolver, ViewerBotsResolver, BotKnowledgeResolver, BotMemoryResolver, BotReplyEventResolver];
