import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { BOT_TOOLS, type BotTool as Tool } from '../entities/bot.js';
import { ChatType } from './chat.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const BotEngine = enumOf('BotEngine', ['BUILT_IN', 'EXTERNAL'], 'BUILT_IN: this server answers for it. EXTERNAL: a program of its owner does, by its token.');
export const BotTool = enumOf('BotTool', BOT_TOOLS, 'What a bot can do beside answering, always with the rights of whoever asks it. ORDERS are told in direct chats alone.');
export const BotKnowledgeKind = enumOf('BotKnowledgeKind', ['TEXT', 'FAQ', 'FILE', 'PAGE']);
export const BotReplyState = enumOf('BotReplyState', ['WRITING', 'DONE', 'FAILED', 'LIMITED'], 'LIMITED: whoever asked has asked it as often as they may in an hour.');

@ObjectType('BotKnowledge', { description: 'Something that a bot was given to read.' })
export class BotKnowledgeType {
  @Field(() => ID) id: string;
  @Field(() => BotKnowledgeKind) kind: string;
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true }) url: string | null;
  @Field(() => Int, { description: 'Into how many passages it was cut.' }) passages: number;
  @Field(() => DateTime) createdAt: Date;
}
export const BotKnowledgePages = connectionOf('BotKnowledge', () => BotKnowledgeType);

@ObjectType('BotSettings', { description: 'What of a bot is for whoever made it; null for everybody else.' })
export class BotSettingsType {
  @Field(() => String) instructions: string;
  @Field(() => String, { nullable: true, description: 'Of the provider that is set up; null: the one that the settings name.' }) model: string | null;
  @Field(() => Float, { nullable: true }) temperature: number | null;
  @Field(() => Int) repliesAnHour: number;
  @Field(() => Float, { nullable: true, description: 'US dollars; null: as much as the operator lets it.' }) costADay: number | null;
}

@ObjectType('BotSpendingDay', { description: 'What a bot has asked of a language model on a day (UTC).' })
export class BotSpendingDayType {
  @Field(() => DateTime) day: Date;
  @Field(() => Int) requests: number;
  @Field(() => Float) inputTokens: number;
  @Field(() => Float) outputTokens: number;
  @Field(() => Float, { description: 'US dollars, by the prices of the settings.' }) cost: number;
}

@ObjectType('Bot', { description: 'A user of kind BOT, with what it can.' })
export class BotType {
  @Field(() => ID) id: string;
  @Field(() => UserType) user: object;
  @Field(() => UserType, { nullable: true, description: 'Who made it; null: it comes with the product.' }) owner: object | null;
  @Field(() => BotEngine) engine: string;
  @Field(() => [BotTool]) tools: string[];
  @Field(() => [String], { description: 'ISO 639-1; none: any.' }) languages: string[];
  @Field(() => DateTime) createdAt: Date;
}
export const BotPages = connectionOf('Bot', () => BotType);

@ObjectType('BotMemory', { description: 'What somebody has had a bot remember in a chat: it is used there, and nowhere else.' })
export class BotMemoryType {
  @Field(() => ID) id: string;
  @Field(() => ID) botId: string;
  @Field(() => ID) chatId: string;
  @Field(() => String) text: string;
  @Field(() => DateTime) createdAt: Date;
}
export const BotMemoryPages = connectionOf('BotMemory', () => BotMemoryType);

@ObjectType('BotReplyEvent', { description: 'What a bot is writing in answer to a message: all of it so far. Ephemeral: of several changes only the last may be told.' })
export class BotReplyEventType {
  @Field(() => ID, { description: 'The message that is answered.' }) messageId: string;
  @Field(() => ID) userId: string;
  @Field(() => UserType) user: object;
  @Field(() => BotReplyState) state: string;
  @Field(() => String) text: string;
  @Field(() => ID, { nullable: true, description: 'The message that it has become, when DONE.' }) answerId: string | null;
}

