import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { checkAmount, checkCurrency } from '../../policies/money.js';
import type { Actor } from '../actor.js';
import { bookGiftCard } from './ledger.js';
import { cleanTaxClass } from './product-input.js';
import { lockShop } from './product-writer.js';

const MAX_TERMS = 500;
const MAX_GIFT_CARDS = 100_000;
const COUNTRY = /^[A-Z]{2}$/;

export function checkCountry(country: string, field: string): string {
  if (!COUNTRY.test(country)) throw invalidInput(field, `${field} is a country of ISO 3166-1, as CH.`);
  return country;
}

/** A code as it is compared: without spaces, in capitals. */
export function cleanCode(code: string, field: string): string {
  const clean = cleanText(code, { field, maxBytes: 64 }).replace(/\s+/g, '').toUpperCase();
  if (!/^[A-Z0-9][A-Z0-9-]{2,39}$/.test(clean)) throw invalidInput(field, `${field} is 3 to 40 of A–Z, 0–9 and hyphens.`);
  return clean;
}
export const hashGiftCode = (code: string): Buffer => createHash('sha256').update(code).digest();

export interface ShippingMethodRow {
  id: string;
  shopId: string;
  name: string;
  currency: string;
  amount: number;
  freeFrom: number | null;
  countries: string[];
}
export const SHIPPING_COLUMNS = `s.id, s.shop_id as "shopId", s.name, s.currency, s.amount::float8 as amount, s.free_from::float8 as "freeFrom", s.countries`;
export interface TaxRuleRow {
  id: string;
  country: string;
  taxClass: string;
  ratePpm: number;
  included: boolean;
}
export interface DiscountRow {
  id: string;
  code: string;
  kind: 'PERCENT' | 'AMOUNT' | 'FREE_SHIPPING';
  value: number;
  currency: string | null;
  minSubtotal: number;
  startsAt: Date | null;
  endsAt: Date | null;
  maxUses: number | null;
  maxUsesEach: number | null;
  uses: number;
}
export const DISCOUNT_COLUMNS = `d.id, d.code, d.kind, d.value::float8 as value, d.currency, d.min_subtotal::float8 as "minSubtotal", d.starts_at as "startsAt", d.ends_at as "endsAt", d.max_uses as "maxUses",
  d.max_uses_each as "maxUsesEach", d.uses`;

export interface NewShipping {
  shopId: string;
  name: string;
  currency: string;
  amount: number;
  freeFrom: number | null;
  countries: string[];
}
export interface NewDiscount extends Omit<DiscountRow, 'id' | 'uses'> {
  shopId: string;
}
export interface NewGiftCard {
  shopId: string;
  amount: number;
  currency: string;
  expiresAt: Date | null;
  idempotencyKey: string;
}

