import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const SummaryMethod = enumOf('ChatSummaryMethod', ['EXTRACTIVE', 'MODEL'], 'EXTRACTIVE: messages that stand for all. MODEL: beside them, a language model says it in its own words.');

@ObjectType('ChatSummaryPoint', { description: 'A message that stands for what was said.' })
export class ChatSummaryPointType {
  @Field(() => ID) messageId: string;
  @Field(() => UserType, { nullable: true }) sender: object | null;
  @Field(() => String, { description: 'Its words, or the first 280 characters of them.' }) text: string;
}
@ObjectType('ChatSummary')
export class ChatSummaryType {
  @Field(() => SummaryMethod) method: string;
  @Field(() => Int, { description: 'How many were read.' }) messageCount: number;
  @Field(() => Int) participantCount: number;
  @Field(() => String, { nullable: true, description: 'By a model.' }) text: string | null;
  @Field(() => [ChatSummaryPointType], { description: 'At most 7, in their order.' }) points: object[];
  @Field(() => String, { nullable: true, description: 'ISO 639-1.' }) language: string | null;
  @Field(() => Float, { nullable: true, description: 'How it feels, -1 to 1; null where too little is in a language that there are words for (English, German, French, Spanish), or the chat wants none.' }) sentiment: number | null;
}

@InputType('SuggestRepliesInput')
export class SuggestRepliesInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID, { nullable: true, description: 'What is to be answered; none: the last that others have sent.' }) messageId?: string | null;
}
@ObjectType('SuggestRepliesPayload')
export class SuggestRepliesPayload {
  @Field(() => [String], { description: 'Three.' }) suggestions: string[];
}
@InputType('SummarizeChatInput')
export class SummarizeChatInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID, { nullable: true, description: 'From this message on.' }) sinceId?: string | null;
  @Field(() => Int, { defaultValue: 500, description: 'The last so many, 1 to 500.' }) last: number;
}
@ObjectType('SummarizeChatPayload')
export class SummarizeChatPayload {
  @Field(() => ChatSummaryType) summary: object;
}
@InputType('TranslateMessageInput')
export class TranslateMessageInput {
  @Field(() => ID) messageId: string;
  @Field(() => String, { description: 'ISO 639-1.' }) language: string;
}
@ObjectType('TranslateMessagePayload')
export class TranslateMessagePayload {
  @Field(() => String) text: string;
  @Field(() => String, { nullable: true, description: 'The language that it seems to be in.' }) from: string | null;
}

export const SentimentUnit = enumOf('SentimentUnit', ['HOUR', 'DAY', 'WEEK'], 'Of UTC; weeks begin on Mondays.');

@ObjectType('MessageSentiment')
export class MessageSentimentType {
  @Field(() => String, { nullable: true, description: 'ISO 639-1, as it seems to be; null where there is too little to tell.' }) language: string | null;
  @Field(() => Float, { nullable: true, description: '-1 to 1; null where there are no words for its language.' }) score: number | null;
}
@ObjectType('ChatSentimentPeriod')
export class ChatSentimentPeriodType {
  @Field(() => DateTime) from: Date;
  @Field(() => Int, { description: 'Messages that have a score.' }) felt: number;
  @Field(() => Float) score: number;
}
@ObjectType('ChatSentimentLanguage')
export class ChatSentimentLanguageType {
  @Field(() => String) language: string;
  @Field(() => Int) felt: number;
  @Field(() => Float) score: number;
}
@ObjectType('ChatSentiment', { description: 'How a chat feels, by the words of what the viewer may see of it. Nothing is kept.' })
export class ChatSentimentType {
  @Field(() => Int, { description: 'How many were read.' }) messageCount: number;
  @Field(() => Int, { description: 'How many of them are in a language that there are words for: English, German, French, Spanish.' }) felt: number;
  @Field(() => Float, { nullable: true, description: 'The mean, -1 to 1.' }) score: number | null;
  @Field(() => [ChatSentimentPeriodType], { description: 'In order; without those in which nothing was said.' }) periods: object[];
  @Field(() => [ChatSentimentLanguageType]) languages: object[];
}
