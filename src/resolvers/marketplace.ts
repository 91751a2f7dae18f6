import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import type { BotCategory as Category } from '../entities/bot-version.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { BotType } from '../schema/bot.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  BotCategory, BotInstallPages, BotInstallType, BotListingPages, BotListingSort, BotListingType, BotListingViewerStateType, BotRatingPages, BotRatingType, BotSuggestionType, BotVersionPages, BotVersionType, InstallBotInput,
  InstallBotPayload, PublishBotInput, PublishBotPayload, RateBotInput, RateBotPayload, ReviewBotVersionInput, ReviewBotVersionPayload, UninstallBotInput, UninstallBotPayload, UnlistBotInput, UnlistBotPayload,
} from '../schema/marketplace.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { BotInstalls, InstallRow } from '../services/bots/installs.js';
import type { BotMarketplace, ListingSort, SuggestedListing } from '../services/bots/marketplace.js';
import type { BotPublishing } from '../services/bots/publishing.js';
import { botById, type BotRow } from '../services/loaders/bots.js';
import { chatById } from '../services/loaders/chats.js';
import { listingOf, listingViewerState, type ListingRow, type ListingViewerState, type RatingRow, type VersionRow } from '../services/loaders/marketplace.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import { AtMost } from './at-most.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const chatOf = (chatId: string | null | undefined): string | null => (chatId == null ? null : decodeId('Chat', chatId, 'chatId'));

@Resolver()
export class BotPublishingResolver {
  constructor(private readonly publishing: BotPublishing) {}

  @Mutation(() => PublishBotPayload, { description: 'Hands one’s bot in, as it is now, to be looked at by moderators of the place. What is listed stays until this is approved.' })
  async publishBot(@Arg('input', () => PublishBotInput) { botId, category, description, languages = null, idempotencyKey }: PublishBotInput, @Ctx() context: Context): Promise<object> {
    return { version: await this.publishing.publish(context.requireViewer(), { botId: decodeId('Bot', botId, 'botId'), category, description, languages, idempotencyKey }) };
  }

  @Mutation(() => ReviewBotVersionPayload, { description: 'For moderators of the place, and not about their own.' })
  async reviewBotVersion(@Arg('input', () => ReviewBotVersionInput) { versionId, decision, reason }: ReviewBotVersionInput, @Ctx() context: Context): Promise<object> {
    return { version: await this.publishing.review(context.requireViewer(), decodeId('BotVersion', versionId, 'versionId'), decision, reason ?? null) };
  }

  @Mutation(() => UnlistBotPayload, { description: 'For its owner and moderators of the place. It is found no more, and says nothing where others have installed it.' })
  async unlistBot(@Arg('input', () => UnlistBotInput) { botId, reason }: UnlistBotInput, @Ctx() context: Context): Promise<object> {
    const id = decodeId('Bot', botId, 'botId');
    await this.publishing.unlist(context.requireViewer(), id, reason ?? null);
    context.forget();
    return { bot: await context.load(botById, id) };
  }

  @Query(() => BotVersionPages.Connection, { description: 'Of one’s own bot; for moderators of the place, of any. The newest first.' })
  botVersions(@Arg('botId', () => ID) botId: string, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<VersionRow>> {
    return this.publishing.versions(context.requireViewer(), decodeId('Bot', botId, 'botId'), args);
  }
}

@Resolver()
export class BotInstallsResolver {
  constructor(private readonly installs: BotInstalls) {}

  @Mutation(() => InstallBotPayload, { description: 'It answers there as its listed version. A repeat changes nothing.' })
  async installBot(@Arg('input', () => InstallBotInput) { botId, chatId }: InstallBotInput, @Ctx() context: Context): Promise<object> {
    const id = decodeId('Bot', botId, 'botId');
    const chat = await this.installs.install(context.requireViewer(), id, chatOf(chatId));
    context.forget();
    return { chat: await context.load(chatById, chat), listing: await context.load(listingOf, id) };
  }

  @Mutation(() => UninstallBotPayload, { description: 'It leaves the group chat; in the direct chat it says nothing more.' })
  async uninstallBot(@Arg('input', () => UninstallBotInput) { botId, chatId }: UninstallBotInput, @Ctx() context: Context): Promise<object> {
    const id = decodeId('Bot', botId, 'botId');
    await this.installs.uninstall(context.requireViewer(), id, chatOf(chatId));
    context.forget();
    return { botId, listing: await context.load(listingOf, id) };
  }

  @Mutation(() => RateBotPayload, { description: 'Of a bot that one has installed; another replaces it.' })
  async rateBot(@Arg('input', () => RateBotInput) { botId, stars, text }: RateBotInput, @Ctx() context: Context): Promise<object> {
    const id = decodeId('Bot', botId, 'botId');
    const rating = await this.installs.rate(context.requireViewer(), id, stars, text ?? null);
    context.forget();
    return { rating, listing: await context.load(listingOf, id) };
  }
}

@Resolver()
export class BotMarketplaceResolver {
  constructor(private readonly market: BotMarketplace) {}

