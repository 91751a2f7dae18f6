import type { Sql } from '../../db/database.js';
import { invalidInput } from '../../lib/errors.js';
import { boundedInt } from '../../lib/validate.js';
import { ALS_ALPHA, foldIn } from '../../ml/als.js';
import { DIMENSIONS, unit } from '../../ml/content.js';
import { CONTENT_WEIGHT } from '../../ml/evaluation.js';
import { dot } from '../../ml/twins.js';
import type { Actor, Reading } from '../actor.js';
import { productById, type ProductRow } from '../loaders/products.js';
import { toFloats } from './bytes.js';
import type { PersonalizationService } from './personalization.js';
import { productReasons, type Because, type Grounds } from './product-reasons.js';
import { diverse, tired } from './ranking.js';
import type { Shelf, ShelfKeeper } from './shelf.js';
import { Signals, type Deed } from './signals.js';
import { MAX_SUGGESTIONS, type Reason } from './suggested-people.js';
import { Talks, type Talk } from './talk.js';

export interface SuggestedProductRow {
  product: ProductRow;
  score: number;
  reasons: Reason[];
}

/** Where it is asked what is being talked about: one of the two at the most. */
export interface TalkedAt {
  chatId: string | null;
  callId: string | null;
}

const TALK_WEIGHT = 4;
const POPULAR_WEIGHT = 0.15;
/** What is new is worth so much more, half after two weeks. */
const NEW_WEIGHT = 0.1;
/** Less is no reason that anybody would understand. */
const MIN_LIKENESS = 0.4;
/** Less is not alike. */
const MIN_ALIKE = 0.1;
/** So long it is called new. */
const NEW_FOR_MS = 7 * 86_400_000;
/** Those that are looked at for their likeness with each other, and for being there. */
const POOL = 200;

interface Viewed {
  factors: Float32Array | null;
  /** What they are about. */
  profile: Float32Array | null;
  /** Places of what they have done something with, the most first. */
  known: number[];
  /** What they have done with each of these. */
  deeds: Deed[];
}
/** By what products are ranked. */
interface By {
  factors: Float32Array | null;
  /** What they have done and what they are about. */
  about: Float32Array;
  talk: Float32Array | null;
}
const NOTHING: Viewed = { factors: null, profile: null, known: [], deeds: [] };
/** What is not suggested, and how often the rest was shown of late and not taken up. */
interface PassedOver {
  out: Set<number>;
  shops: Set<string>;
  shown: Map<number, number>;
}

/**
 * Products for somebody:
 *
 *     score = xᵀy + 0.3 cos(what they have done, product) + 0.3 cos(what they are about, product) + 0.15 ln(1 + popularity) / ln(1 + the most) + 0.1 × 2^(−age / 14 days) + 4 cos(the talk, product)
 *
 * xᵀy are the factors of the model (of somebody new: solved at once); the talk counts in a chat or a call alone. Then × 0.85 each time it was shown to no effect, and the order by maximal marginal relevance. Without any signal, what is
 * popular and new.
 */
export class SuggestedProducts {
  readonly #signals: Signals;
  readonly #talks: Talks;

  constructor(
    private readonly sql: Sql,
    private readonly keeper: ShelfKeeper,
    private readonly personalization: PersonalizationService,
  ) {
    this.#signals = new Signals(sql);
    this.#talks = new Talks(sql);
  }

