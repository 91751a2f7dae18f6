import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import { boundedInt } from '../../lib/validate.js';
import { Bag, wordsOf, type ContentSpace } from '../../ml/content.js';
import { dot } from '../../ml/twins.js';
import type { Actor, Reading } from '../actor.js';
import { articleById, type ArticleRow } from '../loaders/news.js';
import { FOR_YOU_SCORES, OUTLIVED_HOURS } from '../news/for-you.js';
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
/** Vectors of articles that are kept: 2 MB. */
const KEPT = 4_000;

interface Candidate {
  id: string;
  version: number;
  score: number;
  shown: number;
  topicMatch: string | null;
}

/**
 * News for somebody: the 200 best of the order FOR_YOU (src/services/news/for-you.ts, which keeps them fresh), without what they have read or dismissed; score × (1 + 2 cos(what they are about, article)), then
 * × 0.85 each time it was shown, and by maximal marginal relevance. Where personalization is off, the newest.
 */
export class SuggestedNews {
  readonly #signals: Signals;
  readonly #known = new LRUCache<string, Float32Array>({ max: KEPT });
  /** In which they are. */
  #space: ContentSpace | null = null;

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
    const [{ enabled }, shelf] = await Promise.all([this.personalization.read(actor.userId), this.keeper.shelf(reading.now)]);
    const [candidates, profile] = await Promise.all([this.sql<Candidate>(enabled ? PERSONAL : NEWEST, [actor.userId, reading.now]), enabled ? this.#profile(shelf, actor, reading.now) : null]);
    const vectors = await this.#vectors(reading, shelf.space, candidates);
    const items = candidates.flatMap(({ id, score, shown, topicMatch }, at) => {
      const vector = vectors[at];
      if (!vector) return [];
      const likeness = profile ? Math.max(0, dot(profile, 0, vector, 0, vector.length)) : 0;
      return [{ id, vector, likeness, topicMatch, score: tired(score * (1 + 2 * likeness), shown) }];
    });
    items.sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1));
    const chosen = diverse(items, first, ({ vector }) => vector);
    const articles = await Promise.all(chosen.map(({ id }) => reading.load(articleById, id)));
    return chosen.flatMap(({ likeness, topicMatch, score }, at) => {
      const article = articles[at];
      if (!article) return [];
      const reasons: Reason[] = [];
      if (topicMatch) reasons.push({ kind: 'BECAUSE_OF', text: `You read about ${topicMatch}.`, count: null });
      if (likeness > 0.2) reasons.push({ kind: 'SIMILAR_CONTENT', text: 'It is about what you care about.', count: null });
      if (!reasons.length) reasons.push({ kind: 'NEW', text: 'It is new.', count: null });
      return [{ article, score, reasons }];
    });
  }

  /** What each is about; null for one that is gone meanwhile. Those that were asked for before are known. */
  async #vectors(reading: Reading, space: ContentSpace, candidates: readonly Candidate[]): Promise<(Float32Array | null)[]> {
    if (space !== this.#space) this.#known.clear();
    this.#space = space;
    return Promise.all(
      candidates.map(async ({ id, version }) => {
        const known = this.#known.get(`${id} ${version}`);
        if (known) return known;
        const article = await reading.load(articleById, id);
        if (!article) return null;
        const vector = vectorOf(space, article);
        // Somebody else may have begun with another version of the model.
        if (space === this.#space) this.#known.set(`${id} ${article.version}`, vector);
        return vector;
      }),
    );
  }

  async #profile(shelf: Awaited<ReturnType<ShelfKeeper['shelf']>>, actor: Actor, now: Date): Promise<Float32Array> {
    const [learned] = await this.sql<{ vector: Buffer | null }>('select vector from learned_people where model_id = $1 and user_id = $2', [shelf.modelId, actor.userId]);
    return learned?.vector ? toFloats(learned.vector) : shelf.space.vector((await this.#signals.about([actor.userId], now))[0]!.bag);
  }
}

function vectorOf(space: ContentSpace, { topics, title, summary }: ArticleRow): Float32Array {
  const bag = new Bag();
  for (const topic of topics) bag.add(`topic:${topic.toLowerCase()}`, 3);
  for (const word of wordsOf(`${title} ${summary ?? ''}`)) bag.add(word);
  return space.vector(bag);
}

const leftIn = (a: string): string => `not exists (select from news_marks r where r.user_id = $1 and r.article_id = ${a}.id and r.read_at is not null)
  and not exists (select from suggestion_dismissals d where d.user_id = $1 and d.target_type = 'ARTICLE' and d.target_id = ${a}.id)`;
/** Not so old that the newest come before it whatever they are about: it is not looked at. */
const RECENT = `a.published_at >= coalesce((select n.published_at from news_articles n where n.first_seen_at <= $2::timestamptz and n.published_at <= $2::timestamptz and ${leftIn('n')} order by n.published_at desc offset ${CANDIDATES - 1} limit 1)
  - interval '${Math.ceil(OUTLIVED_HOURS * 60)} minutes', '-infinity')`;
const SHOWN = `(select count(*)::int from interactions i where i.user_id = $1 and i.target_type = 'ARTICLE' and i.target_id = a.id and i.kind = 'SHOWN') as shown`;

const PERSONAL = `with ${FOR_YOU_SCORES('$1', '$2', `${leftIn('a')} and ${RECENT}`)}, first as (select id, score from scores order by score desc, id desc limit ${CANDIDATES})
  select a.id, a.version, f.score, ${SHOWN}, (select t.topic from topic_shares t where t.topic = any(a.topic_keys) order by t.share desc, t.topic limit 1) as "topicMatch" from first f join news_articles a on a.id = f.id`;
const NEWEST = `select a.id, a.version, 1 as score, 0 as shown, null as "topicMatch" from news_articles a where ${leftIn('a')} and a.published_at > $2::timestamptz - interval '7 days' order by a.published_at desc, a.id desc limit ${CANDIDATES}`;
