import type { Sql } from '../../db/database.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { sameHash } from '../../lib/secrets.js';
import { cleanText, distinct } from '../../lib/validate.js';
import { priceOrder, type TaxRate, type Totals } from '../../policies/pricing.js';
import { availabilityOf, CART_LINES, type CartLineRow, type CartRow } from '../loaders/carts.js';
import type { Address } from '../loaders/orders.js';
import { noSuch } from './product-input.js';
import { checkCountry, cleanCode, DISCOUNT_COLUMNS, hashGiftCode, SHIPPING_COLUMNS, type DiscountRow, type ShippingMethodRow, type TaxRuleRow } from './selling-terms.js';

const MAX_CODES = 10;

/** How a cart is to be bought. */
export interface Terms {
  address: Address;
  shippingMethodId: string | null;
  couponCodes: string[];
  giftCardCodes: string[];
}
export interface GiftCard {
  id: string;
  balance: number;
}
/** What an order would cost now, and of what. */
export interface Quote {
  cart: CartRow;
  lines: CartLineRow[];
  shipping: ShippingMethodRow | null;
  discounts: DiscountRow[];
  giftCards: GiftCard[];
  totals: Totals;
}
export interface Shortage {
  variantId: string;
  wanted: number;
  available: number;
}

/** An address as it may be kept. Throws INVALID_INPUT. */
export function cleanAddress(address: Address): Address {
  const text = (field: keyof Address, maxBytes: number) => cleanText(address[field]!, { field: `address.${field}`, maxBytes });
  const optional = (field: keyof Address, maxBytes: number) => (address[field] === null ? null : text(field, maxBytes));
  return {
    name: text('name', 256), line1: text('line1', 256), line2: optional('line2', 256), postalCode: text('postalCode', 32), city: text('city', 128), region: optional('region', 128),
    country: checkCountry(address.country, 'address.country'), phone: optional('phone', 32),
  };
}

/** Terms as they may be kept. Throws INVALID_INPUT. */
export function cleanTerms({ address, shippingMethodId, couponCodes, giftCardCodes }: Terms): Terms {
  return {
    address: cleanAddress(address),
    shippingMethodId,
    couponCodes: distinct(couponCodes.map((code) => cleanCode(code, 'couponCodes')), 'couponCodes', MAX_CODES),
    giftCardCodes: distinct(giftCardCodes.map((code) => cleanCode(code, 'giftCardCodes')), 'giftCardCodes', MAX_CODES),
  };
}

/**
 * Reads what an order would be made of, and prices it. With `lock`, what is used up by an order stays as it is until the end of
 * the transaction: discounts, then gift cards, each by their ids. Stock is not asked for here.
 * Errors: STATE_CONFLICT (an empty cart), NOT_FOUND and INVALID_INPUT (shipping, coupons, gift cards), LIMIT_REACHED.
 */
export async function quoteCart(sql: Sql, cart: CartRow, terms: Terms, buyerId: string, now: Date, lock: boolean): Promise<Quote> {
  const lines = await sql<CartLineRow>(`${CART_LINES} where k.id = $1 order by i.variant_id`, [cart.id]);
  if (!lines.length) throw new DomainError('STATE_CONFLICT', 'The cart is empty.');
  const { country } = terms.address;
  const shipping = await shippingFor(sql, cart, terms.shippingMethodId, country);
  const taxes = await taxesFor(sql, cart.shopId, country);
  const subtotal = lines.reduce((sum, { unitPrice, quantity }) => sum + (unitPrice ?? 0) * quantity, 0);
  const discounts = await discountsFor(sql, cart, terms.couponCodes, { subtotal, buyerId, now, lock });
  const giftCards = await giftCardsFor(sql, cart, terms.giftCardCodes, now, lock);
  const totals = priceOrder({
    lines: lines.map(({ quantity, unitPrice, taxClass }) => ({ quantity, unitPrice: unitPrice ?? 0, taxClass })),
    discounts,
    shipping,
    taxes: new Map(taxes),
    gifts: giftCards.map(({ balance }) => balance),
  });
  return { cart, lines, shipping, discounts, giftCards, totals };
}

/** Lines that can't be bought as they are. */
export const shortagesOf = (lines: readonly CartLineRow[]): Shortage[] =>
  lines.filter((line) => availabilityOf(line) !== 'AVAILABLE').map((line) => ({ variantId: line.variantId, wanted: line.quantity, available: availabilityOf(line) === 'SHORT' ? line.available : 0 }));

