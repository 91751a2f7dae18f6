import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import type { LanguageModel } from './language/contract.js';
import type { Clock } from './lib/clock.js';
import { ConfigError } from './lib/errors.js';
import type { Logger } from './lib/logger.js';
import { Reader } from './news/reader.js';
import { ExtractiveSummarizer, type Summarizer } from './news/summarizer.js';
import { webAddress } from './news/text.js';
import type { Outbound } from './outbound/outbound.js';
import type { ProductLinks } from './policies/product-links.js';
import { LinkPreviewPartsResolver, LinkPreviewResolver } from './resolvers/link-previews.js';
import {
  NewsArticleResolver, NewsCardResolver, NewsContentResolver, NewsPlaceResolver, NewsPublishedResolver, NewsResolver, NewsSourceResolver, NewsVerbsResolver,
} from './resolvers/news.js';
import type { FileUrls } from './services/files/file-urls.js';
import { LinkPreviews } from './services/link-previews.js';
import type { MessageService } from './services/messages.js';
import { NewsArticleService } from './services/news/articles.js';
import { BUILT_IN_SOURCES, type SourceSpec } from './services/news/built-in.js';
import { NewsContents } from './services/news/contents.js';
import { NewsFeeds } from './services/news/feeds.js';
import { NewsIngest } from './services/news/ingest.js';
import { ModelSummarizer } from './services/news/model-summarizer.js';
import { NewsMarks } from './services/news/marks.js';
import { NewsSharing } from './services/news/sharing.js';
import { NewsSourceService } from './services/news/sources.js';
import { NewsSummaries } from './services/news/summaries.js';
import { NewsUpkeep } from './services/news/upkeep.js';

export interface NewsDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  outbound: Outbound;
  files: FileUrls;
  /** How links to what is sold look, where there are any. */
  products: ProductLinks | null;
  messages: MessageService;
  /** Instead of the one that picks sentences. */
  summarizer: Summarizer | undefined;
  /** Instead of one of its own. */
  reader: Reader | undefined;
  /** Makes articles short, where there is one. */
  model: LanguageModel | null;
}

export interface News {
  jobs: Pick<JobDeps, 'newsFeeds' | 'newsUpkeep' | 'linkPreviews'>;
  reader: Reader;
  resolvers: object[];
  close(): Promise<void>;
}

/** The part of the container that is about what others publish: news, and previews of links. */
export async function makeNews({ config, db, unitOfWork, clock, log, outbound, files, products, messages, summarizer, reader: given, model }: NewsDeps): Promise<News> {
  const reader = given ?? new Reader();
  const sources = new NewsSourceService(db.sql, unitOfWork);
  if (config.NEWS && config.NEWS_BUILT_IN) await sources.ensure(BUILT_IN_SOURCES, 'BUILT_IN');
  await sources.ensure(config.NEWS_FEEDS.map(feedSpec), 'SETTINGS');
  const contents = new NewsContents(db.sql, outbound, reader, clock, log);
  const marks = new NewsMarks(db.sql, unitOfWork);
  const feeds = new NewsFeeds(db, outbound, reader, new NewsIngest(unitOfWork), { every: config.NEWS_EVERY, builtIn: config.NEWS_BUILT_IN }, clock, log);
  const previews = new LinkPreviews(db, unitOfWork, outbound, reader, clock, log, { pages: config.LINK_PREVIEWS, products });
  const extractive = new ExtractiveSummarizer(reader);
  return {
    reader,
    jobs: { newsFeeds: config.NEWS ? feeds : null, newsUpkeep: new NewsUpkeep(db.background, clock, config.NEWS_KEEP_DAYS), linkPreviews: config.LINK_PREVIEWS || products ? previews : null },
    resolvers: [
      new NewsResolver(new NewsArticleService(db.sql), contents, sources),
      new NewsVerbsResolver(marks, new NewsSharing(db.sql, messages, marks), new NewsSummaries(db.sql, contents, summarizer ?? (model ? new ModelSummarizer(model, extractive) : extractive), clock)),
      new NewsSourceResolver(),
      new NewsArticleResolver(),
      new NewsContentResolver(),
      new NewsPlaceResolver(),
      new NewsCardResolver(),
      new NewsPublishedResolver(),
      new LinkPreviewResolver(previews),
      new LinkPreviewPartsResolver(files),
    ],
    close: async () => {
      if (!given) await reader.close();
    },
  };
}

/** Publisher|Section|address. */
function feedSpec(setting: string): SourceSpec {
  const [publisher, section, address, ...more] = setting.split('|').map((part) => part.trim());
  const feedUrl = webAddress(address);
  if (!publisher || !section || !feedUrl || more.length) throw new ConfigError(`NEWS_FEEDS: ${setting} is not Publisher|Section|https://…`);
  return { publisher, section, feedUrl, homepage: new URL(feedUrl).origin, language: 'en', topics: [] };
}
