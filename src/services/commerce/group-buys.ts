import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { assertCanSend, assertCanTakePart, slowModeFor } from '../../policies/chat-policy.js';
import {
  assertRunsGroupBuy, assertSeesGroupBuy, assertStillOpen, canSeeGroupBuy, checkDeadline, cleanTiers, MAX_GROUP_QUANTITY, priceShare, type ShareTerms,
} from '../../policies/group-buy-policy.js';
import type { Money } from '../../policies/money.js';
import type { Actor, Reading } from '../actor.js';
import { lockChat, readChatAccess } from '../chat-access.js';
import { groupBuyAccess, readGroupBuy, type GroupBuyRow } from '../loaders/group-buys.js';
import { messageByKey, type MessageRow } from '../loaders/messages.js';
import { ORDER_COLUMNS, type Address, type OrderRow } from '../loaders/orders.js';
import { writeMessage } from '../message-writer.js';
import type { ModerationGate } from '../moderation/gate.js';
import { cleanTerms, shippingFor, taxesFor } from './checkout-quote.js';
import { decideGroupBuy, lockGroupBuy, tellGroupBuy, type LockedGroupBuy } from './group-buy-records.js';
import type { GroupBuySettling } from './group-buy-settling.js';
import { lockOrder, reserveStock, writeOrder } from './order-writer.js';
import { intendPayment, wantVoid } from './payment-records.js';
import type { PaymentService } from './payments.js';
import { noSuch } from './product-input.js';
import type { CardSender, SharedCard } from './product-sharing.js';
import { assertSells } from './products.js';

/** Parts of one group buy, counted with those that were left or refused. */
const MAX_SHARES = 1_000;

export interface NewGroupBuy {
  variantId: string;
  tiers: { quantity: number; price: Money }[];
  maxQuantity: number | null;
  deadline: Date;
}
export interface NewShare {
  groupBuyId: string;
  quantity: number;
  address: Address;
  shippingMethodId: string | null;
  provider: string;
  method: string;
}

