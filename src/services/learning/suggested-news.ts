import type { Sql } from '../../db/database.js';
import { boundedInt } from '../../lib/validate.js';
import { Bag, wordsOf } from '../../ml/content.js';
import { dot } from '../../ml/twins.js';
import type { Actor, Reading } from '../actor.js';
import { ARTICLE_COLUMNS, articleById, type ArticleRow } from '../loaders/news.js';
import { FOR_YOU_SCORES } from '../news/for-you.js';
import { toFloats } from './bytes.js';
import type { PersonalizationService } from './personalization.js';
import { diverse, tired } from './ranking.js';
import type { ShelfKeeper } from './shelf.js';
import { Signals } from './signals.js';
import { MAX_SUGGESTIONS, type Reason } from './suggested-people.js';

export interface SuggestedArticleRow {
  article: ArticleRow;
  score: number;
  reasons: Reason[];
}

const CANDIDATES = 200;

/**
 * News for somebody: the 200 best of the order FOR_YOU (src/services/news/for-you.ts, which keeps them fresh), without what they have read or dismissed; score × (1 + 2 cos(what they are about, article)), then
 * × 0.85 each time it was shown, and by maximal marginal relevance. Where personalization is off, the newest.
 */
export class SuggestedNews {
  readonly #signals: Signals;

  constructor(
    private readonly sql: Sql,
    private readonly keeper: ShelfKeeper,
    private readonly personalization: PersonalizationService,
  ) {
    this.#signals = new Signals(sql);
  }

  /** Errors: INVALID_INPUT. */
  async list(reading: Reading, actor: Actor, first: number): Promise<SuggestedArticleRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const { enabled } = await this.personalization.read(actor.userId);
    const rows = await this.sql<ArticleRow & { score: number; shown: number; topicMatch: string | null }>(enabled ? PERSONAL : NEWEST, [actor.userId, reading.now]);
    const shelf = await this.keeper.shelf(reading.now);
    const profile = enabled ? await this.#profile(shelf, actor, reading.now) : null;
    const items = rows.map(({ score, shown, topicMatch, ...article }) => {
      const bag = new Bag();
      for (const topic of article.topics) bag.add(`topic:${topic.toLowerCase()}`, 3);
      for (const word of wordsOf(`${article.title} ${article.summary ?? ''}`)) bag.add(word);
      const vector = shelf.space.vector(bag);
      const likeness = profile ? Math.max(0, dot(profile, 0, vector, 0, vector.length)) : 0;
      return { article, vector, likeness, topicMatch, score: tired(score * (1 + 2 * likeness), shown) };
    });
    items.sort((a, b) => b.score - a.score || (a.article.id < b.article.id ? 1 : -1));
    return diverse(items, first, ({ vector }) => vector).map(({ article, likeness, topicMatch, score }) => {
      reading.prime(articleById, article.id, article);
      const reasons: Reason[] = [];
      if (topicMatch) reasons.push({ kind: 'BECAUSE_OF', text: `You read about ${topicMatch}.`, count: null });
      if (likeness > 0.2) reasons.push({ kind: 'SIMILAR_CONTENT', text: 'It is about what you care about.', count: null });
      if (!reasons.length) reasons.push({ kind: 'NEW', text: 'It is new.', count: null });
      return { article, score, reasons };
    });
  }

  async #profile(shelf: Awaited<ReturnType<ShelfKeeper['shelf']>>, actor: Actor, now: Date): Promise<Float32Array> {
    const [learned] = await this.sql<{ vector: Buffer | null }>('select vector from learned_people where model_id = $1 and user_id = $2', [shelf.modelId, actor.userId]);
    return learned?.vector ? toFloats(learned.vector) : shelf.space.vector((await this.#signals.about([actor.userId], now))[0]!.bag);
  }
}

const LEFT_OUT = `not exists (select from news_marks r where r.user_id = $1 and r.article_id = a.id and r.read_at is not null)
  and not exists (select from suggestion_dismissals d where d.user_id = $1 and d.target_type = 'ARTICLE' and d.target_id = a.id)`;
const SHOWN = `(select count(*)::int from interactions i where i.user_id = $1 and i.target_type = 'ARTICLE' and i.target_id = a.id and i.kind = 'SHOWN') as shown`;

const PERSONAL = `with ${FOR_YOU_SCORES('$1', '$2', LEFT_OUT)} select ${ARTICLE_COLUMNS}, f.score, ${SHOWN},
  (select t.topic from topic_shares t where t.topic = any(a.topic_keys) order by t.share desc, t.topic limit 1) as "topicMatch"
  from scores f join news_articles a on a.id = f.id order by f.score desc, f.id desc limit ${CANDIDATES}`;
const NEWEST = `select ${ARTICLE_COLUMNS}, 1 as score, 0 as shown, null as "topicMatch" from news_articles a where ${LEFT_OUT} and a.published_at > $2::timestamptz - interval '7 days' order by a.published_at desc, a.id desc limit ${CANDIDATES}`;
