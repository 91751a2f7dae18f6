import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { cartStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { assertOpen, assertOwnsCart, assertSeesCart, canSeeCart, type CartAccess } from '../../policies/cart-policy.js';
import { assertCanSend, assertCanTakePart, slowModeFor } from '../../policies/chat-policy.js';
import { checkCurrency } from '../../policies/money.js';
import type { Actor, Reading } from '../actor.js';
import { lockChat, readChatAccess } from '../chat-access.js';
import { cartAccess, cartById, CART_COLUMNS, type CartRow } from '../loaders/carts.js';
import { viewerMembership } from '../loaders/chats.js';
import type { MessageRow } from '../loaders/messages.js';
import { writeMessage } from '../message-writer.js';
import type { ModerationGate } from '../moderation/gate.js';
import { noSuch } from './product-input.js';
import type { CardSender, SharedCard } from './product-sharing.js';

const MAX_OPEN = 50;
const MAX_LINES = 100;
/** Of one variant in one cart, over all shares. */
export const MAX_QUANTITY = 999;

export interface NewCart {
  shopId: string;
  currency: string | null;
  title: string | null;
  idempotencyKey: string;
}
export interface LineKey {
  cartId: string;
  variantId: string;
}

/** What people mean to buy, alone or together. */
export class CartService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly cards: CardSender,
    private readonly gate: Pick<ModerationGate, 'passWith'>,
  ) {}

  /** A cart at one shop, in one currency. Errors: NOT_FOUND (shop), INVALID_INPUT, LIMIT_REACHED (50 are open). */
  async create(actor: Actor, { idempotencyKey, ...given }: NewCart): Promise<CartRow> {
    const title = given.title === null ? null : cleanText(given.title, { field: 'title', maxBytes: 128 });
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createCart', idempotencyKey, input: given }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [shop] = await tx.sql<{ currency: string }>('select currency from shops where id = $1', [given.shopId]);
      if (!shop) throw noSuch('shop', 'shopId');
      const currency = given.currency === null ? shop.currency : checkCurrency(given.currency, 'currency');
      const [open] = await tx.sql<{ n: number }>(`select count(*)::int as n from carts where owner_id = $1 and state = 'OPEN'`, [actor.userId]);
      if (open!.n >= MAX_OPEN) throw new DomainError('LIMIT_REACHED', `A person has at most ${MAX_OPEN} open carts.`);
      const made = newId();
      await tx.sql('insert into carts (id, shop_id, owner_id, title, currency, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)', [made, given.shopId, actor.userId, title, currency, tx.now]);
      return { id: made };
    });
    return this.#read(id);
  }

  /**
   * Shares a cart in a chat, whose members fill it from then on, and sends its card. In one chat, for good.
   * Errors: NOT_FOUND (cart, chat), FORBIDDEN, STATE_CONFLICT (it is in another chat, or not open), and those of sending.
   */
  async share(actor: Actor, cartId: string, to: SharedCard): Promise<MessageRow> {
    const draft = await this.cards.draft(actor, to, { type: 'cart', cartId });
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'shareCart' }, async (tx) => {
      const chat = await lockChat(tx.sql, to.chatId, actor.userId);
      assertCanSend(chat);
      const access = await lockCart(tx, cartId, actor.userId);
      assertOwnsCart(access, actor.userId);
      const { chatId } = access.cart;
      if (chatId !== null && chatId !== to.chatId) throw new DomainError('STATE_CONFLICT', 'The cart is shared in another chat.', { field: 'chatId' });
      await this.gate.passWith(tx.sql, chat, draft, access.cart.title);
      const { message, repeated } = await writeMessage(tx, draft, { visibleFromSeq: chat.member.visibleFromSeq, slowModeSeconds: slowModeFor(chat) });
      if (repeated || chatId !== null) return message;
      assertOpen(access.cart);
      await tx.sql('update carts set chat_id = $2, version = version + 1, updated_at = $3 where id = $1', [cartId, to.chatId, tx.now]);
      tx.append(cartStream(cartId), { kind: 'cart.updated' });
      return message;
    });
  }

  /**
   * Adds to the actor's share of a line: what others add meanwhile is added too.
   * Errors: NOT_FOUND (cart, variant), BLOCKED (another's cart, in a direct chat), INVALID_INPUT, STATE_CONFLICT (not open), LIMIT_REACHED (100 lines, 999 of one).
   */
  async add(actor: Actor, key: LineKey, quantity: number, idempotencyKey: string): Promise<CartRow> {
    boundedInt(quantity, 'quantity', 1, MAX_QUANTITY);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'addToCart', idempotencyKey, input: { ...key, quantity } }, async (tx) => {
      const before = await lockLine(tx, key, actor.userId, actor.userId);
      await writeShare(tx, key, actor.userId, before, before.own + quantity);
      return null;
    });
    return this.#read(key.cartId);
  }

  /**
   * Sets somebody's share of a line, by default the actor's own; 0 takes it away. With `ifQuantity`, only if it is that now.
   * Errors: as of adding; STATE_CONFLICT too when the share is another by now.
   */
  async set(actor: Actor, key: LineKey, quantity: number, { userId = actor.userId, ifQuantity = null }: { userId?: string; ifQuantity?: number | null } = {}): Promise<CartRow> {
    boundedInt(quantity, 'quantity', 0, MAX_QUANTITY);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'setCartLine' }, async (tx) => {
      const before = await lockLine(tx, key, actor.userId, userId);
      if (ifQuantity !== null && before.own !== ifQuantity) throw new DomainError('STATE_CONFLICT', `The share is ${before.own} by now.`, { field: 'ifQuantity' });
      if (userId !== actor.userId && before.own === 0) throw noSuch('share of this person', 'userId');
      await writeShare(tx, key, userId, before, quantity);
    });
    return this.#read(key.cartId);
  }

  /** Puts a cart away. Closed already: changes nothing. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  async close(actor: Actor, cartId: string): Promise<CartRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'closeCart' }, async (tx) => {
      const access = await lockCart(tx, cartId, actor.userId);
      assertOwnsCart(access, actor.userId);
      if (access.cart.state === 'CLOSED') return;
      assertOpen(access.cart);
      await tx.sql(`update carts set state = 'CLOSED', version = version + 1, updated_at = $2 where id = $1`, [cartId, tx.now]);
      tx.append(cartStream(cartId), { kind: 'cart.updated' });
    });
    return this.#read(cartId);
  }

  /** A cart that the viewer sees, or null. */
  async find(reading: Reading, id: string): Promise<CartRow | null> {
    const access = reading.viewer && (await reading.load(cartAccess, id));
    if (!access || !canSeeCart(access, reading.viewer!.userId)) return null;
    reading.prime(cartById, id, access.cart);
    return access.cart;
  }

  /** The viewer's own, and those shared in their chats; the newest first. */
  async listOwn(reading: Reading, actor: Actor, args: PageArgs): Promise<Page<CartRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<CartRow>(
      `select ${CART_COLUMNS} from carts k where (k.owner_id = $1 or k.chat_id = any(array(select chat_id from chat_members where user_id = $1))) and ($2::uuid is null or k.id < $2)
       order by k.id desc limit $3`,
      [actor.userId, request.from?.[0] ?? null, request.limit],
    );
    return this.#page(reading, rows, request);
  }

  /** Those shared in a chat, the newest first; null for whoever is not in it. */
  async ofChat(reading: Reading, chatId: string, args: PageArgs): Promise<Page<CartRow> | null> {
    const request = pageRequest(args, ['uuid']);
    if (!(await reading.load(viewerMembership, chatId))) return null;
    if (!request.size) return emptyPage();
    const rows = await this.sql<CartRow>(`select ${CART_COLUMNS} from carts k where k.chat_id = $1 and ($2::uuid is null or k.id < $2) order by k.id desc limit $3`, [
      chatId, request.from?.[0] ?? null, request.limit,
    ]);
    return this.#page(reading, rows, request);
  }

  #page(reading: Reading, rows: CartRow[], request: ReturnType<typeof pageRequest>): Page<CartRow> {
    for (const row of rows) reading.prime(cartById, row.id, row);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #read(id: string): Promise<CartRow> {
    const [row] = await this.sql<CartRow>(`select ${CART_COLUMNS} from carts k where k.id = $1`, [id]);
    return row!;
  }
}

