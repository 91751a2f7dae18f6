import type { Sql } from '../../db/database.js';
import { notFound } from '../../lib/errors.js';
import { boundedInt } from '../../lib/validate.js';
import { ALS_ALPHA, foldIn } from '../../ml/als.js';
import { Bag, DIMENSIONS, unit, wordsOf } from '../../ml/content.js';
import { CONTENT_WEIGHT } from '../../ml/evaluation.js';
import { dot } from '../../ml/twins.js';
import type { Actor, Reading } from '../actor.js';
import { productById, type ProductRow } from '../loaders/products.js';
import { toFloats } from './bytes.js';
import type { PersonalizationService } from './personalization.js';
import { diverse, tired } from './ranking.js';
import type { Shelf, ShelfKeeper } from './shelf.js';
import { Signals } from './signals.js';
import { MAX_SUGGESTIONS, type Reason } from './suggested-people.js';

export interface SuggestedProductRow {
  product: ProductRow;
  score: number;
  reasons: Reason[];
}

/** Of a chat, so many of its last messages are what is being talked about. */
const TALK = 30;
const TALK_WEIGHT = 4;
const POPULAR_WEIGHT = 0.15;
/** What is new is worth so much more, half after so many days. */
const NEW_WEIGHT = 0.1;
const NEW_DAYS = 14;
/** Those that are looked at for their likeness with each other, and for being there. */
const POOL = 200;

interface Viewed {
  factors: Float32Array | null;
  /** What they are about. */
  profile: Float32Array | null;
  /** Places of what they have done something with, the most first. */
  known: number[];
}
interface Scored {
  place: number;
  score: number;
  taste: number;
  likeness: number;
  talk: number;
  popular: number;
}

/**
 * Products for somebody:
 *
 *     score = xᵀy + 0.3 cos(what they have done, product) + 0.3 cos(what they are about, product) + 0.15 ln(1 + popularity) / ln(1 + the most) + 0.1 × 2^(−age / 14 days) + 4 cos(the talk, product)
 *
 * xᵀy are the factors of the model (of somebody new: solved at once); the talk counts in a chat alone. Then × 0.85 each time it was shown to no effect, and the order by maximal marginal relevance. Without any signal, what is
 * popular and new.
 */
export class SuggestedProducts {
  readonly #signals: Signals;

  constructor(
    private readonly sql: Sql,
    private readonly keeper: ShelfKeeper,
    private readonly personalization: PersonalizationService,
  ) {
    this.#signals = new Signals(sql);
  }

