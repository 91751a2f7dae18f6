import { DomainError, invalidInput } from '../lib/errors.js';

/** An amount in the smallest unit of its currency (cents, yen): an integer, always. */
export interface Money {
  amount: number;
  currency: string;
}

/** The most that one price may be, and the most that anything may add up to: both are exact in a double, and so in JSON. */
export const MAX_PRICE = 1_000_000_000_000;
export const MAX_TOTAL = 1_000_000_000_000_000;

/** ISO 4217, as far as this runtime knows it. */
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** Minor units by ISO 4217, list one, where they are not two. The runtime tells how amounts are shown by habit, which is without them for forints and rupiahs. */
export const MINOR_DIGITS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
};

/** How many digits of an amount in its smallest unit stand behind the point. */
export const minorDigits = (currency: string): number => MINOR_DIGITS[currency] ?? 2;

export function checkCurrency(currency: string, field: string): string {
  if (!CURRENCIES.has(currency)) throw invalidInput(field, `${field} is a currency of ISO 4217, as CHF.`);
  return currency;
}

/** A price as it is given. */
export function checkAmount(amount: number, field: string, min = 0, max = MAX_PRICE): number {
  if (amount < min || amount > max || !Number.isInteger(amount)) throw invalidInput(field, `${field} is an integer from ${min} to ${max}, in the smallest unit of the currency.`);
  return amount;
}

/** Throws LIMIT_REACHED for a sum that no order may come to. */
export function checkTotal(amount: number): number {
  if (Math.abs(amount) > MAX_TOTAL) throw new DomainError('LIMIT_REACHED', `No order comes to more than ${MAX_TOTAL}.`);
  return amount;
}

/** `amount × numerator / denominator`, rounded half away from zero: the one rounding rule of the house. Exact for any size. */
export function mulDiv(amount: number, numerator: number, denominator: number): number {
  const product = BigInt(amount) * BigInt(numerator);
  const divisor = BigInt(denominator);
  const half = divisor / 2n;
  const magnitude = product < 0n ? -product : product;
  // For an odd divisor there is no half: `half` is then just below it, and the remainder decides.
  const rounded = magnitude / divisor + (magnitude % divisor > (divisor % 2n ? half : half - 1n) ? 1n : 0n);
  return Number(product < 0n ? -rounded : rounded);
}

/**
 * Splits an amount by weights so that the parts add up to it exactly: each gets its share rounded down, and what is left goes, a unit
 * each, to the largest remainders, the earlier first. Without any weight the first gets all.
 */
export function allocate(amount: number, weights: readonly number[]): number[] {
  if (!weights.length) return [];
  const total = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (total === 0n) return weights.map((_, index) => (index === 0 ? amount : 0));
  const shares = weights.map((weight, index) => {
    const product = BigInt(amount) * BigInt(weight);
    return { index, floor: product / total, rest: product % total };
  });
  let left = BigInt(amount) - shares.reduce((sum, { floor }) => sum + floor, 0n);
  const parts = shares.map(({ floor }) => floor);
  for (const { index } of [...shares].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))) {
    if (left <= 0n) break;
    parts[index]! += 1n;
    left--;
  }
  return parts.map(Number);
}