  /** With a chat or a call: by what is being talked about there, as far as the actor sees it. Errors: INVALID_INPUT, NOT_FOUND (chat, call). */
  async list(reading: Reading, actor: Actor, where: TalkedAt, first: number): Promise<SuggestedProductRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const talk = await this.#talk(actor, where);
    const [shelf, { enabled }] = await Promise.all([this.keeper.shelf(reading.now), this.personalization.read(actor.userId)]);
    const [viewed, passedOver] = await Promise.all([enabled ? this.#viewed(shelf, actor, reading.now) : NOTHING, this.#passedOver(actor, shelf)]);
    for (const place of viewed.known) passedOver.out.add(place);
    for (const id of talk?.shown ?? []) passedOver.out.add(shelf.places.get(id) ?? -1);
    const by: By = { factors: viewed.factors, about: aboutOf(shelf, viewed), talk: talk?.bag.counts.size ? shelf.space.vector(talk.bag) : null };
    const pool = best(score(shelf, by, passedOver), POOL);
    const chosen = diverse(pool, first, ({ place }) => contentOf(shelf, place));
    const products = await Promise.all(chosen.map(({ place }) => reading.load(productById, shelf.ids[place]!)));
    const becauses = await Promise.all(chosen.map(({ place }) => this.#because(reading, shelf, viewed, place)));
    return chosen.flatMap((item, at) => {
      const product = products[at];
      if (product?.status !== 'PUBLISHED') return [];
      const grounds = { ...groundsOf(shelf, item.place, by), people: shelf.popularity[item.place]!, isNew: reading.now.getTime() - shelf.createdAt[item.place]! < NEW_FOR_MS };
      return [{ product, score: item.score, reasons: productReasons(product, grounds, becauses[at]!, talk?.words ?? []) }];
    });
  }

  /** Products like one: cosine of contents + half that of factors. Errors: INVALID_INPUT. */
  async similar(reading: Reading, product: ProductRow, first: number): Promise<ProductRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const shelf = await this.keeper.shelf(reading.now);
    const own = shelf.places.get(product.id);
    if (own === undefined) return [];
    const scores = shelf.contents.times(contentOf(shelf, own)).slice();
    if (shelf.factors) {
      const { rows, f, inverses } = shelf.factors;
      const products = rows.times(rows.values.subarray(own * f, (own + 1) * f));
      for (let place = 0; place < scores.length; place++) scores[place]! += 0.5 * Math.max(0, products[place]! * inverses[place]! * inverses[own]!);
    }
    scores[own] = -Infinity;
    const alike = best(scores, first * 2, MIN_ALIKE);
    const products = await Promise.all(alike.map(({ place }) => reading.load(productById, shelf.ids[place]!)));
    return products.filter((one) => one?.status === 'PUBLISHED').slice(0, first) as ProductRow[];
  }

  #talk(actor: Actor, { chatId, callId }: TalkedAt): Promise<Talk> | null {
    if (chatId !== null && callId !== null) throw invalidInput('callId', 'A chat or a call, not both.');
    if (callId !== null) return this.#talks.inCall(actor, callId);
    return chatId === null ? null : this.#talks.inChat(actor, chatId);
  }

  async #viewed(shelf: Shelf, actor: Actor, now: Date): Promise<Viewed> {
    const [all, [learned]] = await Promise.all([
      this.#signals.strengths([actor.userId], now),
      this.sql<{ vector: Buffer | null }>('select vector from learned_people where model_id = $1 and user_id = $2', [shelf.modelId, actor.userId]),
    ]);
    const strengths = all.filter(({ productId }) => shelf.places.has(productId)).slice(0, 200);
    const known = strengths.map(({ productId }) => shelf.places.get(productId)!);
    const profile = learned?.vector ? toFloats(learned.vector) : shelf.space.vector((await this.#signals.about([actor.userId], now))[0]!.bag);
    // Solved anew, as it takes a tenth of a millisecond: what was done a moment ago counts.
    const factors = shelf.factors && known.length ? foldIn(shelf.factors.rows.values, shelf.factors.gram, shelf.factors.f, known, strengths.map(({ strength }) => Math.log1p(strength)), ALS_ALPHA) : null;
    return { factors, profile, known, deeds: strengths.map(({ deed }) => deed) };
  }

  /** What is not suggested: dismissed, or of shops of their own; and how often each was shown of late and not taken up. */
  async #passedOver(actor: Actor, shelf: Shelf): Promise<PassedOver> {
    const [dismissed, shops, shown] = await Promise.all([
      this.sql<{ id: string }>(`select target_id as id from suggestion_dismissals where user_id = $1 and target_type = 'PRODUCT'`, [actor.userId]),
      this.sql<{ id: string }>('select id from shops where owner_id = $1', [actor.userId]),
      this.sql<{ id: string; n: number }>(
        `select target_id as id, count(*)::int as n from interactions where user_id = $1 and target_type = 'PRODUCT' and kind = 'SHOWN' and at > now() - interval '14 days' group by 1 order by 2 desc limit 5000`,
        [actor.userId],
      ),
    ]);
    const place = (id: string): number => shelf.places.get(id) ?? -1;
    return { out: new Set(dismissed.map(({ id }) => place(id))), shops: new Set(shops.map(({ id }) => id)), shown: new Map(shown.map(({ id, n }) => [place(id), n])) };
  }

  /** What of all that they have done speaks most for it. */
  async #because(reading: Reading, shelf: Shelf, { known, deeds }: Viewed, place: number): Promise<Because | null> {
    let [nearest, most] = [-1, MIN_LIKENESS];
    for (const [at, other] of known.slice(0, 50).entries()) {
      const likeness = Math.max(tasteAlike(shelf, other, place), dot(shelf.contents.values, other * DIMENSIONS, shelf.contents.values, place * DIMENSIONS, DIMENSIONS));
      if (likeness > most) [nearest, most] = [at, likeness];
    }
    const product = nearest < 0 ? null : await reading.load(productById, shelf.ids[known[nearest]!]!);
    return product ? { title: product.title, deed: deeds[nearest]! } : null;
  }
}

