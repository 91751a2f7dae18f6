import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { GraphQLResolveInfo } from 'graphql';
import type { Page } from '../db/pages.js';
import type { NewsCardRef } from '../entities/message.js';
import { newsStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import { decodeId, decodeMessageId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { NewsCardType } from '../schema/message-cards.js';
import { SendMessagePayload } from '../schema/message-inputs.js';
import {
  BookmarkArticleInput, BookmarkArticlePayload, CreateNewsSourceInput, CreateNewsSourcePayload, MarkArticleReadInput, MarkArticleReadPayload, NewsArticlePages, NewsArticleType,
  NewsArticleViewerStateType, NewsContentType, NewsFilterInput, NewsOrder, NewsPlaceType, NewsPublishedType, NewsSourcePages, NewsSourceType, NewsSummaryType, RemoveArticleBookmarkInput,
  RemoveArticleBookmarkPayload, ShareArticleInput, SummarizeArticleInput, SummarizeArticlePayload, UpdateNewsSourceInput, UpdateNewsSourcePayload,
} from '../schema/news.js';
import { EventCursor } from '../schema/scalars.js';
import { ViewerType } from '../schema/viewer.js';
import {
  articleById, articlePlaces, contentOfArticle, sourceById, summaryOfArticle, viewerArticleMarks, type ArticleMarks, type ArticleRow, type ContentRow, type PlaceRow, type SourceRow, type SummaryRow,
} from '../services/loaders/news.js';
import { streamHead } from '../services/loaders/streams.js';
import type { MessageRow } from '../services/loaders/messages.js';
import type { NewsArticleService, NewsOrder as Order } from '../services/news/articles.js';
import type { NewsContents } from '../services/news/contents.js';
import type { NewsMarks } from '../services/news/marks.js';
import type { NewsSharing } from '../services/news/sharing.js';
import type { NewsSourceService } from '../services/news/sources.js';
import type { NewsSummaries } from '../services/news/summaries.js';
import { askedAt } from './asked.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const keyOf = ({ articleId }: { articleId: string }): string => decodeId('NewsArticle', articleId, 'articleId');

/** Reading news, and where they come from. */
@Resolver()
export class NewsResolver {
  constructor(
    private readonly articles: NewsArticleService,
    private readonly contents: NewsContents,
    private readonly sources: NewsSourceService,
  ) {}

  @Query(() => NewsArticlePages.Connection, { description: 'Articles, the newest first unless told.' })
  news(
    @Arg('filter', () => NewsFilterInput, { nullable: true }) filter: NewsFilterInput | null,
    @Arg('order', () => NewsOrder, { defaultValue: 'LATEST' }) order: Order,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<ArticleRow>> {
    context.requireViewer();
    const sourceIds = filter?.sourceIds?.map((id) => decodeId('NewsSource', id, 'sourceIds')) ?? null;
    return this.articles.list(context, { sourceIds, topics: filter?.topics ?? null, search: filter?.search ?? null }, order, args);
  }

  @Query(() => NewsArticleType, { nullable: true, description: 'An article, or null. When its `content` is asked for and was not had before, it is fetched: that may take some seconds.' })
  async newsArticle(@Arg('id', () => ID) id: string, @Ctx() context: Context, @Info() info: GraphQLResolveInfo): Promise<ArticleRow | null> {
    context.requireViewer();
    const article = await this.articles.find(context, decodeId('NewsArticle', id));
    if (article && askedAt(info, '').has('content')) context.prime(contentOfArticle, article.id, await this.contents.of(article));
    return article;
  }

  @Query(() => NewsSourcePages.Connection, { description: 'By publisher and section.' })
  newsSources(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<SourceRow>> {
    context.requireViewer();
    return this.sources.list(args);
  }

  @Mutation(() => CreateNewsSourcePayload, { description: 'For administrators. The feed is fetched within seconds; `failure` tells when it can’t be.' })
  async createNewsSource(@Arg('input', () => CreateNewsSourceInput) input: CreateNewsSourceInput, @Ctx() context: Context): Promise<{ source: SourceRow }> {
    const { category = null, language = null, topics = null, everySeconds = null, ...given } = input;
    return { source: await this.sources.create(context.requireViewer(), { ...given, category, language, topics, everySeconds }) };
  }

  @Mutation(() => UpdateNewsSourcePayload, { description: 'For administrators.' })
  async updateNewsSource(@Arg('input', () => UpdateNewsSourceInput) { sourceId, paused, everySeconds }: UpdateNewsSourceInput, @Ctx() context: Context): Promise<{ source: SourceRow }> {
    return { source: await this.sources.update(context.requireViewer(), decodeId('NewsSource', sourceId, 'sourceId'), { paused: paused ?? null, everySeconds: everySeconds ?? null }) };
  }
}

/** What one does with articles. */
@Resolver(() => ViewerType)
export class NewsVerbsResolver {
  constructor(
    private readonly marks: NewsMarks,
    private readonly sharing: NewsSharing,
    private readonly summaries: NewsSummaries,
  ) {}

  @Mutation(() => BookmarkArticlePayload, { description: 'At most 5,000.' })
  async bookmarkArticle(@Arg('input', () => BookmarkArticleInput) input: BookmarkArticleInput, @Ctx() context: Context): Promise<{ article: ArticleRow }> {
    return { article: await this.marks.bookmark(context.requireViewer(), keyOf(input)) };
  }

  @Mutation(() => RemoveArticleBookmarkPayload)
  async removeArticleBookmark(@Arg('input', () => RemoveArticleBookmarkInput) input: RemoveArticleBookmarkInput, @Ctx() context: Context): Promise<{ article: ArticleRow }> {
    return { article: await this.marks.unbookmark(context.requireViewer(), keyOf(input)) };
  }

  @Mutation(() => MarkArticleReadPayload, { description: 'Clients say so when somebody has read an article: the order FOR_YOU goes by it.' })
  async markArticleRead(@Arg('input', () => MarkArticleReadInput) input: MarkArticleReadInput, @Ctx() context: Context): Promise<{ article: ArticleRow }> {
    return { article: await this.marks.note(context.requireViewer(), keyOf(input), 'read') };
  }

  @Mutation(() => SummarizeArticlePayload, { description: 'The summary of an article; made once for all who ask. Fetches its content when that was not had before.' })
  async summarizeArticle(@Arg('input', () => SummarizeArticleInput) input: SummarizeArticleInput, @Ctx() context: Context): Promise<{ article: ArticleRow; summary: SummaryRow }> {
    const [viewer, id] = [context.requireViewer(), keyOf(input)];
    const summary = await this.summaries.of(id);
    return { summary, article: await this.marks.note(viewer, id, 'summarized') };
  }

  @Mutation(() => SendMessagePayload, { description: 'Sends a message with a NewsCard.' })
  async shareArticle(@Arg('input', () => ShareArticleInput) input: ShareArticleInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    const replyTo = input.replyToId == null ? null : decodeMessageId(input.replyToId, 'replyToId');
    const { idempotencyKey, text = null } = input;
    return { message: await this.sharing.share(context.requireViewer(), { articleId: keyOf(input), chatId: decodeId('Chat', input.chatId, 'chatId'), text, replyTo, idempotencyKey }) };
  }

  @FieldResolver(() => NewsArticlePages.Connection, { description: 'The newest bookmark first.' })
  newsBookmarks(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ArticleRow>> {
    context.requireViewer();
    return this.marks.bookmarks(context, args);
  }
}

@Resolver(() => NewsSourceType)
export class NewsSourceResolver {
  @FieldResolver()
  id(@Root() source: SourceRow): string {
    return encodeId('NewsSource', source.id);
  }

  @FieldResolver(() => EventCursor, { description: 'Where its stream stands now: read it before the articles, and give it to newsPublished.' })
  async eventCursor(@Root() source: SourceRow, @Ctx() context: Context): Promise<string> {
    const stream = newsStream(source.id);
    const head = (await context.load(streamHead, stream))!;
    return encodeCursor(stream, head.epoch, head.head);
  }
}

@Resolver(() => NewsArticleType)
export class NewsArticleResolver {
  @FieldResolver()
  id(@Root() article: ArticleRow): string {
    return encodeId('NewsArticle', article.id);
  }

  @FieldResolver(() => NewsSourceType, { description: 'The section that told of it first.' })
  source(@Root() article: ArticleRow, @Ctx() context: Context): Promise<SourceRow | null> {
    return context.load(sourceById, article.sourceId);
  }

  @FieldResolver(() => [NewsPlaceType], { description: 'Every section in which it stands, also as a text near the same.' })
  async places(@Root() article: ArticleRow, @Ctx() context: Context): Promise<PlaceRow[]> {
    return (await context.load(articlePlaces, article.id)) ?? [];
  }

  @FieldResolver(() => NewsContentType, { nullable: true, description: 'To be read in the app. Null while it was not had: the query newsArticle fetches it.' })
  content(@Root() article: ArticleRow, @Ctx() context: Context): Promise<ContentRow | null> {
    return context.load(contentOfArticle, article.id);
  }

  @FieldResolver(() => NewsSummaryType, { nullable: true, description: 'Made by summarizeArticle; null while nobody has asked.' })
  shortVersion(@Root() article: ArticleRow, @Ctx() context: Context): Promise<SummaryRow | null> {
    return context.load(summaryOfArticle, article.id);
  }

  @ViewerDependent()
  @FieldResolver(() => NewsArticleViewerStateType, { nullable: true })
  async viewerState(@Root() article: ArticleRow, @Ctx() context: Context): Promise<ArticleMarks> {
    context.requireViewer();
    return (await context.load(viewerArticleMarks, article.id))!;
  }
}

@Resolver(() => NewsContentType)
export class NewsContentResolver {
  @FieldResolver()
  wordCount(@Root() { text }: ContentRow): number {
    return text.match(/\S+/g)?.length ?? 0;
  }
}

@Resolver(() => NewsPlaceType)
export class NewsPlaceResolver {
  @FieldResolver()
  source(@Root() place: PlaceRow, @Ctx() context: Context): Promise<SourceRow | null> {
    return context.load(sourceById, place.sourceId);
  }
}

@Resolver(() => NewsCardType)
export class NewsCardResolver {
  @FieldResolver()
  article(@Root() card: NewsCardRef, @Ctx() context: Context): Promise<ArticleRow | null> {
    return context.load(articleById, card.articleId);
  }
}

@Resolver(() => NewsPublishedType)
export class NewsPublishedResolver {
  @FieldResolver()
  article(@Root() event: { articleKey: string }, @Ctx() context: Context): Promise<ArticleRow | null> {
    return context.load(articleById, event.articleKey);
  }
}

export const NEWS_RESOLVERS = [NewsResolver, NewsVerbsResolver, NewsSourceResolver, NewsArticleResolver, NewsContentResolver, NewsPlaceResolver, NewsCardResolver, NewsPublishedResolver];