/** Locks a cart, and that the actor stays in its chat until the end of the transaction. */
export async function lockCart(tx: Tx, cartId: string, userId: string): Promise<(CartAccess & { cart: CartRow }) | null> {
  const [cart] = await tx.sql<CartRow>(`select ${CART_COLUMNS} from carts k where k.id = $1 for update`, [cartId]);
  if (!cart) return null;
  const [member] = cart.chatId === null ? [] : await tx.sql('select from chat_members where chat_id = $1 and user_id = $2 for key share', [cart.chatId, userId]);
  return { cart, member: member !== undefined };
}

interface Shares {
  /** Of the person whose share it is about. */
  own: number;
  others: number;
  /** Variants in the cart. */
  lines: number;
}

async function lockLine(tx: Tx, { cartId, variantId }: LineKey, actorId: string, userId: string): Promise<Shares> {
  const access = await lockCart(tx, cartId, actorId);
  assertSeesCart(access, actorId);
  const { ownerId, chatId } = access.cart;
  // What somebody puts into another's cart, the other is told of.
  if (ownerId !== actorId && chatId !== null) assertCanTakePart(await readChatAccess(tx.sql, chatId, actorId));
  assertOpen(access.cart);
  const [variant] = await tx.sql<{ sold: boolean }>(
    `select v.active and p.status = 'PUBLISHED' as sold from product_variants v join products p on p.id = v.product_id where v.id = $1 and v.shop_id = $2`,
    [variantId, access.cart.shopId],
  );
  const [shares] = await tx.sql<Shares>(
    `select coalesce(sum(quantity) filter (where variant_id = $2 and user_id = $3), 0)::int as own, coalesce(sum(quantity) filter (where variant_id = $2 and user_id <> $3), 0)::int as others,
       count(distinct variant_id)::int as lines from cart_shares where cart_id = $1`,
    [cartId, variantId, userId],
  );
  // What is no longer sold can still be taken out.
  if (!variant || (!variant.sold && !shares!.own)) throw noSuch('variant in this shop', 'variantId');
  return shares!;
}

async function writeShare(tx: Tx, { cartId, variantId }: LineKey, userId: string, { own, others, lines }: Shares, quantity: number): Promise<void> {
  if (quantity === own) return;
  if (quantity + others > MAX_QUANTITY) throw new DomainError('LIMIT_REACHED', `At most ${MAX_QUANTITY} of one are in a cart.`, { field: 'quantity' });
  if (own + others === 0 && lines >= MAX_LINES) throw new DomainError('LIMIT_REACHED', `A cart has at most ${MAX_LINES} lines.`);
  if (quantity === 0) await tx.sql('delete from cart_shares where cart_id = $1 and variant_id = $2 and user_id = $3', [cartId, variantId, userId]);
  else {
    await tx.sql(
      `insert into cart_shares (cart_id, variant_id, user_id, quantity, added_at) values ($1, $2, $3, $4, $5)
       on conflict (cart_id, variant_id, user_id) do update set quantity = excluded.quantity`,
      [cartId, variantId, userId, quantity, tx.now],
    );
  }
  await tx.sql('update carts set version = version + 1, updated_at = $2 where id = $1', [cartId, tx.now]);
  tx.append(cartStream(cartId), { kind: 'cart.line', variantId });
}

