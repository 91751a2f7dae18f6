import { allocate, checkTotal, mulDiv } from './money.js';

/** What an order costs, as a pure function: the same for a quote and for the order itself. Amounts are in the smallest unit of one currency. */

export interface PricedLine {
  quantity: number;
  unitPrice: number;
  taxClass: string;
}
export interface AppliedDiscount {
  kind: 'PERCENT' | 'AMOUNT' | 'FREE_SHIPPING';
  /** PERCENT: in hundredths of a percent, up to 10,000. AMOUNT: money. */
  value: number;
}
export interface TaxRate {
  /** Millionths: 81000 is 8.1 %. */
  ratePpm: number;
  /** Prices hold the tax already. */
  included: boolean;
}
export interface Pricing {
  lines: readonly PricedLine[];
  /** One after the other, each of what the ones before have left. */
  discounts: readonly AppliedDiscount[];
  shipping: { amount: number; freeFrom: number | null } | null;
  /** By tax class; `shipping` is that of shipping. Without a rule there is no tax. */
  taxes: ReadonlyMap<string, TaxRate>;
  /** What gift cards hold, in the order in which they are used. */
  gifts: readonly number[];
}
export interface LineTotals {
  subtotal: number;
  discount: number;
  taxRatePpm: number;
  tax: number;
  total: number;
}
export interface Totals {
  lines: LineTotals[];
  subtotal: number;
  /** Of each discount, in their order; of FREE_SHIPPING: what shipping would have cost. */
  discounts: number[];
  discount: number;
  shipping: number;
  shippingTax: number;
  /** All of it; `taxAdded`: that which prices did not hold already. */
  tax: number;
  taxAdded: number;
  /** subtotal - discount + shipping + taxAdded */
  total: number;
  gifts: number[];
  /** What is left to pay. */
  due: number;
}

const MILLION = 1_000_000;

/** The tax of an amount, and how much of it comes on top. Rounded half away from zero, for each line by itself. */
function taxOf(amount: number, rate: TaxRate | undefined): { tax: number; added: number; ratePpm: number } {
  if (!rate) return { tax: 0, added: 0, ratePpm: 0 };
  const tax = rate.included ? mulDiv(amount, rate.ratePpm, MILLION + rate.ratePpm) : mulDiv(amount, rate.ratePpm, MILLION);
  return { tax, added: rate.included ? 0 : tax, ratePpm: rate.ratePpm };
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/** Throws LIMIT_REACHED for what no order may come to. */
export function priceOrder({ lines, discounts, shipping, taxes, gifts }: Pricing): Totals {
  const subtotals = lines.map(({ quantity, unitPrice }) => checkTotal(quantity * unitPrice));
  const subtotal = checkTotal(sum(subtotals));
  const left = [...subtotals];
  const taken = lines.map(() => 0);
  const goods: number[] = [];
  for (const { kind, value } of discounts) {
    const remaining = sum(left);
    const amount = kind === 'PERCENT' ? mulDiv(remaining, value, 10_000) : kind === 'AMOUNT' ? Math.min(value, remaining) : 0;
    // In proportion to what is left of each line, so that no line goes below nothing.
    allocate(amount, left).forEach((part, index) => {
      left[index]! -= part;
      taken[index]! += part;
    });
    goods.push(amount);
  }
  const free = discounts.some(({ kind }) => kind === 'FREE_SHIPPING');
  const asked = shipping ? (shipping.freeFrom !== null && sum(left) >= shipping.freeFrom ? 0 : shipping.amount) : 0;
  const shippingCost = free ? 0 : asked;
  const shippingTax = taxOf(shippingCost, taxes.get('shipping'));
  const taxed = left.map((amount, index) => taxOf(amount, taxes.get(lines[index]!.taxClass)));
  const discount = sum(goods);
  const taxAdded = sum(taxed.map(({ added }) => added)) + shippingTax.added;
  const total = checkTotal(subtotal - discount + shippingCost + taxAdded);
  let due = total;
  const used = gifts.map((balance) => {
    const part = Math.min(balance, due);
    due -= part;
    return part;
  });
  const firstFree = discounts.findIndex(({ kind }) => kind === 'FREE_SHIPPING');
  return {
    lines: left.map((amount, index) => ({ subtotal: subtotals[index]!, discount: taken[index]!, taxRatePpm: taxed[index]!.ratePpm, tax: taxed[index]!.tax, total: amount + taxed[index]!.added })),
    subtotal,
    discounts: goods.map((amount, index) => (index === firstFree ? asked : amount)),
    discount,
    shipping: shippingCost,
    shippingTax: shippingTax.tax,
    tax: sum(taxed.map(({ tax }) => tax)) + shippingTax.tax,
    taxAdded,
    total,
    gifts: used,
    due,
  };
}
