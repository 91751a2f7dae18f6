import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { BotCategory } from '../../entities/bot-version.js';
import { invalidInput } from '../../lib/errors.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { splitSearch } from '../../policies/search-query.js';
import type { Actor, Reading } from '../actor.js';
import { LISTED, LISTING_COLUMNS, listingOf, RATING_COLUMNS, type ListingRow, type RatingRow } from '../loaders/marketplace.js';

export type ListingSort = 'POPULAR' | 'NEWEST' | 'RATING';
export interface ListingFind {
  category: BotCategory | null;
  query: string | null;
  language: string | null;
}
export interface SuggestedListing {
  listing: ListingRow;
  reason: 'SIMILAR_PEOPLE' | 'POPULAR';
}

const MAX_QUERY = 256;
const RECENT_DAYS = 30;
const MAX_SUGGESTED = 50;
const MAX_ALIKE = 500;
/** Somebody found near by the learned model says more than one bot in common does. */
const NEAR_WEIGHT = 2;

/** SQL: how often each bot was installed since `$1`, as far as it still is. */
const RECENT = '(select bot_id, count(*)::int as n from bot_installs where created_at > $1 group by bot_id)';
/** By what a page goes on: two numbers, and the bot. With few stars the mean is drawn towards 3, as if five people had given that: one enthusiast outdoes nobody. */
const KEYS = `case $6 when 'NEWEST' then (extract(epoch from l.listed_at) * 1000)::bigint when 'RATING' then (l.rating_sum + 15) * 1000 / (l.rating_count + 5) else coalesce(r.n, 0) end as k1,
  case $6 when 'NEWEST' then 0 when 'RATING' then l.rating_count else l.installs end as k2`;

/** Finding bots that others have published. */
export class BotMarketplace {
  constructor(private readonly sql: Sql) {}

  /** POPULAR: by installs of the last 30 days. Errors: INVALID_INPUT. */
  async search(reading: Reading, { category, query, language }: ListingFind, sort: ListingSort, args: PageArgs): Promise<Page<ListingRow>> {
    const request = pageRequest(args, ['amount', 'number', 'uuid']);
    const typed = query === null ? null : splitSearch(cleanText(query, { field: 'query', maxBytes: MAX_QUERY }));
    if (language !== null && !/^[a-z]{2}$/.test(language)) throw invalidInput('language', 'A language is a code of two letters (ISO 639-1).');
    if (!request.size) return emptyPage();
    const [k1, k2, id] = request.from ?? [null, null, null];
    const rows = await this.sql<ListingRow & { k1: string; k2: number }>(
      `select * from (
         select ${LISTING_COLUMNS}, ${KEYS} from ${LISTED} left join ${RECENT} r on r.bot_id = l.bot_id,
           (select case when $4 then websearch_to_tsquery('simple', $2) || to_tsquery('simple', $3) else websearch_to_tsquery('simple', $2) && to_tsquery('simple', $3) end as query) q
         where ($5::text is null or l.category = $5) and ($7::text is null or l.languages = '{}' or l.languages @> array[$7]) and ($2::text is null or l.words @@ q.query)) f
       where $8::bigint is null or (k1, k2, "botId") < ($8, $9::int, $10::uuid) order by k1 desc, k2 desc, "botId" desc limit $11`,
      [since(reading.now), typed?.words ?? null, typed?.prefix ?? null, typed?.either ?? false, category, sort, language, k1, k2, id, request.limit],
    );
    for (const row of rows) reading.prime(listingOf, row.botId, row);
    return toPage(rows, request, (row) => [Number(row.k1), row.k2, row.botId]);
  }

  /** What people have installed who are near the viewer by the learned model or have installed the same; then what is popular. Nothing that they have, nor their own. Errors: INVALID_INPUT. */
  async suggested(reading: Reading, actor: Actor, first: number): Promise<SuggestedListing[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTED);
    const rows = await this.sql<ListingRow & { score: number | null }>(
      `with wanted as (select coalesce((select enabled from personalizations where user_id = $2), true) as yes),
       mine as (select distinct bot_id from bot_installs where user_id = $2),
       alike as (
         select user_id, sum(weight)::float8 as weight from (
           select i.user_id, 1.0 as weight from mine join bot_installs i using (bot_id) where i.user_id <> $2
           union all select n.id, ${NEAR_WEIGHT} * n.closeness from learned_people p join learned_models m on m.id = p.model_id and m.state = 'ACTIVE', unnest(p.neighbours, p.closeness) n(id, closeness) where p.user_id = $2
         ) a, wanted where wanted.yes group by user_id order by 2 desc, 1 limit ${MAX_ALIKE}),
       scored as (select i.bot_id, sum(a.weight) as score from alike a join (select distinct bot_id, user_id from bot_installs) i using (user_id) group by i.bot_id)
       select ${LISTING_COLUMNS}, s.score from ${LISTED} join bots b on b.id = l.bot_id and b.owner_id <> $2 left join scored s on s.bot_id = l.bot_id left join ${RECENT} r on r.bot_id = l.bot_id
       where not exists (select from mine where mine.bot_id = l.bot_id) order by coalesce(s.score, 0) desc, coalesce(r.n, 0) desc, l.installs desc, l.bot_id desc limit $3`,
      [since(reading.now), actor.userId, first],
    );
    return rows.map(({ score, ...listing }) => {
      reading.prime(listingOf, listing.botId, listing);
      return { listing, reason: score === null ? 'POPULAR' : 'SIMILAR_PEOPLE' };
    });
  }

  /** What people think of a bot, the newest first. */
  async ratings(botId: string, args: PageArgs): Promise<Page<RatingRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    const [at, id] = request.from ?? [null, null];
    const rows = await this.sql<RatingRow>(
      `select ${RATING_COLUMNS} from bot_ratings r where r.bot_id = $1 and ($2::timestamptz is null or (r.updated_at, r.user_id) < ($2, $3::uuid)) order by r.updated_at desc, r.user_id desc limit $4`,
      [botId, at === null ? null : new Date(at as number), id, request.limit],
    );
    return toPage(rows, request, (row) => [row.updatedAt.getTime(), row.userId]);
  }
}

const since = (now: Date): Date => new Date(now.getTime() - RECENT_DAYS * 86_400_000);