  @Query(() => BotListingPages.Connection, { description: 'Published bots.' })
  botListings(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('query', () => String, { nullable: true, description: 'Words of its name, handle and description; the last one by its beginning.' }) query: string | null | undefined,
    @Arg('category', () => BotCategory, { nullable: true }) category: Category | null | undefined,
    @Arg('language', () => String, { nullable: true, description: 'ISO 639-1. Those of any language are among what is found.' }) language: string | null | undefined,
    @Arg('sort', () => BotListingSort, { defaultValue: 'POPULAR' }) sort: ListingSort,
    @Ctx() context: Context,
  ): Promise<Page<ListingRow>> {
    context.requireViewer();
    return this.market.search(context, { query: query ?? null, category: category ?? null, language: language ?? null }, sort, args);
  }

  @Query(() => BotRatingPages.Connection, { description: 'What people think of a published bot, the newest first.' })
  botRatings(@Arg('botId', () => ID) botId: string, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<RatingRow>> {
    context.requireViewer();
    return this.market.ratings(decodeId('Bot', botId, 'botId'), args);
  }
}

@Resolver(() => ViewerType)
export class ViewerMarketplaceResolver {
  constructor(
    private readonly market: BotMarketplace,
    private readonly installs: BotInstalls,
    private readonly publishing: BotPublishing,
  ) {}

  @AtMost(50)
  @FieldResolver(() => [BotSuggestionType], { description: 'Published bots that one has not: first those of people who are like one, then what is popular.' })
  suggestedBots(@Arg('first', () => Int, { defaultValue: 10, description: '1 to 50.' }) first: number, @Ctx() context: Context): Promise<SuggestedListing[]> {
    return this.market.suggested(context, context.requireViewer(), first);
  }

  @FieldResolver(() => BotInstallPages.Connection, { description: 'What one has installed, the newest first.' })
  botInstalls(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<InstallRow>> {
    return this.installs.list(context.requireViewer(), args);
  }

  @FieldResolver(() => BotVersionPages.Connection, { description: 'For moderators of the place: what waits to be looked at, the oldest first.' })
  botReviews(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<VersionRow>> {
    return this.publishing.queue(context.requireViewer(), args);
  }
}

@Resolver(() => BotType)
export class BotListingOfBotResolver {
  @FieldResolver(() => BotListingType, { nullable: true, description: 'Null: it is not published.' })
  listing(@Root() bot: BotRow, @Ctx() context: Context): Promise<ListingRow | null> {
    return context.load(listingOf, bot.id);
  }
}

@Resolver(() => BotListingType)
export class BotListingResolver {
  @FieldResolver(() => BotType)
  bot(@Root() { botId }: ListingRow, @Ctx() context: Context): Promise<BotRow | null> {
    return context.load(botById, botId);
  }

  @FieldResolver()
  rating(@Root() { ratingSum, ratingCount }: ListingRow): number | null {
    return ratingCount ? ratingSum / ratingCount : null;
  }

  @ViewerDependent()
  @FieldResolver(() => BotListingViewerStateType, { nullable: true })
  viewerState(@Root() { botId }: ListingRow, @Ctx() context: Context): Promise<ListingViewerState | null> {
    return context.load(listingViewerState, botId);
  }
}

@Resolver(() => BotVersionType)
export class BotVersionResolver {
  @FieldResolver()
  id(@Root() { id }: VersionRow): string {
    return encodeId('BotVersion', id);
  }

  @FieldResolver(() => BotType)
  bot(@Root() { botId }: VersionRow, @Ctx() context: Context): Promise<BotRow | null> {
    return context.load(botById, botId);
  }
}

@Resolver(() => BotRatingType)
export class BotRatingResolver {
  @FieldResolver(() => UserType, { nullable: true })
  user(@Root() { userId }: RatingRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, userId);
  }
}

@Resolver(() => BotInstallType)
export class BotInstallResolver {
  @FieldResolver(() => BotType)
  bot(@Root() { botId }: InstallRow, @Ctx() context: Context): Promise<BotRow | null> {
    return context.load(botById, botId);
  }

  @FieldResolver()
  chatId(@Root() { chatId }: InstallRow): string {
    return encodeId('Chat', chatId);
  }
}

export const MARKETPLACE_RESOLVERS = [
  BotPublishingResolver, BotInstallsResolver, BotMarketplaceResolver, ViewerMarketplaceResolver, BotListingOfBotResolver, BotListingResolver, BotVersionResolver, BotRatingResolver, BotInstallResolver,
];
