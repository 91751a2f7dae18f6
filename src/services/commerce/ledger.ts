import type { Tx } from '../../db/unit-of-work.js';
import { newId } from '../../lib/ids.js';
import { mulDiv } from '../../policies/money.js';

/**
 * The books. Accounts gain above zero and lose below: `provider:NAME` is what a gateway owes us (below zero: it is with them), `cash:SHOP` what a shop was paid into its own hand, `shop:ID` what is owed to a
 * shop, `payouts:SHOP` what of it is on its way, `paid:SHOP` what has arrived, `fees` what the platform keeps, `gifts:SHOP` what a shop owes to holders of gift cards. Every transaction comes to nothing in each currency: the database
 * refuses any other at its commit.
 */
export interface Sale {
  orderId: string;
  shopId: string;
  provider: string | null;
  currency: string;
  /** What was paid by the gateway, and by gift cards. */
  paid: number;
  gift: number;
  feeBps: number;
}

/** What the platform keeps of an amount: basis points, rounded as everything is. */
export const feeOf = (amount: number, feeBps: number): number => mulDiv(amount, feeBps, 10_000);

type Entry = [account: string, amount: number];

/** Where the money of a sale is: by hand it is with the shop already. */
const payer = (provider: string | null, shopId: string): string => (provider === 'manual' ? `cash:${shopId}` : `provider:${provider ?? 'none'}`);

/** Writes a transaction once for each kind and `ref`; false: it stands in the books already. */
async function book(tx: Tx, kind: string, ref: string, orderId: string, currency: string, entries: Entry[]): Promise<boolean> {
  const id = newId();
  const made = await tx.sql('insert into ledger_transactions (id, kind, ref, order_id, created_at) values ($1, $2, $3, $4, $5) on conflict (kind, ref) do nothing returning id', [id, kind, ref, orderId, tx.now]);
  if (!made.length) return false;
  const kept = entries.filter(([, amount]) => amount !== 0);
  await tx.sql('insert into ledger_entries (transaction_id, account, currency, amount) select $1, a, $2, n from unnest($3::text[], $4::bigint[]) e(a, n)', [
    id, currency, kept.map(([account]) => account), kept.map(([, amount]) => amount),
  ]);
  return true;
}

/** An order is paid. */
export function bookSale(tx: Tx, { orderId, shopId, provider, currency, paid, gift, feeBps }: Sale): Promise<boolean> {
  const fee = feeOf(paid + gift, feeBps);
  return book(tx, 'SALE', orderId, orderId, currency, [[payer(provider, shopId), -paid], [`gifts:${shopId}`, -gift], ['fees', fee], [`shop:${shopId}`, paid + gift - fee]]);
}

interface GivenBack {
  id: string;
  orderId: string;
  shopId: string;
  currency: string;
  amount: number;
  /** What had gone back until then, so that the parts of the fee add up to the whole. */
  before: number;
}

/** The fee of what goes back of an order, by the books of its sale: the platform may keep another share by now. */
async function feeBack(tx: Tx, { orderId, before, amount }: Pick<GivenBack, 'orderId' | 'before' | 'amount'>): Promise<number> {
  const [sale] = await tx.sql<{ fee: number; total: number }>(
    `select coalesce(sum(e.amount) filter (where e.account = 'fees'), 0)::float8 as fee, coalesce(sum(e.amount) filter (where e.account = 'fees' or e.account like 'shop:%'), 0)::float8 as total
     from ledger_transactions t join ledger_entries e on e.transaction_id = t.id where t.kind = 'SALE' and t.ref = $1`,
    [orderId],
  );
  const { fee, total } = sale!;
  const upTo = (part: number): number => (total > 0 ? mulDiv(fee, Math.min(part, total), total) : 0);
  return upTo(before + amount) - upTo(before);
}

/** Money went back; the fee of it too. */
export async function bookRefund(tx: Tx, refund: GivenBack & Pick<Sale, 'provider'>): Promise<boolean> {
  const { id, orderId, shopId, provider, currency, amount } = refund;
  const fee = await feeBack(tx, refund);
  return book(tx, 'REFUND', id, orderId, currency, [[payer(provider, shopId), amount], ['fees', -fee], [`shop:${shopId}`, fee - amount]]);
}

/** What gift cards had paid is on them again; `before` with what the gateway took. */
export async function bookGiftRefund(tx: Tx, refund: GivenBack): Promise<boolean> {
  const { id, orderId, shopId, currency, amount } = refund;
  const fee = await feeBack(tx, refund);
  return book(tx, 'GIFT_REFUND', id, orderId, currency, [[`gifts:${shopId}`, amount], ['fees', -fee], [`shop:${shopId}`, fee - amount]]);
}

/** A refund that was done has come back: its entries the other way round. */
export async function bookRefundReturned(tx: Tx, { id, orderId, currency }: { id: string; orderId: string; currency: string }): Promise<boolean> {
  const entries = await tx.sql<{ account: string; amount: number }>(
    `select e.account, -e.amount::float8 as amount from ledger_entries e join ledger_transactions t on t.id = e.transaction_id where t.kind = 'REFUND' and t.ref = $1`,
    [id],
  );
  return book(tx, 'REFUND_RETURNED', id, orderId, currency, entries.map(({ account, amount }): Entry => [account, amount]));
}

/** A gift card was issued: the shop has its worth, and owes it to whoever holds the card. */
export const bookGiftCard = (tx: Tx, card: { id: string; shopId: string; currency: string; amount: number }): Promise<boolean> =>
  book(tx, 'GIFT_CARD', card.id, card.id, card.currency, [[`gifts:${card.shopId}`, card.amount], [`shop:${card.shopId}`, -card.amount]]);

/** A gift card has ended: what was left on it is the shop's again. Each time that it ends: what goes back onto it makes it good again. Whoever ends it holds its lock. */
export const bookGiftCardEnd = (tx: Tx, card: { id: string; shopId: string; currency: string; amount: number }): Promise<boolean> =>
  book(tx, 'GIFT_CARD_ENDED', newId(), card.id, card.currency, [[`gifts:${card.shopId}`, -card.amount], [`shop:${card.shopId}`, card.amount]]);

/** An order that gift cards alone had paid is called off: its sale never was, less what had gone back before. */
export async function undoGiftSale(tx: Tx, { orderId, shopId, currency, gift, refunded }: Pick<Sale, 'orderId' | 'shopId' | 'currency' | 'gift'> & { refunded: number }): Promise<boolean> {
  const amount = gift - refunded;
  const fee = await feeBack(tx, { orderId, before: refunded, amount });
  return book(tx, 'SALE_UNDONE', orderId, orderId, currency, [[`gifts:${shopId}`, amount], ['fees', -fee], [`shop:${shopId}`, fee - amount]]);
}

/** Earnings leave the shop's account, and arrive or come back. */
export function bookPayout(tx: Tx, kind: 'PAYOUT' | 'PAYOUT_PAID' | 'PAYOUT_FAILED', { id, shopId, currency, amount }: { id: string; shopId: string; currency: string; amount: number }): Promise<boolean> {
  const [shop, underWay, paid] = [`shop:${shopId}`, `payouts:${shopId}`, `paid:${shopId}`];
  const [from, to] = { PAYOUT: [shop, underWay], PAYOUT_PAID: [underWay, paid], PAYOUT_FAILED: [underWay, shop] }[kind] as [string, string];
  return book(tx, kind, id, id, currency, [[from, -amount], [to, amount]]);
}
