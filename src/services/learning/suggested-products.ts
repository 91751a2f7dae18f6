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
    const said = talk?.bag.counts.size ? shelf.space.vector(talk.bag) : null;
    const pool = best(score(shelf, viewed, said, passedOver), POOL);
    const chosen = diverse(pool, first, ({ place }) => shelf.vectors.subarray(place * DIMENSIONS, (place + 1) * DIMENSIONS));
    const about = aboutOf(shelf, viewed.known, viewed.profile);
    const products = await Promise.all(chosen.map(({ place }) => reading.load(productById, shelf.ids[place]!)));
    const becauses = await Promise.all(chosen.map(({ place }) => this.#because(reading, shelf, viewed, place)));
    return chosen.flatMap((item, at) => {
      const product = products[at];
      if (product?.status !== 'PUBLISHED') return [];
      const grounds = { ...groundsOf(shelf, item.place, viewed.factors, about, said), people: shelf.popularity[item.place]!, isNew: reading.now.getTime() - shelf.createdAt[item.place]! < NEW_FOR_MS };
      return [{ product, score: item.score, reasons: productReasons(product, grounds, becauses[at]!, talk?.words ?? []) }];
    });
  }

  /** Products like one: those that the model holds to be near, else by content. Errors: INVALID_INPUT. */
  async similar(reading: Reading, product: ProductRow, first: number): Promise<ProductRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const shelf = await this.keeper.shelf(reading.now);
    const own = shelf.places.get(product.id);
    if (own === undefined) return [];
    const f = shelf.factors?.f ?? 0;
    const items = shelf.ids.flatMap((_, place) => {
      if (place === own) return [];
      const content = dot(shelf.vectors, own * DIMENSIONS, shelf.vectors, place * DIMENSIONS, DIMENSIONS);
      const taste = shelf.factors ? cosine(shelf.factors.values, own, place, f) : 0;
      const score = content + 0.5 * Math.max(0, taste);
      return score > 0.1 ? [{ place, score }] : [];
    });
    items.sort((a, b) => b.score - a.score || a.place - b.place);
    const products = await Promise.all(items.slice(0, first * 2).map(({ place }) => reading.load(productById, shelf.ids[place]!)));
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
    const factors = shelf.factors && known.length ? foldIn(shelf.factors.values, shelf.factors.gram, shelf.factors.f, known, strengths.map(({ strength }) => Math.log1p(strength)), ALS_ALPHA) : null;
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
      const likeness = Math.max(shelf.factors ? cosine(shelf.factors.values, other, place, shelf.factors.f) : 0, dot(shelf.vectors, other * DIMENSIONS, shelf.vectors, place * DIMENSIONS, DIMENSIONS));
      if (likeness > most) [nearest, most] = [at, likeness];
    }
    const product = nearest < 0 ? null : await reading.load(productById, shelf.ids[known[nearest]!]!);
    return product ? { title: product.title, deed: deeds[nearest]! } : null;
  }
}

/** Of each product, its score, and of what that comes. What is passed over has none (−∞). */
function score(shelf: Shelf, { factors, profile, known }: Viewed, talk: Float32Array | null, passedOver: PassedOver): Float32Array {
  const about = aboutOf(shelf, known, profile);
  const scores = new Float32Array(shelf.ids.length);
  for (let place = 0; place < scores.length; place++) {
    if (passedOver.out.has(place) || passedOver.shops.has(shelf.shopIds[place]!)) {
      scores[place] = -Infinity;
      continue;
    }
    const { taste, likeness, talk: said, popular } = groundsOf(shelf, place, factors, about, talk);
    const whole = taste + CONTENT_WEIGHT * likeness + POPULAR_WEIGHT * popular + NEW_WEIGHT * shelf.fresh[place]! + TALK_WEIGHT * Math.max(0, said);
    const shown = passedOver.shown.get(place);
    scores[place] = shown ? tired(whole, shown) : whole;
  }
  return scores;
}

/** What they have done and what they are about, in one: likeness with it is the sum of both. */
function aboutOf(shelf: Shelf, known: readonly number[], profile: Float32Array | null): Float32Array {
  const about = new Float32Array(DIMENSIONS);
  for (const place of known) for (let j = 0; j < DIMENSIONS; j++) about[j]! += shelf.vectors[place * DIMENSIONS + j]!;
  unit(about);
  if (profile) for (let j = 0; j < DIMENSIONS; j++) about[j]! += profile[j]!;
  return about;
}

function groundsOf(shelf: Shelf, place: number, factors: Float32Array | null, about: Float32Array, talk: Float32Array | null): Omit<Grounds, 'people' | 'isNew'> {
  const f = shelf.factors?.f ?? 0;
  return {
    taste: factors && shelf.factors ? dot(factors, 0, shelf.factors.values, place * f, f) : 0,
    likeness: dot(about, 0, shelf.vectors, place * DIMENSIONS, DIMENSIONS),
    talk: talk ? dot(talk, 0, shelf.vectors, place * DIMENSIONS, DIMENSIONS) : 0,
    popular: shelf.popular[place]!,
  };
}

/** The places of the best scores, the best first: without putting all in order. */
function best(scores: Float32Array, count: number): { place: number; score: number }[] {
  let found: { place: number; score: number }[] = [];
  let least = -Infinity;
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

function cosine(values: Float32Array, a: number, b: number, f: number): number {
  const [own, other] = [dot(values, a * f, values, a * f, f), dot(values, b * f, values, b * f, f)];
  return own > 0 && other > 0 ? dot(values, a * f, values, b * f, f) / Math.sqrt(own * other) : 0;
}
