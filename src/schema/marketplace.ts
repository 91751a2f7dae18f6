import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { BOT_CATEGORIES, VERSION_STATES, type BotCategory as Category } from '../entities/bot-version.js';
import { BotTool, BotType } from './bot.js';
import { ChatType } from './chat.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const BotCategory = enumOf('BotCategory', BOT_CATEGORIES);
export const BotVersionState = enumOf('BotVersionState', VERSION_STATES, 'WITHDRAWN: another was handed in instead, or the bot was unlisted.');
export const BotListingSort = enumOf('BotListingSort', ['POPULAR', 'NEWEST', 'RATING'], 'POPULAR: by installs of the last 30 days. RATING: by stars, few of them being drawn towards 3.');
export const BotReview = enumOf('BotReview', ['APPROVE', 'REJECT']);
export const BotSuggestionReason = enumOf('BotSuggestionReason', ['SIMILAR_PEOPLE', 'POPULAR']);

@ObjectType('BotVersion', { description: 'A bot as it was when it was handed in to be published: for its owner, and for moderators of the place.' })
export class BotVersionType {
  @Field(() => ID) id: string;
  @Field(() => BotType) bot: object;
  @Field(() => Int, { description: '1, 2, 3 …' }) number: number;
  @Field(() => BotVersionState) state: string;
  @Field(() => BotCategory) category: string;
  @Field(() => String) description: string;
  @Field(() => [String]) languages: string[];
  @Field(() => String) instructions: string;
  @Field(() => String, { nullable: true }) model: string | null;
  @Field(() => Float, { nullable: true }) temperature: number | null;
  @Field(() => [BotTool]) tools: string[];
  @Field(() => Int, { description: 'How much it had been given to read.' }) passages: number;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) decidedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Why it was decided so.' }) reason: string | null;
}
export const BotVersionPages = connectionOf('BotVersion', () => BotVersionType);

@ObjectType('BotRating', { description: 'What somebody who has installed a bot thinks of it.' })
export class BotRatingType {
  @Field(() => UserType, { nullable: true }) user: object | null;
  @Field(() => Int, { description: '1 to 5.' }) stars: number;
  @Field(() => String, { nullable: true }) text: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime) updatedAt: Date;
}
export const BotRatingPages = connectionOf('BotRating', () => BotRatingType);

@ObjectType('BotListingViewerState')
export class BotListingViewerStateType {
  @Field(() => Boolean) installed: boolean;
  @Field(() => BotRatingType, { nullable: true, description: 'The viewer’s own.' }) rating: object | null;
}

@ObjectType('BotListing', { description: 'A published bot.' })
export class BotListingType {
  @Field(() => BotType) bot: object;
  @Field(() => Int, { description: 'The number of the version that is served.' }) version: number;
  @Field(() => BotCategory) category: string;
  @Field(() => String) description: string;
  @Field(() => [String], { description: 'ISO 639-1; none: any.' }) languages: string[];
  @Field(() => Int, { description: 'In so many chats.' }) installCount: number;
  @Field(() => Int) ratingCount: number;
  @Field(() => Float, { nullable: true, description: 'The mean, 1 to 5. Null: nobody has rated it.' }) rating: number | null;
  @Field(() => DateTime) listedAt: Date;
  @Field(() => BotListingViewerStateType, { nullable: true }) viewerState: object | null;
}
export const BotListingPages = connectionOf('BotListing', () => BotListingType);

@ObjectType('BotSuggestion')
export class BotSuggestionType {
  @Field(() => BotListingType) listing: object;
  @Field(() => BotSuggestionReason) reason: string;
}

@ObjectType('BotInstall', { description: 'Where the viewer has installed a bot.' })
export class BotInstallType {
  @Field(() => BotType) bot: object;
  @Field(() => ID) chatId: string;
  @Field(() => DateTime) createdAt: Date;
}
export const BotInstallPages = connectionOf('BotInstall', () => BotInstallType);

@InputType('PublishBotInput')
export class PublishBotInput {
  @Field(() => ID) botId: string;
  @Field(() => BotCategory) category: Category;
  @Field(() => String, { description: 'What it does, for those who look for it. Up to 4 KiB.' }) description: string;
  @Field(() => [String], { nullable: true, description: 'ISO 639-1, at most 20. Left out: those of the bot.' }) languages?: string[] | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('PublishBotPayload')
export class PublishBotPayload {
  @Field(() => BotVersionType) version: object;
}
@InputType('ReviewBotVersionInput')
export class ReviewBotVersionInput {
  @Field(() => ID) versionId: string;
  @Field(() => BotReview) decision: 'APPROVE' | 'REJECT';
  @Field(() => String, { nullable: true, description: 'Its owner reads it; asked for with REJECT. Up to 2 KiB.' }) reason?: string | null;
}
@ObjectType('ReviewBotVersionPayload')
export class ReviewBotVersionPayload {
  @Field(() => BotVersionType) version: object;
}
@InputType('UnlistBotInput')
export class UnlistBotInput {
  @Field(() => ID) botId: string;
  @Field(() => String, { nullable: true, description: 'Asked for of moderators. Up to 2 KiB.' }) reason?: string | null;
}
@ObjectType('UnlistBotPayload')
export class UnlistBotPayload {
  @Field(() => BotType) bot: object;
}
@InputType('InstallBotInput')
export class InstallBotInput {
  @Field(() => ID) botId: string;
  @Field(() => ID, { nullable: true, description: 'A group chat that one runs. None: one’s direct chat with it.' }) chatId?: string | null;
}
@ObjectType('InstallBotPayload')
export class InstallBotPayload {
  @Field(() => ChatType, { description: 'Where it answers now.' }) chat: object;
  @Field(() => BotListingType, { nullable: true }) listing: object | null;
}
@InputType('UninstallBotInput')
export class UninstallBotInput extends InstallBotInput {}
@ObjectType('UninstallBotPayload')
export class UninstallBotPayload {
  @Field(() => ID) botId: string;
  @Field(() => BotListingType, { nullable: true }) listing: object | null;
}
@InputType('RateBotInput')
export class RateBotInput {
  @Field(() => ID) botId: string;
  @Field(() => Int, { description: '1 to 5.' }) stars: number;
  @Field(() => String, { nullable: true, description: 'Up to 2 KiB.' }) text?: string | null;
}
@ObjectType('RateBotPayload')
export class RateBotPayload {
  @Field(() => BotRatingType) rating: object;
  @Field(() => BotListingType, { nullable: true }) listing: object | null;
}