/** Of each product, its score. What is passed over has none (−∞). */
function score(shelf: Shelf, { factors, about, talk }: By, passedOver: PassedOver): Float32Array {
  const n = shelf.ids.length;
  const scores = new Float32Array(n);
  for (let place = 0; place < n; place++) scores[place] = POPULAR_WEIGHT * shelf.popular[place]! + NEW_WEIGHT * shelf.fresh[place]!;
  const add = (products: Float32Array, weight: number, least = -Infinity): void => {
    for (let place = 0; place < n; place++) scores[place]! += weight * Math.max(least, products[place]!);
  };
  add(shelf.contents.times(about), CONTENT_WEIGHT);
  if (factors && shelf.factors) add(shelf.factors.rows.times(factors), 1);
  if (talk) add(shelf.contents.times(talk), TALK_WEIGHT, 0);
  for (const [place, times] of passedOver.shown) if (place >= 0) scores[place] = tired(scores[place]!, times);
  for (const place of passedOver.out) if (place >= 0) scores[place] = -Infinity;
  if (passedOver.shops.size) for (let place = 0; place < n; place++) if (passedOver.shops.has(shelf.shopIds[place]!)) scores[place] = -Infinity;
  return scores;
}

/** What they have done and what they are about, in one: likeness with it is the sum of both. */
function aboutOf({ contents }: Shelf, { known, profile }: Viewed): Float32Array {
  const about = new Float32Array(DIMENSIONS);
  for (const place of known) for (let j = 0; j < DIMENSIONS; j++) about[j]! += contents.values[place * DIMENSIONS + j]!;
  unit(about);
  if (profile) for (let j = 0; j < DIMENSIONS; j++) about[j]! += profile[j]!;
  return about;
}

function groundsOf(shelf: Shelf, place: number, { factors, about, talk }: By): Omit<Grounds, 'people' | 'isNew'> {
  const content = contentOf(shelf, place);
  return {
    taste: factors && shelf.factors ? dot(factors, 0, shelf.factors.rows.values, place * shelf.factors.f, shelf.factors.f) : 0,
    likeness: dot(about, 0, content, 0, DIMENSIONS),
    talk: talk ? dot(talk, 0, content, 0, DIMENSIONS) : 0,
    popular: shelf.popular[place]!,
  };
}

const contentOf = ({ contents }: Shelf, place: number): Float32Array => contents.values.subarray(place * DIMENSIONS, (place + 1) * DIMENSIONS);

/** The cosine of factors. */
function tasteAlike({ factors }: Shelf, a: number, b: number): number {
  if (!factors) return 0;
  const { rows, f, inverses } = factors;
  return dot(rows.values, a * f, rows.values, b * f, f) * inverses[a]! * inverses[b]!;
}

/** The places of the best scores above `least`, the best first: without putting all in order. */
function best(scores: Float32Array, count: number, least = -Infinity): { place: number; score: number }[] {
  let found: { place: number; score: number }[] = [];
  const keep = () => (found = found.sort((a, b) => b.score - a.score || a.place - b.place).slice(0, count));
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place]!;
    if (score <= least) continue;
    if (found.push({ place, score }) < 4 * count) continue;
    keep();
    least = found.at(-1)!.score;
  }
  return keep();
}