/** Buying together for less: whoever sells says what it takes, each who joins has their money held, and it is taken from all or from none. */
export class GroupBuyService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly cards: CardSender,
    private readonly payments: PaymentService,
    private readonly settling: GroupBuySettling,
    private readonly gate: Pick<ModerationGate, 'passWith'>,
  ) {}

  async find(reading: Reading, id: string): Promise<GroupBuyRow | null> {
    const access = reading.viewer && (await reading.load(groupBuyAccess, id));
    return access && canSeeGroupBuy(access, reading.viewer!.userId) ? access.groupBuy : null;
  }

  /**
   * Opens a group buy in a chat, and sends its card there. By whoever sells what it is about.
   * Errors: NOT_FOUND (variant, chat), FORBIDDEN, INVALID_INPUT, STATE_CONFLICT (not published), and those of sending.
   */
  async create(actor: Actor, given: NewGroupBuy, { idempotencyKey, ...to }: SharedCard): Promise<{ groupBuy: GroupBuyRow; message: MessageRow }> {
    const tiers = cleanTiers(given.tiers.map(({ quantity, price }) => ({ quantity, price: price.amount })));
    const maxQuantity = given.maxQuantity === null ? null : boundedInt(given.maxQuantity, 'maxQuantity', tiers.at(-1)!.quantity, MAX_GROUP_QUANTITY);
    const made = newId();
    const draft = await this.cards.draft(actor, { ...to, idempotencyKey: made }, { type: 'groupbuy', groupBuyId: made });
    const { id, seq } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createGroupBuy', idempotencyKey, input: { given, to } }, async (tx) => {
      const chat = await lockChat(tx.sql, to.chatId, actor.userId);
      assertCanSend(chat);
      await this.gate.passWith(tx.sql, chat, draft, null);
      const { productId, shopId } = await assertSells(tx, given.variantId, actor.userId);
      const deadline = checkDeadline(given.deadline, tx.now);
      const [variant] = await tx.sql<{ active: boolean; status: string; currency: string }>(
        'select v.active, p.status, s.currency from product_variants v join products p on p.id = v.product_id join shops s on s.id = v.shop_id where v.id = $1', [given.variantId],
      );
      if (!variant!.active || variant!.status !== 'PUBLISHED') throw new DomainError('STATE_CONFLICT', 'It is not sold now.', { field: 'variantId' });
      const { currency } = variant!;
      if (given.tiers.some(({ price }) => price.currency !== currency)) throw invalidInput('tiers.price', `The shop sells in ${currency}.`);
      await tx.sql(
        `insert into group_buys (id, shop_id, owner_id, chat_id, product_id, variant_id, currency, tiers, max_quantity, deadline, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [made, shopId, actor.userId, to.chatId, productId, given.variantId, currency, JSON.stringify(tiers), maxQuantity, deadline, tx.now],
      );
      const { message } = await writeMessage(tx, draft, { visibleFromSeq: chat.member.visibleFromSeq, slowModeSeconds: slowModeFor(chat) });
      return { id: made, seq: message.seq };
    });
    const [message] = await messageByKey.batch([{ chatId: to.chatId, seq }], { sql: this.sql, viewerId: actor.userId, now: given.deadline });
    return { groupBuy: await readGroupBuy(this.sql, id), message: message! };
  }

  /**
   * Takes part: an order at the dearest price, whose money is held and whose goods are reserved, but which stands only once the group buy has succeeded. A repeat under the key goes on
   * where the first has come to. When the gateway wants something of the payer, the order's payment says so; then `confirmPayment`.
   * Errors: NOT_FOUND, BLOCKED (another's, in a direct chat), INVALID_INPUT, STATE_CONFLICT (time is up, in it already, too few left), LIMIT_REACHED (1,000 parts, more than all).
   */
  async join(actor: Actor, given: NewShare, idempotencyKey: string): Promise<{ groupBuy: GroupBuyRow; order: OrderRow }> {
    boundedInt(given.quantity, 'quantity', 1, MAX_GROUP_QUANTITY);
    const terms = cleanTerms({ address: given.address, shippingMethodId: given.shippingMethodId, couponCodes: [], giftCardCodes: [] });
    const method = cleanText(given.method, { field: 'method', maxBytes: 256 });
    // Who is paid by hand holds nothing.
    if (!this.payments.has(given.provider) || given.provider === 'manual') throw invalidInput('provider', 'There is no such provider that holds payments.');
    const { orderId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'joinGroupBuy', idempotencyKey, input: given }, async (tx) => {
      const access = await lockGroupBuy(tx, given.groupBuyId, actor.userId);
      assertSeesGroupBuy(access, actor.userId);
      const { ownerId, chatId } = access.groupBuy;
      if (ownerId !== actor.userId && chatId !== null) assertCanTakePart(await readChatAccess(tx.sql, chatId, actor.userId));
      assertStillOpen(access, tx.now);
      await assertRoom(tx, access, actor.userId, given.quantity);
      const { id: groupBuyId, shopId, currency, tiers } = access.groupBuy;
      const { variantId, taxClass, trackStock } = await readSold(tx, access.groupBuy);
      const { country } = terms.address;
      const shipping = await shippingFor(tx.sql, { shopId, currency }, terms.shippingMethodId, country);
      const taxes = await taxesFor(tx.sql, shopId, country);
      const dearest = tiers[0]!.price;
      const free = shipping?.freeFrom != null && dearest * given.quantity >= shipping.freeFrom;
      const share: ShareTerms = { quantity: given.quantity, taxClass, shipping: shipping && (free ? 0 : shipping.amount), taxes };
      const totals = priceShare(share, dearest);
      const id = newId();
      const line = { variantId, quantity: given.quantity, unitPrice: dearest, shares: [{ userId: actor.userId, quantity: given.quantity, addedAt: tx.now.toISOString() }] };
      await writeOrder(tx, id, { cart: { id: null, shopId, currency }, lines: [line], shipping, discounts: [], giftCards: [], totals }, terms, actor.userId);
      await tx.sql('update orders set group_buy_id = $2 where id = $1', [id, groupBuyId]);
      const [short] = trackStock ? await reserveStock(tx, id, [line]) : [];
      if (short) throw new DomainError('STATE_CONFLICT', `Only ${short.available} are left.`, { field: 'quantity' });
      await tx.sql('insert into group_buy_shares (order_id, group_buy_id, user_id, quantity, terms, created_at) values ($1, $2, $3, $4, $5, $6)', [id, groupBuyId, actor.userId, given.quantity, JSON.stringify(share), tx.now]);
      await intendPayment(tx, { orderId: id, provider: given.provider, method, amount: totals.due, currency, hold: true });
      return { orderId: id };
    });
    await this.payments.drive(orderId);
    const groupBuy = await readGroupBuy(this.sql, given.groupBuyId);
    if (groupBuy.state === 'OPEN' && groupBuy.maxQuantity !== null && groupBuy.quantity >= groupBuy.maxQuantity) await this.settling.decide(groupBuy.id);
    const [order] = await this.sql<OrderRow>(`select ${ORDER_COLUMNS} from orders o where o.id = $1`, [orderId]);
    return { groupBuy: await readGroupBuy(this.sql, given.groupBuyId), order: order! };
  }

  /**
   * Takes the actor's part back while it is open, also when they are no longer in the chat: what is held is let go. Not in it: changes nothing.
   * Errors: NOT_FOUND, STATE_CONFLICT (decided, or time is up).
   */
  async leave(actor: Actor, groupBuyId: string): Promise<GroupBuyRow> {
    const left = await this.unitOfWork.run({ actorId: actor.userId, operation: 'leaveGroupBuy' }, async (tx) => {
      const access = await lockGroupBuy(tx, groupBuyId, actor.userId);
      if (!access) throw notFound('group buy');
      const [own] = await tx.sql<{ id: string }>(`update group_buy_shares s set gone = true from orders o where ${ACTIVE} and s.group_buy_id = $1 and s.user_id = $2 returning o.id`, [groupBuyId, actor.userId]);
      // Whoever has left the chat sees it no more; what is held of theirs stays theirs.
      if (!own) assertSeesGroupBuy(access, actor.userId);
      assertStillOpen(access, tx.now);
      if (!own) return null;
      await wantVoid(tx, (await lockOrder(tx, own.id))!);
      tellGroupBuy(tx, access.groupBuy);
      return own.id;
    });
    if (left) await this.payments.drive(left);
    return readGroupBuy(this.sql, groupBuyId);
  }

  /** Calls it off: everybody's money is let go. Called off already: changes nothing. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (decided). */
  async cancel(actor: Actor, groupBuyId: string): Promise<GroupBuyRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'cancelGroupBuy' }, async (tx) => {
      const access = await lockGroupBuy(tx, groupBuyId, actor.userId);
      assertRunsGroupBuy(access, actor.userId);
      if (access.groupBuy.state === 'CANCELLED') return;
      if (access.groupBuy.state !== 'OPEN') throw new DomainError('STATE_CONFLICT', `The group buy has ${access.groupBuy.state}.`);
      await decideGroupBuy(tx, access.groupBuy, true);
    });
    return readGroupBuy(this.sql, groupBuyId);
  }
}

/** A share `s` of an order `o` that may still come to something. */
const ACTIVE = `o.id = s.order_id and not s.gone and o.state = 'PENDING'`;

async function assertRoom(tx: Tx, { groupBuy: { id, maxQuantity } }: LockedGroupBuy, userId: string, quantity: number): Promise<void> {
  const [now] = await tx.sql<{ all: number; taken: number; own: number }>(
    `select count(*)::int as all, coalesce(sum(s.quantity) filter (where ${ACTIVE}), 0)::int as taken, count(*) filter (where ${ACTIVE} and s.user_id = $2)::int as own
     from group_buy_shares s join orders o on o.id = s.order_id where s.group_buy_id = $1`,
    [id, userId],
  );
  const { all, taken, own } = now!;
  if (own) throw new DomainError('STATE_CONFLICT', 'You are in it already: leave it first.');
  if (all >= MAX_SHARES) throw new DomainError('LIMIT_REACHED', `At most ${MAX_SHARES} join a group buy.`);
  if (maxQuantity !== null && taken + quantity > maxQuantity) throw new DomainError('LIMIT_REACHED', `Only ${maxQuantity - taken} may still be taken.`, { field: 'quantity' });
}

async function readSold(tx: Tx, { variantId }: GroupBuyRow): Promise<{ variantId: string; taxClass: string; trackStock: boolean }> {
  const [row] = await tx.sql<{ taxClass: string; trackStock: boolean }>(
    `select p.tax_class as "taxClass", v.track_stock as "trackStock" from product_variants v join products p on p.id = v.product_id where v.id = $1 and v.active and p.status = 'PUBLISHED'`,
    [variantId],
  );
  if (!row) throw noSuch('product any more', 'groupBuyId');
  return { variantId, ...row };
}