/** A shop's taxes in a country, by their classes. */
export async function taxesFor(sql: Sql, shopId: string, country: string): Promise<[taxClass: string, rate: TaxRate][]> {
  const rows = await sql<Pick<TaxRuleRow, 'taxClass' | 'ratePpm' | 'included'>>('select tax_class as "taxClass", rate_ppm as "ratePpm", included from tax_rules where shop_id = $1 and country = $2', [shopId, country]);
  return rows.map(({ taxClass, ratePpm, included }) => [taxClass, { ratePpm, included }]);
}

/** A shop that has said how it sends has one of those ways chosen. */
export async function shippingFor(sql: Sql, { shopId, currency }: Pick<CartRow, 'shopId' | 'currency'>, id: string | null, country: string): Promise<ShippingMethodRow | null> {
  const [row] = await sql<ShippingMethodRow>(
    `select ${SHIPPING_COLUMNS} from shipping_methods s where s.shop_id = $1 and s.currency = $2 and (s.countries = '{}' or $3 = any(s.countries)) and ($4::uuid is null or s.id = $4) limit 1`,
    [shopId, currency, country, id],
  );
  if (id !== null && !row) throw noSuch('way of shipping there', 'shippingMethodId');
  if (id === null && row) throw invalidInput('shippingMethodId', 'Choose a way of shipping.');
  return row ?? null;
}

async function discountsFor(sql: Sql, { shopId, currency }: CartRow, codes: string[], { subtotal, buyerId, now, lock }: { subtotal: number; buyerId: string; now: Date; lock: boolean }): Promise<DiscountRow[]> {
  if (!codes.length) return [];
  const rows = await sql<DiscountRow & { own: number }>(
    `select ${DISCOUNT_COLUMNS}, (select count(*)::int from order_discounts u where u.discount_id = d.id and u.buyer_id = $3 and u.active) as own
     from discounts d where d.shop_id = $1 and d.code = any($2) order by d.id ${lock ? 'for update of d' : ''}`,
    [shopId, codes, buyerId],
  );
  if (lock) await recount(sql, rows, buyerId);
  for (const code of codes) {
    const discount = rows.find((row) => row.code === code);
    const ended = !discount || (discount.startsAt && discount.startsAt > now) || (discount.endsAt && discount.endsAt <= now) || (discount.currency !== null && discount.currency !== currency);
    if (ended) throw noSuch('discount now', 'couponCodes');
    if (subtotal < discount.minSubtotal) throw invalidInput('couponCodes', `${code} is for orders from ${discount.minSubtotal} on.`);
    if ((discount.maxUses !== null && discount.uses >= discount.maxUses) || (discount.maxUsesEach !== null && discount.own >= discount.maxUsesEach)) {
      throw new DomainError('LIMIT_REACHED', `${code} has been used as often as it may be.`, { field: 'couponCodes' });
    }
  }
  // In the order in which they were given.
  return codes.map((code) => rows.find((row) => row.code === code)!);
}

/** What was counted before the lock was had may be out of date: what a statement reads is of when it began. */
async function recount(sql: Sql, rows: (DiscountRow & { own: number })[], buyerId: string): Promise<void> {
  const counts = await sql<{ id: string; uses: number; own: number }>(
    'select d.id, d.uses, (select count(*)::int from order_discounts u where u.discount_id = d.id and u.buyer_id = $2 and u.active) as own from discounts d where d.id = any($1)',
    [rows.map((row) => row.id), buyerId],
  );
  for (const row of rows) Object.assign(row, counts.find((count) => count.id === row.id));
}

async function giftCardsFor(sql: Sql, { shopId, currency }: CartRow, codes: string[], now: Date, lock: boolean): Promise<GiftCard[]> {
  if (!codes.length) return [];
  const hashes = codes.map(hashGiftCode);
  const rows = await sql<GiftCard & { hash: Buffer }>(
    `select g.id, g.balance::float8 as balance, g.code_hash as hash from gift_cards g
     where g.shop_id = $1 and g.currency = $2 and g.code_hash = any($3) and (g.expires_at is null or g.expires_at > $4) order by g.id ${lock ? 'for update' : ''}`,
    [shopId, currency, hashes, now],
  );
  return hashes.map((hash) => {
    const card = rows.find((row) => sameHash(hash, row.hash));
    if (!card) throw noSuch('gift card for this order', 'giftCardCodes');
    return { id: card.id, balance: card.balance };
  });
}
