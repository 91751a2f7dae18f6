import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText, cleanUrl, distinct } from '../../lib/validate.js';
import { invalidInput } from '../../lib/errors.js';
import { assertRunsNews } from '../../policies/news-policy.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import { SOURCE_COLUMNS, type SourceRow } from '../loaders/news.js';
import type { SourceSpec } from './built-in.js';

const LEAST_SECONDS = 60;
const MOST_SECONDS = 86_400;
const MAX_TOPICS = 8;
const LANGUAGE = /^[a-z]{2,3}$/;

export interface NewSource {
  publisher: string;
  section: string;
  feedUrl: string;
  category: string | null;
  language: string | null;
  topics: string[] | null;
  everySeconds: number | null;
  idempotencyKey: string;
}

export interface SourceChange {
  paused: boolean | null;
  everySeconds: number | null;
}

/** Where news come from. */
export class NewsSourceService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** By publisher and section. */
  async list(args: PageArgs): Promise<Page<SourceRow>> {
    const request = pageRequest(args, ['string', 'string', 'uuid']);
    const rows = await this.sql<SourceRow>(
      `select ${SOURCE_COLUMNS} from news_sources s where ($1::text is null or (s.publisher collate "C", s.section collate "C", s.id) > ($1, $2, $3::uuid))
       order by s.publisher collate "C", s.section collate "C", s.id limit $4`,
      [...(request.from ?? [null, null, null]), request.limit],
    );
    return toPage(rows, request, (row) => [row.publisher, row.section, row.id]);
  }

  /** Adds those that are not there; one that is stays as it is. */
  async ensure(specs: readonly SourceSpec[], origin: 'BUILT_IN' | 'SETTINGS'): Promise<void> {
    await this.sql(
      `insert into news_sources (id, publisher, section, feed_url, category, homepage, language, topics, origin)
       select s.id, s.publisher, s.section, s.feed_url, s.category, s.homepage, s.language, array(select jsonb_array_elements_text(s.topics)), $2
       from jsonb_to_recordset($1::jsonb) s(id uuid, publisher text, section text, feed_url text, category text, homepage text, language text, topics jsonb) on conflict do nothing`,
      [JSON.stringify(specs.map((spec) => ({ ...spec, id: newId(), feed_url: spec.feedUrl }))), origin],
    );
  }

  /**
   * Adds a feed, which is fetched at once. For administrators.
   * Errors: FORBIDDEN, INVALID_INPUT, STATE_CONFLICT (there is this feed already), IDEMPOTENCY_KEY_REUSED.
   */
  async create(actor: Actor, input: NewSource): Promise<SourceRow> {
    assertRunsNews(actor);
    const line = (value: string, field: string) => cleanText(value, { field, maxBytes: 200 });
    const [publisher, section, feedUrl] = [line(input.publisher, 'publisher'), line(input.section, 'section'), cleanUrl(input.feedUrl, 'feedUrl')];
    const category = input.category === null ? null : line(input.category, 'category');
    const topics = distinct((input.topics ?? []).map((topic) => cleanText(topic, { field: 'topics', maxBytes: 60 })), 'topics', MAX_TOPICS);
    const language = input.language ?? 'en';
    if (!LANGUAGE.test(language)) throw invalidInput('language', 'language is an ISO 639 code: two or three small letters.');
    const everySeconds = input.everySeconds === null ? null : boundedInt(input.everySeconds, 'everySeconds', LEAST_SECONDS, MOST_SECONDS);
    const { idempotencyKey, ...bound } = input;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createNewsSource', idempotencyKey, input: bound }, async (tx) => {
      const made = newId();
      const rows = await tx.sql(
        `insert into news_sources (id, publisher, section, feed_url, category, language, topics, origin, every_seconds, next_fetch_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'ADMIN', $8, $9, $9) on conflict do nothing returning 1`,
        [made, publisher, section, feedUrl, category, language, topics, everySeconds, tx.now],
      );
      if (!rows.length) throw new DomainError('STATE_CONFLICT', 'There is a source with this feed already.', { field: 'feedUrl' });
      await audit(tx, { actorId: actor.userId, action: 'NEWS_SOURCE_CREATED', subject: { type: 'NewsSource', id: made }, details: { feedUrl } });
      return { id: made };
    });
    return this.#read(id);
  }

  /**
   * Pauses or resumes a feed, or sets its pace. One that resumes is fetched at once. For administrators.
   * Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT.
   */
  async update(actor: Actor, id: string, { paused, everySeconds }: SourceChange): Promise<SourceRow> {
    assertRunsNews(actor);
    if (everySeconds !== null) boundedInt(everySeconds, 'everySeconds', LEAST_SECONDS, MOST_SECONDS);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateNewsSource' }, async (tx) => {
      const [row] = await tx.sql<SourceRow>(`select ${SOURCE_COLUMNS} from news_sources s where s.id = $1 for update`, [id]);
      if (!row) throw notFound('news source');
      const state = paused === null ? row.state : paused ? 'PAUSED' : 'ACTIVE';
      const resumes = state === 'ACTIVE' && row.state !== 'ACTIVE';
      await tx.sql(
        `update news_sources set state = $2, every_seconds = $3, next_fetch_at = case when $4 then $5 else next_fetch_at end, failures = case when $4 then 0 else failures end,
           failure = case when $4 then null else failure end where id = $1`,
        [id, state, everySeconds ?? row.everySeconds, resumes, tx.now],
      );
      await audit(tx, { actorId: actor.userId, action: 'NEWS_SOURCE_UPDATED', subject: { type: 'NewsSource', id }, details: { state, everySeconds: everySeconds ?? row.everySeconds } });
      return null;
    });
    return this.#read(id);
  }

  async #read(id: string): Promise<SourceRow> {
    const [row] = await this.sql<SourceRow>(`select ${SOURCE_COLUMNS} from news_sources s where s.id = $1`, [id]);
    if (!row) throw notFound('news source');
    return row;
  }
}
