import type { Tx } from '../../db/unit-of-work.js';
import { forbidden, notFound } from '../../lib/errors.js';
import type { OrderRow } from '../loaders/orders.js';
import { lockOrder } from './order-writer.js';

/** Locks an order that the actor has bought or sold. Errors: NOT_FOUND. */
export async function lockPart(tx: Tx, orderId: string, userId: string): Promise<OrderRow & { ownerId: string }> {
  const order = await lockOrder(tx, orderId);
  const [shop] = order ? await tx.sql<{ ownerId: string }>('select owner_id as "ownerId" from shops where id = $1', [order.shopId]) : [];
  if (!order || !shop || (order.buyerId !== userId && shop.ownerId !== userId)) throw notFound('order');
  return { ...order, ...shop };
}

/** Locks an order that the actor has sold. Errors: NOT_FOUND, FORBIDDEN. */
export async function lockSold(tx: Tx, orderId: string, userId: string): Promise<OrderRow> {
  const order = await lockPart(tx, orderId, userId);
  if (order.ownerId !== userId) throw forbidden('This is for whoever runs the shop.');
  return order;
}

/** Locks an order that the actor has bought. Errors: NOT_FOUND, FORBIDDEN. */
export async function lockBought(tx: Tx, orderId: string, userId: string): Promise<OrderRow> {
  const order = await lockPart(tx, orderId, userId);
  if (order.buyerId !== userId) throw forbidden('This is for whoever has bought it.');
  return order;
}
