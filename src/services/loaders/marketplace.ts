import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { BotCategory, VersionState } from '../../entities/bot-version.js';

export interface VersionRow {
  id: string;
  botId: string;
  number: number;
  state: VersionState;
  category: BotCategory;
  description: string;
  languages: string[];
  instructions: string;
  model: string | null;
  temperature: number | null;
  tools: string[];
  passages: number;
  decidedAt: Date | null;
  reason: string | null;
  createdAt: Date;
}
/** From `bot_versions v`. */
export const VERSION_COLUMNS = `v.id, v.bot_id as "botId", v.number, v.state, v.category, v.description, v.languages, v.instructions, v.model, v.temperature, v.tools, v.passages, v.decided_at as "decidedAt", v.reason,
  v.created_at as "createdAt"`;

export interface ListingRow {
  botId: string;
  version: number;
  category: BotCategory;
  description: string;
  languages: string[];
  installCount: number;
  ratingSum: number;
  ratingCount: number;
  listedAt: Date;
}
/** From `bot_listings l` and its `bot_versions v`. */
export const LISTING_COLUMNS = `l.bot_id as "botId", v.number as version, l.category, v.description, l.languages, l.installs as "installCount", l.rating_sum as "ratingSum", l.rating_count as "ratingCount", l.listed_at as "listedAt"`;
/** What is listed and can be installed. */
export const LISTED = `bot_listings l join bot_versions v on v.id = l.version_id join users u on u.id = l.bot_id and u.suspended_at is null and l.unlisted_at is null`;

export const listingOf: LoaderDef<string, ListingRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<ListingRow>(`select ${LISTING_COLUMNS} from ${LISTED} where l.bot_id = any($1)`, [ids]), (row) => row.botId);
  },
};

export interface RatingRow {
  botId: string;
  userId: string;
  stars: number;
  text: string | null;
  createdAt: Date;
  updatedAt: Date;
}
/** From `bot_ratings r`. */
export const RATING_COLUMNS = `r.bot_id as "botId", r.user_id as "userId", r.stars, r.text, r.created_at as "createdAt", r.updated_at as "updatedAt"`;

/** What the viewer has to do with a published bot. Keys are bots. */
export interface ListingViewerState {
  installed: boolean;
  rating: RatingRow | null;
}
export const listingViewerState: LoaderDef<string, ListingViewerState> = {
  async batch(ids, { sql, viewerId }) {
    const [installs, ratings] = await Promise.all([
      sql<{ botId: string }>('select distinct bot_id as "botId" from bot_installs where user_id = $2 and bot_id = any($1)', [ids, viewerId]),
      sql<RatingRow>(`select ${RATING_COLUMNS} from bot_ratings r where r.user_id = $2 and r.bot_id = any($1)`, [ids, viewerId]),
    ]);
    return ids.map((id) => ({ installed: installs.some(({ botId }) => botId === id), rating: ratings.find(({ botId }) => botId === id) ?? null }));
  },
};
