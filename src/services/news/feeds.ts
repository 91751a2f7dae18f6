import type { Database } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { Reader } from '../../news/reader.js';
import { OutboundError } from '../../outbound/errors.js';
import type { Outbound, OutboundResponse } from '../../outbound/outbound.js';
import { SOURCE_COLUMNS, type SourceRow } from '../loaders/news.js';
import type { NewsIngest } from './ingest.js';

/** Feeds that are fetched at once, in this process. */
const AT_ONCE = 4;
/** Another process takes a feed over when the one that took it has said nothing for so long. */
const LEASE_SECONDS = 120;
const MAX_FEED_BYTES = 5 * 1_048_576;
const TIMEOUT_MS = 20_000;
const SLOWEST_SECONDS = 3_600;
const LONGEST_BACK_OFF_SECONDS = 6 * 3_600;

export interface FeedSettings {
  /** Seconds between two fetches of a feed that says nothing itself, and the least for all. */
  every: number;
  builtIn: boolean;
}

/** How one fetch has ended. */
type Ending = { kind: 'ok'; asked: number | null; maxAge: number | null; etag: string | null; lastModified: string | null } | { kind: 'same'; maxAge: number | null } | { kind: 'failed'; reason: string; retryAfter: number | null } | { kind: 'gone' };

