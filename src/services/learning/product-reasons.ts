import { wordsOf } from '../../ml/content.js';
import type { ProductRow } from '../loaders/products.js';
import type { Deed } from './signals.js';
import type { Reason } from './suggested-people.js';

/** What speaks for a product. */
export interface Grounds {
  taste: number;
  likeness: number;
  talk: number;
  /** How many people have taken it up. */
  people: number;
  /** As a share of the most popular. */
  popular: number;
  isNew: boolean;
}
/** What somebody has done that speaks most for a product. */
export interface Because {
  title: string;
  deed: Deed;
}

/** Fewer are not many, however few everything else has. */
const MANY = 5;
const DID: Readonly<Record<Deed, (title: string) => string>> = {
  BOUGHT: (title) => `bought ${title}`,
  LIKED: (title) => `liked ${title}`,
  CARTED: (title) => `put ${title} into your cart`,
  SEEN: (title) => `looked at ${title}`,
};

/** At least one, as it is shown to people. */
export function productReasons(product: ProductRow, grounds: Grounds, because: Because | null, words: readonly string[]): Reason[] {
  const reasons: Reason[] = [];
  if (grounds.talk > 0.1) {
    const own = new Set(wordsOf(`${product.title} ${product.description ?? ''} ${product.attributes.map(({ value }) => value).join(' ')}`));
    const said = [...new Set(words)].filter((word) => own.has(word)).slice(0, 3);
    reasons.push({ kind: 'TALKED_ABOUT', text: said.length ? `You are talking about: ${said.join(', ')}.` : 'It goes with what is being talked about.', count: said.length || null });
  }
  if (because) reasons.push({ kind: 'BECAUSE_OF', text: `Because you ${DID[because.deed](`“${because.title}”`)}.`, count: null });
  else if (grounds.taste > 0.1) reasons.push({ kind: 'LIKE_PEOPLE_NEAR', text: 'People with your taste like it.', count: null });
  if (grounds.likeness > 0.2 && !reasons.length) reasons.push({ kind: 'SIMILAR_CONTENT', text: 'It is about what you care about.', count: null });
  if (grounds.popular > 0.5 && grounds.people >= MANY) reasons.push({ kind: 'POPULAR', text: `Popular: ${grounds.people} people have taken it up.`, count: grounds.people });
  if (grounds.isNew) reasons.push({ kind: 'NEW', text: 'It is new.', count: null });
  if (!reasons.length) reasons.push({ kind: 'NEW', text: 'Something you may not know yet.', count: null });
  return reasons;
}