/** On what terms a shop sells: shipping, tax, discounts, gift cards. */
export class SellingTerms {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT, LIMIT_REACHED. */
  createShipping(actor: Actor, given: NewShipping): Promise<ShippingMethodRow> {
    const name = cleanText(given.name, { field: 'name', maxBytes: 128 });
    const currency = checkCurrency(given.currency, 'currency');
    const amount = checkAmount(given.amount, 'amount');
    const freeFrom = given.freeFrom === null ? null : checkAmount(given.freeFrom, 'freeFrom');
    const countries = distinct(given.countries, 'countries', 250).map((country) => checkCountry(country, 'countries'));
    return this.#term(actor, 'createShippingMethod', given.shopId, 'shipping_methods', async (tx) => {
      const id = newId();
      await tx.sql('insert into shipping_methods (id, shop_id, name, currency, amount, free_from, countries, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
        id, given.shopId, name, currency, amount, freeFrom, countries, tx.now,
      ]);
      return { id, shopId: given.shopId, name, currency, amount, freeFrom, countries };
    });
  }

  /** Sets the rule of a country and a tax class. Errors: as above. */
  setTaxRule(actor: Actor, shopId: string, given: Omit<TaxRuleRow, 'id'>): Promise<TaxRuleRow> {
    const country = checkCountry(given.country, 'country');
    const taxClass = cleanTaxClass(given.taxClass, 'taxClass');
    const ratePpm = boundedInt(given.ratePpm, 'ratePpm', 0, 1_000_000);
    return this.#term(actor, 'setTaxRule', shopId, 'tax_rules', async (tx) => {
      const [row] = await tx.sql<{ id: string }>(
        `insert into tax_rules (id, shop_id, country, tax_class, rate_ppm, included) values ($1, $2, $3, $4, $5, $6)
         on conflict (shop_id, country, tax_class) do update set rate_ppm = excluded.rate_ppm, included = excluded.included returning id`,
        [newId(), shopId, country, taxClass, ratePpm, given.included],
      );
      return { id: row!.id, country, taxClass, ratePpm, included: given.included };
    });
  }

  /** Errors: as above; INVALID_INPUT also for a code that is taken. */
  createDiscount(actor: Actor, given: NewDiscount): Promise<DiscountRow> {
    const { shopId, kind, startsAt, endsAt } = given;
    const code = cleanCode(given.code, 'code');
    const value = kind === 'PERCENT' ? boundedInt(given.value, 'value', 1, 10_000) : kind === 'AMOUNT' ? checkAmount(given.value, 'value', 1) : 0;
    const minSubtotal = checkAmount(given.minSubtotal, 'minSubtotal');
    if (kind === 'AMOUNT' && given.currency === null) throw invalidInput('currency', 'An amount has a currency.');
    if ((minSubtotal > 0 || kind === 'AMOUNT') && given.currency === null) throw invalidInput('currency', 'minSubtotal has a currency.');
    const currency = given.currency === null ? null : checkCurrency(given.currency, 'currency');
    const [maxUses, maxUsesEach] = (['maxUses', 'maxUsesEach'] as const).map((field) => (given[field] === null ? null : boundedInt(given[field], field, 1, 1_000_000_000)));
    if (startsAt && endsAt && endsAt <= startsAt) throw invalidInput('endsAt', 'endsAt is after startsAt.');
    return this.#term(actor, 'createDiscount', shopId, 'discounts', async (tx) => {
      const id = newId();
      const made = await tx.sql(
        `insert into discounts (id, shop_id, code, kind, value, currency, min_subtotal, starts_at, ends_at, max_uses, max_uses_each, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (shop_id, code) do nothing returning id`,
        [id, shopId, code, kind, value, currency, minSubtotal, startsAt, endsAt, maxUses, maxUsesEach, tx.now],
      );
      if (!made.length) throw invalidInput('code', 'Another discount of this shop has this code.');
      return { id, code, kind, value, currency, minSubtotal, startsAt, endsAt, maxUses: maxUses!, maxUsesEach: maxUsesEach!, uses: 0 };
    });
  }

  /**
   * Issues a gift card. Its code is told now, and kept as a hash alone; a repeat under the key is told the card without it.
   * Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT, LIMIT_REACHED.
   */
  async issueGiftCard(actor: Actor, { idempotencyKey, ...given }: NewGiftCard): Promise<{ id: string; code: string | null; last4: string }> {
    const amount = checkAmount(given.amount, 'amount', 1);
    const currency = checkCurrency(given.currency, 'currency');
    const code = `G${randomBytes(10).toString('hex').toUpperCase()}`;
    let told: string | null = null;
    const result = await this.unitOfWork.run({ actorId: actor.userId, operation: 'issueGiftCard', idempotencyKey, input: given }, async (tx) => {
      await lockShop(tx, given.shopId, actor.userId);
      if (given.expiresAt && given.expiresAt <= tx.now) throw invalidInput('expiresAt', 'The card would have expired already.');
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from gift_cards where shop_id = $1', [given.shopId]);
      if (count!.n >= MAX_GIFT_CARDS) throw new DomainError('LIMIT_REACHED', `A shop has at most ${MAX_GIFT_CARDS} gift cards.`);
      const id = newId();
      await tx.sql('insert into gift_cards (id, shop_id, code_hash, last4, currency, initial, balance, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $6, $7, $8)', [
        id, given.shopId, hashGiftCode(code), code.slice(-4), currency, amount, given.expiresAt, tx.now,
      ]);
      await bookGiftCard(tx, { id, shopId: given.shopId, currency, amount });
      told = code;
      return { id, last4: code.slice(-4) };
    });
    return { ...result, code: told };
  }

  /** How a shop sends, to a country or to all; by name. */
  shippingOf(shopId: string, country: string | null): Promise<ShippingMethodRow[]> {
    return this.sql<ShippingMethodRow>(
      `select ${SHIPPING_COLUMNS} from shipping_methods s where s.shop_id = $1 and ($2::text is null or s.countries = '{}' or $2 = any(s.countries)) order by s.name, s.id limit ${MAX_TERMS}`,
      [shopId, country],
    );
  }

  /** Under the shop's lock, while there is room. */
  #term<Row>(actor: Actor, operation: string, shopId: string, table: 'shipping_methods' | 'tax_rules' | 'discounts', write: (tx: Tx) => Promise<Row>): Promise<Row> {
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      await lockShop(tx, shopId, actor.userId);
      const [count] = await tx.sql<{ n: number }>(`select count(*)::int as n from ${table} where shop_id = $1`, [shopId]);
      if (count!.n >= MAX_TERMS) throw new DomainError('LIMIT_REACHED', `A shop has at most ${MAX_TERMS} of them.`);
      return write(tx);
    });
  }
}