/** Fetches feeds when they are due: each at its own pace, asking only for what has changed, and more and more seldom while it fails. */
export class NewsFeeds {
  constructor(
    private readonly db: Pick<Database, 'background'>,
    private readonly outbound: Pick<Outbound, 'fetch'>,
    private readonly reader: Pick<Reader, 'feed'>,
    private readonly ingest: NewsIngest,
    private readonly settings: FeedSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** What is not fetched is never due: it would be looked for twice a second, for ever. */
  get due(): string {
    return `exists (select from news_sources where state = 'ACTIVE' and next_fetch_at <= $1${this.settings.builtIn ? '' : ` and origin <> 'BUILT_IN'`})`;
  }

  /** Fetches what is due; true when there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    // Sections of one feed are due together: it is fetched once for all of them.
    const due = await this.db.background<SourceRow>(
      `update news_sources s set next_fetch_at = $1::timestamptz + make_interval(secs => $2) where s.state = 'ACTIVE' and s.next_fetch_at <= $1 and s.feed_url in (
         select feed_url from news_sources where state = 'ACTIVE' and next_fetch_at <= $1 and (origin <> 'BUILT_IN' or $3) group by feed_url order by min(next_fetch_at) limit $4)
       returning ${SOURCE_COLUMNS}`,
      [now, LEASE_SECONDS, this.settings.builtIn, AT_ONCE],
    );
    const byUrl = Map.groupBy(due, (source) => source.feedUrl);
    await Promise.all([...byUrl].map(([url, sources]) => this.#fetch(url, sources)));
    return byUrl.size === AT_ONCE;
  }

  async #fetch(url: string, sources: SourceRow[]): Promise<void> {
    let ending: Ending;
    try {
      ending = await this.#read(url, sources);
    } catch (error) {
      if (!(error instanceof OutboundError)) this.log.warn({ feed: url, error: (error as Error).message }, 'a feed could not be read');
      ending = { kind: 'failed', reason: error instanceof OutboundError ? error.reason : 'UNREADABLE', retryAfter: null };
    }
    for (const source of sources) await this.#settle(source, ending);
  }

  async #read(url: string, sources: SourceRow[]): Promise<Ending> {
    const [first] = sources;
    // A section that is new among the others has seen nothing yet: then everything is asked for.
    const known = sources.every(({ etag, lastModified }) => etag === first!.etag && lastModified === first!.lastModified);
    const conditions = known ? { ...(first!.etag ? { 'if-none-match': first!.etag } : {}), ...(first!.lastModified ? { 'if-modified-since': first!.lastModified } : {}) } : {};
    const answer = await this.outbound.fetch(url, {
      headers: { accept: 'application/rss+xml, application/atom+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1', ...conditions }, maxBytes: MAX_FEED_BYTES, timeoutMs: TIMEOUT_MS,
    });
    if (answer.status === 304) return { kind: 'same', maxAge: maxAgeOf(answer) };
    if (answer.status === 410) return { kind: 'gone' };
    if (answer.status !== 200) return { kind: 'failed', reason: `HTTP ${answer.status}`, retryAfter: retryAfterOf(answer, this.clock.now()) };
    const feed = await this.reader.feed({ body: answer.body, contentType: answer.headers['content-type'] ?? '', url: answer.url });
    for (const source of sources) await this.ingest.take(source, feed);
    // What came before the break is kept; the rest is asked for again.
    if (feed.broken) return { kind: 'failed', reason: 'BROKEN_OFF', retryAfter: null };
    return { kind: 'ok', asked: feed.every === null ? null : Math.round(Math.min(feed.every, SLOWEST_SECONDS)), maxAge: maxAgeOf(answer), etag: answer.headers['etag']?.slice(0, 500) ?? null, lastModified: answer.headers['last-modified']?.slice(0, 100) ?? null };
  }

  async #settle(source: SourceRow, ending: Ending): Promise<void> {
    const now = this.clock.now();
    if (ending.kind === 'gone') {
      await this.db.background(`update news_sources set state = 'GONE', failures = failures + 1, failure = 'HTTP 410', fetched_at = $2 where id = $1`, [source.id, now]);
      this.log.warn({ feed: source.feedUrl }, 'a feed is gone for good; it is asked no more');
      return;
    }
    const failed = ending.kind === 'failed';
    const failures = failed ? source.failures + 1 : 0;
    const fresh = ending.kind === 'ok';
    // What is as it was asks for what it has asked for.
    const asked = fresh ? ending.asked : source.askedSeconds;
    const wished = failed ? 0 : Math.max(asked ?? 0, ending.maxAge ?? 0);
    const every = source.everySeconds ?? Math.min(Math.max(this.settings.every, wished), SLOWEST_SECONDS);
    const pause = failed ? Math.max(Math.min(every * 2 ** failures, LONGEST_BACK_OFF_SECONDS), Math.min(ending.retryAfter ?? 0, LONGEST_BACK_OFF_SECONDS)) : every;
    if (failed && failures === 1) this.log.info({ feed: source.feedUrl, reason: ending.reason }, 'a feed could not be had; it is tried again later and later');
    await this.db.background(
      `update news_sources set next_fetch_at = $2::timestamptz + make_interval(secs => $3), fetched_at = $2, failures = $4, failure = $5,
         etag = case when $6 then $7 else etag end, last_modified = case when $6 then $8 else last_modified end, asked_seconds = $9
       where id = $1`,
      [source.id, now, pause * (1 + spread(source.feedUrl) / 10), failures, failed ? ending.reason : null, fresh, fresh ? ending.etag : null, fresh ? ending.lastModified : null, asked],
    );
  }
}

/** 0 to 1, the same for all sections of a feed: feeds that began together don't stay together. */
function spread(url: string): number {
  let sum = 0;
  for (let index = 0; index < url.length; index++) sum = (sum * 31 + url.charCodeAt(index)) % 1_000;
  return sum / 1_000;
}

function maxAgeOf({ headers }: OutboundResponse): number | null {
  const age = /max-age=(\d{1,7})/i.exec(headers['cache-control'] ?? '')?.[1];
  return age === undefined ? null : Number(age);
}

function retryAfterOf({ headers }: OutboundResponse, now: Date): number | null {
  const value = headers['retry-after'];
  if (!value) return null;
  const seconds = /^\d{1,7}$/.test(value) ? Number(value) : (Date.parse(value) - now.getTime()) / 1_000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
