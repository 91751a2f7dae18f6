import { DomainError, forbidden, invalidInput, notFound } from '../lib/errors.js';
import { boundedInt } from '../lib/validate.js';
import { checkAmount } from './money.js';
import { priceOrder, type TaxRate, type Totals } from './pricing.js';

export type GroupBuyState = 'OPEN' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export const GROUP_BUY_TRANSITIONS: Readonly<Record<GroupBuyState, readonly GroupBuyState[]>> = {
  OPEN: ['SUCCEEDED', 'FAILED', 'CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
};

const MAX_TIERS = 10;
export const MAX_GROUP_QUANTITY = 100_000;
const MIN_LIFE_MS = 60_000;
/** A bank holds money for about seven days. */
const MAX_LIFE_MS = 6 * 86_400_000;

/** What one costs once so many are taken together. */
export interface Tier {
  quantity: number;
  price: number;
}

/** More together cost less each. The first tier is the least that it takes. Throws INVALID_INPUT. */
export function cleanTiers(given: readonly Tier[]): Tier[] {
  if (!given.length || given.length > MAX_TIERS) throw invalidInput('tiers', `A group buy has 1 to ${MAX_TIERS} tiers.`);
  const tiers = given.map(({ quantity, price }) => ({ quantity: boundedInt(quantity, 'tiers.quantity', 1, MAX_GROUP_QUANTITY), price: checkAmount(price, 'tiers.price', 1) }));
  if (tiers.some((tier, index) => index > 0 && (tier.quantity <= tiers[index - 1]!.quantity || tier.price >= tiers[index - 1]!.price))) {
    throw invalidInput('tiers', 'Each tier takes more than the one before, and costs less.');
  }
  return tiers;
}

export function checkDeadline(deadline: Date, now: Date): Date {
  const life = deadline.getTime() - now.getTime();
  if (!(life >= MIN_LIFE_MS && life <= MAX_LIFE_MS)) throw invalidInput('deadline', 'A group buy lasts from a minute to six days.');
  return deadline;
}

/** The tier that so many have reached; null: too few. */
export const tierAt = (tiers: readonly Tier[], quantity: number): Tier | null => tiers.findLast((tier) => tier.quantity <= quantity) ?? null;

/** How somebody's part is priced, as of when they joined: what shipping and taxes become later changes nothing. */
export interface ShareTerms {
  quantity: number;
  taxClass: string;
  /** What shipping costs them. */
  shipping: number | null;
  taxes: [taxClass: string, rate: TaxRate][];
}

/** What somebody's part costs at a price. Never more at a lower price: what is held is always enough. */
export const priceShare = ({ quantity, taxClass, shipping, taxes }: ShareTerms, unitPrice: number): Totals =>
  priceOrder({ lines: [{ quantity, unitPrice, taxClass }], discounts: [], shipping: shipping === null ? null : { amount: shipping, freeFrom: null }, taxes: new Map(taxes), gifts: [] });

/** What decides about a person and a group buy. */
export interface GroupBuyAccess {
  groupBuy: { ownerId: string; chatId: string | null; state: GroupBuyState; deadline: Date };
  /** Whether they are in its chat. */
  member: boolean;
}

export const canSeeGroupBuy = ({ groupBuy, member }: GroupBuyAccess, userId: string): boolean => groupBuy.ownerId === userId || (groupBuy.chatId !== null && member);

export function assertSeesGroupBuy(access: GroupBuyAccess | null, userId: string): asserts access is GroupBuyAccess {
  if (!access || !canSeeGroupBuy(access, userId)) throw notFound('group buy');
}

export function assertRunsGroupBuy(access: GroupBuyAccess | null, userId: string): asserts access is GroupBuyAccess {
  assertSeesGroupBuy(access, userId);
  if (access.groupBuy.ownerId !== userId) throw forbidden('This is for whoever made the group buy.');
}

/** One joins and leaves until the deadline. */
export function assertStillOpen({ groupBuy }: GroupBuyAccess, now: Date): void {
  if (groupBuy.state !== 'OPEN') throw new DomainError('STATE_CONFLICT', `The group buy has ${groupBuy.state}.`);
  if (groupBuy.deadline <= now) throw new DomainError('STATE_CONFLICT', 'The time of the group buy is up.');
}