  /** With a chat: by what is being talked about there, as far as the actor sees it. Errors: INVALID_INPUT, NOT_FOUND (chat). */
  async list(reading: Reading, actor: Actor, chatId: string | null, first: number): Promise<SuggestedProductRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const words = chatId === null ? [] : await this.#talk(actor, chatId);
    const [shelf, { enabled }] = await Promise.all([this.keeper.shelf(reading.now), this.personalization.read(actor.userId)]);
    const bag = new Bag();
    for (const word of words) bag.add(word);
    const talk = words.length ? shelf.space.vector(bag) : null;
    const viewed = enabled ? await this.#viewed(shelf, actor, reading.now) : { factors: null, profile: null, known: [] };
    const scored = score(shelf, viewed, talk, reading.now.getTime());
    const passedOver = await this.#passedOver(actor, shelf, viewed.known);
    const pool = scored.filter(({ place }) => !passedOver.out.has(place) && !passedOver.shops.has(shelf.shopIds[place]!));
    for (const item of pool) item.score = tired(item.score, passedOver.shown.get(item.place) ?? 0);
    pool.sort((a, b) => b.score - a.score || a.place - b.place);
    const chosen = diverse(pool.slice(0, POOL), first, ({ place }) => shelf.vectors.subarray(place * DIMENSIONS, (place + 1) * DIMENSIONS));
    const products = await Promise.all(chosen.map(({ place }) => reading.load(productById, shelf.ids[place]!)));
    const titles = await Promise.all(chosen.map((item) => this.#because(reading, shelf, viewed, item)));
    return chosen.flatMap((item, at) => {
      const product = products[at];
      return product?.status === 'PUBLISHED' ? [{ product, score: item.score, reasons: reasonsFor(item, titles[at]!, shelf, reading.now.getTime(), words, product) }] : [];
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

  async #talk(actor: Actor, chatId: string): Promise<string[]> {
    const [member] = await this.sql<{ from: number }>('select visible_from_seq as "from" from chat_members where chat_id = $1 and user_id = $2', [chatId, actor.userId]);
    if (!member) throw notFound('chat');
    const rows = await this.sql<{ text: string }>(
      `select text from messages where chat_id = $1 and seq >= $2 and kind = 'TEXT' and deleted_at is null and text is not null and (expires_at is null or expires_at > now()) order by seq desc limit ${TALK}`,
      [chatId, member.from],
    );
    return rows.flatMap(({ text }) => wordsOf(text)).slice(0, 500);
  }

  async #viewed(shelf: Shelf, actor: Actor, now: Date): Promise<Viewed> {
    const strengths = (await this.#signals.strengths([actor.userId], now)).filter(({ productId }) => shelf.places.has(productId)).slice(0, 200);
    const known = strengths.map(({ productId }) => shelf.places.get(productId)!);
    const [learned] = await this.sql<{ vector: Buffer | null }>('select vector from learned_people where model_id = $1 and user_id = $2', [shelf.modelId, actor.userId]);
    const profile = learned?.vector ? toFloats(learned.vector) : shelf.space.vector((await this.#signals.about([actor.userId], now))[0]!.bag);
    // Solved anew, as it takes a tenth of a millisecond: what was done a moment ago counts.
    const factors = shelf.factors && known.length ? foldIn(shelf.factors.values, shelf.factors.gram, shelf.factors.f, known, strengths.map(({ strength }) => Math.log1p(strength)), ALS_ALPHA) : null;
    return { factors, profile, known };
  }

  /** What is not suggested: had already, dismissed, of shops of their own; and how often each was shown of late and not taken up. */
  async #passedOver(actor: Actor, shelf: Shelf, known: readonly number[]): Promise<{ out: Set<number>; shops: Set<string>; shown: Map<number, number> }> {
    const [dismissed, shops, shown] = await Promise.all([
      this.sql<{ id: string }>(`select target_id as id from suggestion_dismissals where user_id = $1 and target_type = 'PRODUCT'`, [actor.userId]),
      this.sql<{ id: string }>('select id from shops where owner_id = $1', [actor.userId]),
      this.sql<{ id: string; n: number }>(
        `select target_id as id, count(*)::int as n from interactions where user_id = $1 and target_type = 'PRODUCT' and kind = 'SHOWN' and at > now() - interval '14 days' group by 1 order by 2 desc limit 5000`,
        [actor.userId],
      ),
    ]);
    const place = (id: string): number => shelf.places.get(id) ?? -1;
    return { out: new Set([...known, ...dismissed.map(({ id }) => place(id))]), shops: new Set(shops.map(({ id }) => id)), shown: new Map(shown.map(({ id, n }) => [place(id), n])) };
  }

  /** What of all that they have done speaks most for it. */
  async #because(reading: Reading, shelf: Shelf, { known }: Viewed, { place }: Scored): Promise<string | null> {
    let [best, most] = [-1, 0.15];
    for (const other of known.slice(0, 50)) {
      const likeness = Math.max(shelf.factors ? cosine(shelf.factors.values, other, place, shelf.factors.f) : 0, dot(shelf.vectors, other * DIMENSIONS, shelf.vectors, place * DIMENSIONS, DIMENSIONS));
      if (likeness > most) [best, most] = [other, likeness];
    }
    return best < 0 ? null : ((await reading.load(productById, shelf.ids[best]!))?.title ?? null);
  }
}

function score(shelf: Shelf, { factors, profile, known }: Viewed, talk: Float32Array | null, now: number): Scored[] {
  const done = new Float32Array(DIMENSIONS);
  for (const place of known) for (let j = 0; j < DIMENSIONS; j++) done[j]! += shelf.vectors[place * DIMENSIONS + j]!;
  unit(done);
  const f = shelf.factors?.f ?? 0;
  return shelf.ids.map((_, place) => {
    const at = place * DIMENSIONS;
    const taste = factors && shelf.factors ? dot(factors, 0, shelf.factors.values, place * f, f) : 0;
    const likeness = dot(done, 0, shelf.vectors, at, DIMENSIONS) + (profile ? dot(profile, 0, shelf.vectors, at, DIMENSIONS) : 0);
    const popular = shelf.mostPopular ? Math.log1p(shelf.popularity[place]!) / Math.log1p(shelf.mostPopular) : 0;
    const said = talk ? dot(talk, 0, shelf.vectors, at, DIMENSIONS) : 0;
    const fresh = 2 ** (-Math.max(0, now - shelf.createdAt[place]!) / (NEW_DAYS * 86_400_000));
    return { place, taste, likeness, talk: said, popular, score: taste + CONTENT_WEIGHT * likeness + POPULAR_WEIGHT * popular + NEW_WEIGHT * fresh + TALK_WEIGHT * Math.max(0, said) };
  });
}

function cosine(values: Float32Array, a: number, b: number, f: number): number {
  const [own, other] = [dot(values, a * f, values, a * f, f), dot(values, b * f, values, b * f, f)];
  return own > 0 && other > 0 ? dot(values, a * f, values, b * f, f) / Math.sqrt(own * other) : 0;
}

function reasonsFor({ place, likeness, talk, popular, taste }: Scored, because: string | null, shelf: Shelf, now: number, words: readonly string[], product: ProductRow): Reason[] {
  const reasons: Reason[] = [];
  if (talk > 0.1) {
    const own = new Set(wordsOf(`${product.title} ${product.description ?? ''} ${product.attributes.map(({ value }) => value).join(' ')}`));
    const said = [...new Set(words)].filter((word) => own.has(word)).slice(0, 3);
    reasons.push({ kind: 'TALKED_ABOUT', text: said.length ? `You are talking about ${said.join(', ')}.` : 'It is about what you are talking about.', count: said.length || null });
  }
  if (because !== null) reasons.push({ kind: 'BECAUSE_OF', text: `Because of ${because}.`, count: null });
  else if (taste > 0.1) reasons.push({ kind: 'LIKE_PEOPLE_NEAR', text: 'People with your taste like it.', count: null });
  if (likeness > 0.2 && !reasons.length) reasons.push({ kind: 'SIMILAR_CONTENT', text: 'It is about what you care about.', count: null });
  if (popular > 0.5) reasons.push({ kind: 'POPULAR', text: 'Many people like it.', count: null });
  if (!reasons.length || now - shelf.createdAt[place]! < 7 * 86_400_000) reasons.push(now - shelf.createdAt[place]! < 7 * 86_400_000 ? { kind: 'NEW', text: 'It is new.', count: null } : { kind: 'POPULAR', text: 'Something you may not know yet.', count: null });
  return reasons;
}
