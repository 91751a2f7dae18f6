import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { DomainError } from '../lib/errors.js';
import { decodeId, decodeMessageId, encodeMessageId } from '../lib/ids.js';
import {
  ChatSentimentType, ChatSummaryPointType, MessageSentimentType, SentimentUnit, SuggestRepliesInput, SuggestRepliesPayload, SummarizeChatInput, SummarizeChatPayload, TranslateMessageInput, TranslateMessagePayload,
} from '../schema/reading-help.js';
import { UserType } from '../schema/user.js';
import type { Mood, MoodOverTime, Moods, MoodUnit } from '../services/bots/moods.js';
import type { ChatSummary, ReadingHelp } from '../services/bots/reading-help.js';
import type { MessageKey } from '../services/loaders/messages.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

/** The number of a message, which must be of the chat. */
function seqIn(chatId: string, id: string | null | undefined, field: string): number | null {
  if (id == null) return null;
  const key = decodeMessageId(id, field);
  if (key.chatId !== chatId) throw new DomainError('NOT_FOUND', 'There is no such message in this chat.', { field });
  return key.seq;
}

@Resolver(() => ChatSummaryPointType)
export class ReadingHelpResolver {
  constructor(private readonly help: ReadingHelp) {}

  @Mutation(() => SuggestRepliesPayload, { description: 'Three short answers, in the language and tone of the chat. Nothing is sent or kept.' })
  async suggestReplies(@Arg('input', () => SuggestRepliesInput) input: SuggestRepliesInput, @Ctx() context: Context): Promise<object> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    return { suggestions: await this.help.suggest(context.requireViewer(), chatId, seqIn(chatId, input.messageId, 'messageId'), context.now) };
  }

  @Mutation(() => SummarizeChatPayload, { description: 'What did I miss: of what one may see. Nothing is kept.' })
  async summarizeChat(@Arg('input', () => SummarizeChatInput) input: SummarizeChatInput, @Ctx() context: Context): Promise<{ summary: ChatSummary }> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    return { summary: await this.help.summarize(context.requireViewer(), chatId, seqIn(chatId, input.sinceId, 'sinceId'), input.last, context.now) };
  }

  @Mutation(() => TranslateMessagePayload, { description: 'UNAVAILABLE where no model is set up.' })
  translateMessage(@Arg('input', () => TranslateMessageInput) { messageId, language }: TranslateMessageInput, @Ctx() context: Context): Promise<object> {
    return this.help.translate(context.requireViewer(), decodeMessageId(messageId), language, context.now);
  }

  @FieldResolver()
  messageId(@Root() { chatId, seq }: MessageKey): string {
    return encodeMessageId(chatId, seq);
  }

  @FieldResolver(() => UserType, { nullable: true })
  sender(@Root() { senderId }: { senderId: string }, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, senderId);
  }
}

@Resolver()
export class SentimentResolver {
  constructor(private readonly moods: Moods) {}

  @Query(() => MessageSentimentType, { description: 'How a message feels that one may see, by its words. FORBIDDEN where the chat wants none of it (`updateChat`).' })
  messageSentiment(@Arg('messageId', () => ID) messageId: string, @Ctx() context: Context): Promise<Mood> {
    return this.moods.ofMessage(context.requireViewer(), decodeMessageId(messageId, 'messageId'), context.now);
  }

  @Query(() => ChatSentimentType, { description: 'How a chat feels over time: its last 1 to 500 messages. FORBIDDEN where it wants none of it.' })
  chatSentiment(
    @Arg('chatId', () => ID) chatId: string,
    @Arg('last', () => Int, { defaultValue: 500 }) last: number,
    @Arg('unit', () => SentimentUnit, { defaultValue: 'DAY' }) unit: MoodUnit,
    @Ctx() context: Context,
  ): Promise<MoodOverTime> {
    return this.moods.ofChat(context.requireViewer(), decodeId('Chat', chatId, 'chatId'), { last, unit }, context.now);
  }
}