@InputType('CreateBotInput')
export class CreateBotInput {
  @Field(() => String, { description: 'As a person’s: unique.' }) handle: string;
  @Field(() => String) displayName: string;
  @Field(() => BotEngine, { defaultValue: 'BUILT_IN' }) engine: 'BUILT_IN' | 'EXTERNAL';
  @Field(() => String, { nullable: true, description: 'What it tells of itself; up to 2 KiB.' }) about?: string | null;
  @Field(() => String, { nullable: true, description: 'How it is to answer: for a model. Up to 8 KiB.' }) instructions?: string | null;
  @Field(() => String, { nullable: true }) model?: string | null;
  @Field(() => Float, { nullable: true, description: '0 to 2.' }) temperature?: number | null;
  @Field(() => [BotTool], { nullable: true }) tools?: Tool[] | null;
  @Field(() => [String], { nullable: true, description: 'ISO 639-1, at most 20.' }) languages?: string[] | null;
  @Field(() => Int, { nullable: true, description: 'To one person: 1 to 1000, default 60.' }) repliesAnHour?: number | null;
  @Field(() => Float, { nullable: true, description: 'US dollars, of which the operator sets the most; past it the engine in the process answers. 0: no model is ever asked.' }) costADay?: number | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateBotPayload')
export class CreateBotPayload {
  @Field(() => BotType) bot: object;
  @Field(() => String, { description: 'By which a program acts as the bot: an access token that lasts until it is rotated. It is shown here and nowhere else.' }) token: string;
}

@InputType('UpdateBotInput', { description: 'What is left out stays as it is.' })
export class UpdateBotInput {
  @Field(() => ID) botId: string;
  @Field(() => String, { nullable: true }) displayName?: string | null;
  @Field(() => String, { nullable: true }) about?: string | null;
  @Field(() => String, { nullable: true }) instructions?: string | null;
  @Field(() => String, { nullable: true }) model?: string | null;
  @Field(() => Float, { nullable: true }) temperature?: number | null;
  @Field(() => [BotTool], { nullable: true }) tools?: Tool[] | null;
  @Field(() => [String], { nullable: true }) languages?: string[] | null;
  @Field(() => Int, { nullable: true }) repliesAnHour?: number | null;
  @Field(() => Float, { nullable: true, description: 'Null: as much as the operator lets it.' }) costADay?: number | null;
}
@ObjectType('UpdateBotPayload')
export class UpdateBotPayload {
  @Field(() => BotType) bot: object;
}

@InputType('RotateBotTokenInput')
export class RotateBotTokenInput {
  @Field(() => ID) botId: string;
}
@ObjectType('RotateBotTokenPayload')
export class RotateBotTokenPayload {
  @Field(() => BotType) bot: object;
  @Field(() => String) token: string;
}

@InputType('FaqPairInput')
export class FaqPairInput {
  @Field(() => String, { description: 'Up to 1 KiB.' }) question: string;
  @Field(() => String, { description: 'Up to 8 KiB.' }) answer: string;
}
@InputType('AddBotKnowledgeInput', { description: 'One of text, faq, fileId and urls.' })
export class AddBotKnowledgeInput {
  @Field(() => ID) botId: string;
  @Field(() => String, { nullable: true, description: 'What it is called where it is quoted.' }) title?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 256 KiB. What is written as an FAQ is taken as one.' }) text?: string | null;
  @Field(() => [FaqPairInput], { nullable: true, description: 'At most 500.' }) faq?: FaqPairInput[] | null;
  @Field(() => ID, { nullable: true, description: 'A text of one’s own, at most 1 MiB, READY.' }) fileId?: string | null;
  @Field(() => [String], { nullable: true, description: 'Pages of a site, at most 10: what is read is their article.' }) urls?: string[] | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('AddBotKnowledgePayload')
export class AddBotKnowledgePayload {
  @Field(() => [BotKnowledgeType]) knowledge: object[];
}
@InputType('RemoveBotKnowledgeInput')
export class RemoveBotKnowledgeInput {
  @Field(() => ID) knowledgeId: string;
}
@ObjectType('RemoveBotKnowledgePayload')
export class RemoveBotKnowledgePayload {
  @Field(() => ID) knowledgeId: string;
}

@InputType('AddBotToChatInput')
export class AddBotToChatInput {
  @Field(() => ID) botId: string;
  @Field(() => ID, { description: 'A group chat that one runs.' }) chatId: string;
  @Field(() => Boolean, { defaultValue: false, description: 'It sees what was said before it came, as far as whoever adds it does.' }) seesHistory: boolean;
}
@ObjectType('AddBotToChatPayload')
export class AddBotToChatPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('EraseBotMemoryInput')
export class EraseBotMemoryInput {
  @Field(() => ID) botId: string;
  @Field(() => ID, { nullable: true, description: 'None: everything that the bot remembers of one.' }) memoryId?: string | null;
}
@ObjectType('EraseBotMemoryPayload')
export class EraseBotMemoryPayload {
  @Field(() => Int) erased: number;
}

