import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';
import { ResyncRequiredType, StreamEventType } from './stream-event.js';

export const NewsSourceState = enumOf('NewsSourceState', ['ACTIVE', 'PAUSED', 'GONE'], 'GONE: its server has said that it is gone for good.');
export const NewsOrder = enumOf('NewsOrder', ['LATEST', 'RELEVANCE', 'FOR_YOU'], 'RELEVANCE goes with a search. FOR_YOU: by what the viewer reads, bookmarks and shares, of the last 7 days.');
export const NewsContentOrigin = enumOf('NewsContentOrigin', ['FEED', 'PAGE']);
export const SummaryMethod = enumOf('SummaryMethod', ['EXTRACTIVE', 'MODEL'], 'EXTRACTIVE: the article’s own sentences. MODEL: written by a language model.');

@ObjectType('NewsSource', { implements: NodeType, description: 'A section of a publisher.' })
export class NewsSourceType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String) publisher: string;
  @Field(() => String) section: string;
  @Field(() => String) feedUrl: string;
  @Field(() => String, { nullable: true, description: 'Of a feed that serves several sections: the category that makes this one.' }) category: string | null;
  @Field(() => String, { nullable: true }) homepage: string | null;
  @Field(() => String, { description: 'ISO 639.' }) language: string;
  @Field(() => [String]) topics: string[];
  @Field(() => NewsSourceState) state: string;
  @Field(() => DateTime, { nullable: true, description: 'When it was last asked.' }) fetchedAt: Date | null;
  @Field(() => Int, { description: 'Failed fetches in a row.' }) failures: number;
  @Field(() => String, { nullable: true, description: 'Why the last fetch failed.' }) failure: string | null;
}

@ObjectType('NewsPlace', { description: 'Where an article stands.' })
export class NewsPlaceType {
  @Field(() => NewsSourceType) source: object;
  @Field(() => String) url: string;
}

@ObjectType('NewsContent', { description: 'An article to read in the app.' })
export class NewsContentType {
  @Field(() => String, { description: 'HTML without scripts, styles, frames or forms; its links and pictures are absolute.' }) html: string;
  @Field(() => String, { description: 'The same as plain text, a line a paragraph.' }) text: string;
  @Field(() => NewsContentOrigin) origin: string;
  @Field(() => Int) wordCount: number;
  @Field(() => DateTime) madeAt: Date;
}

@ObjectType('NewsSummary', { description: 'An article made short.' })
export class NewsSummaryType {
  @Field(() => [String]) sentences: string[];
  @Field(() => SummaryMethod) method: string;
  @Field(() => DateTime) madeAt: Date;
}

@ObjectType('NewsArticleViewerState')
export class NewsArticleViewerStateType {
  @Field(() => Boolean) read: boolean;
  @Field(() => Boolean) bookmarked: boolean;
}

@ObjectType('NewsArticle', { implements: NodeType })
export class NewsArticleType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String, { description: 'At its publisher, without trackers.' }) url: string;
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true, description: 'As the feed has it; plain text.' }) summary: string | null;
  @Field(() => String, { nullable: true }) author: string | null;
  @Field(() => String, { nullable: true }) imageUrl: string | null;
  @Field(() => String, { description: 'ISO 639.' }) language: string;
  @Field(() => [String]) topics: string[];
  @Field(() => DateTime) publishedAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When its title, summary or picture last changed.' }) updatedAt: Date | null;
}

export const NewsArticlePages = connectionOf('NewsArticle', () => NewsArticleType);
export const NewsSourcePages = connectionOf('NewsSource', () => NewsSourceType);

@InputType('NewsFilter')
export class NewsFilterInput {
  @Field(() => [ID], { nullable: true, description: 'Up to 50; none given: all.' }) sourceIds?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Any of these, whatever their case; up to 20.' }) topics?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Words, "phrases", or, -without. Up to 500 bytes.' }) search?: string | null;
}

@InputType('CreateNewsSourceInput')
export class CreateNewsSourceInput {
  @Field(() => String, { description: 'Up to 200 bytes.' }) publisher: string;
  @Field(() => String, { description: 'Up to 200 bytes.' }) section: string;
  @Field(() => String, { description: 'RSS, Atom, RDF or JSON Feed.' }) feedUrl: string;
  @Field(() => String, { nullable: true, description: 'Take the items of this category alone.' }) category?: string | null;
  @Field(() => String, { nullable: true, description: 'ISO 639. Default: en.' }) language?: string | null;
  @Field(() => [String], { nullable: true, description: 'Up to 8, which all of its articles get.' }) topics?: string[] | null;
  @Field(() => Int, { nullable: true, description: '60 to 86,400. Default: as the settings and the feed say.' }) everySeconds?: number | null;
  @Field(() => ID) idempotencyKey: string;
}

@InputType('UpdateNewsSourceInput')
export class UpdateNewsSourceInput {
  @Field(() => ID) sourceId: string;
  @Field(() => Boolean, { nullable: true, description: 'False resumes, and fetches at once.' }) paused?: boolean | null;
  @Field(() => Int, { nullable: true, description: '60 to 86,400.' }) everySeconds?: number | null;
}

@ObjectType()
abstract class SourcePayload {
  @Field(() => NewsSourceType) source: object;
}
@ObjectType('CreateNewsSourcePayload')
export class CreateNewsSourcePayload extends SourcePayload {}
@ObjectType('UpdateNewsSourcePayload')
export class UpdateNewsSourcePayload extends SourcePayload {}

@InputType()
abstract class OfArticleInput {
  @Field(() => ID) articleId: string;
}
@InputType('BookmarkArticleInput')
export class BookmarkArticleInput extends OfArticleInput {}
@InputType('RemoveArticleBookmarkInput')
export class RemoveArticleBookmarkInput extends OfArticleInput {}
@InputType('MarkArticleReadInput')
export class MarkArticleReadInput extends OfArticleInput {}
@InputType('SummarizeArticleInput')
export class SummarizeArticleInput extends OfArticleInput {}
@InputType('ShareArticleInput')
export class ShareArticleInput extends OfArticleInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB.' }) text?: string | null;
  @Field(() => ID, { nullable: true }) replyToId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType()
abstract class ArticlePayload {
  @Field(() => NewsArticleType) article: object;
}
@ObjectType('BookmarkArticlePayload')
export class BookmarkArticlePayload extends ArticlePayload {}
@ObjectType('RemoveArticleBookmarkPayload')
export class RemoveArticleBookmarkPayload extends ArticlePayload {}
@ObjectType('MarkArticleReadPayload')
export class MarkArticleReadPayload extends ArticlePayload {}
@ObjectType('SummarizeArticlePayload')
export class SummarizeArticlePayload {
  @Field(() => NewsArticleType) article: object;
  @Field(() => NewsSummaryType) summary: object;
}

@ObjectType('NewsPublished', { implements: StreamEventType, description: 'An article stands in this section for the first time.' })
export class NewsPublishedType extends StreamEventType {
  @Field(() => ID) sourceId: string;
  @Field(() => ID) articleId: string;
  @Field(() => Int, { description: 'Its number in the section’s stream: gapless.' }) offset: number;
  @Field(() => NewsArticleType, { nullable: true, description: 'As it is now; null when it has been forgotten.' }) article: object | null;
}

export const NewsEvent = createUnionType({ name: 'NewsEvent', description: 'What sections publish.', types: () => [NewsPublishedType, ResyncRequiredType] as const });

