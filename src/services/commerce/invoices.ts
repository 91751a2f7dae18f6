import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { ObjectStore } from '../../storage/store.js';
import type { Actor } from '../actor.js';
import { tieFiles } from '../files/file-claims.js';
import { stored } from '../files/uploads.js';
import { linesOfOrder, ORDER_COLUMNS, paymentOfOrder, type OrderRow } from '../loaders/orders.js';
import { renderInvoice } from './invoice-pdf.js';
import { lockPart } from './order-parties.js';
import { noteOrder } from './order-writer.js';

const PDF = 'application/pdf';

/** Invoices: a PDF of an order, made once, that stays as it is; kept and fetched as files are. */
export class InvoiceService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: ObjectStore,
    private readonly clock: Clock,
  ) {}

  /** Makes the invoice of an order, for whoever bought or sold it. Made already: changes nothing. Errors: NOT_FOUND, STATE_CONFLICT (to be paid, or called off), STORAGE_UNAVAILABLE. */
  async create(actor: Actor, orderId: string): Promise<string> {
    const [order] = await this.sql<OrderRow & { shopName: string; shopSlug: string; made: boolean }>(
      `select ${ORDER_COLUMNS}, s.name as "shopName", s.slug as "shopSlug", exists (select from order_invoices i where i.order_id = o.id) as made
       from orders o join shops s on s.id = o.shop_id where o.id = $1 and $2 in (o.buyer_id, s.owner_id)`,
      [orderId, actor.userId],
    );
    if (!order) throw notFound('order');
    if (order.made) return orderId;
    if (order.state !== 'CONFIRMED' && order.state !== 'COMPLETED') throw new DomainError('STATE_CONFLICT', `The order is ${order.state}.`);
    const number = `${order.shopSlug}-${String(order.number).padStart(6, '0')}`;
    const body = await this.#render(order, number);
    const fileId = newId();
    const key = `invoices/${fileId}.pdf`;
    await stored(this.store.put(key, body, PDF));
    const kept = await this.unitOfWork
      .run({ actorId: actor.userId, operation: 'createInvoice' }, async (tx) => {
        const { ownerId } = await lockPart(tx, orderId, actor.userId);
        const made = await tx.sql('insert into order_invoices (order_id, number, file_id, created_at) values ($1, $2, $3, $4) on conflict do nothing returning order_id', [orderId, number, fileId, tx.now]);
        if (!made.length) return false;
        await tx.sql(`insert into files (id, owner_id, state, kind, name, content_type, bytes, key, created_at) values ($1, $2, 'READY', 'OTHER', $3, $4, $5, $6, $7)`, [
          fileId, ownerId, `invoice-${number}.pdf`, PDF, body.length, key, tx.now,
        ]);
        await tieFiles(tx, [fileId], 'INVOICE', { id: orderId });
        await noteOrder(tx, order, 'INVOICED', actor.userId, { number });
        return true;
      })
      .catch(async (error: unknown) => {
        await this.store.remove([key]);
        throw error;
      });
    // Somebody else was first: theirs is the invoice.
    if (!kept) await this.store.remove([key]);
    return orderId;
  }

  async #render(order: OrderRow & { shopName: string }, number: string): Promise<Buffer> {
    const now = this.clock.now();
    const reading = { sql: this.sql, viewerId: null, now };
    const [lines] = await linesOfOrder.batch([order.id], reading);
    const [payment] = await paymentOfOrder.batch([order.id], reading);
    const { currency, address, subtotal, discount, shipping, tax, total, gift } = order;
    return renderInvoice({ number, seller: order.shopName, date: now, currency, address, lines: lines ?? [], subtotal, discount, shipping, tax, total, gift, paid: payment?.captured ?? 0 });
  }
}
