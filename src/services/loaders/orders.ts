import { keyed, type Keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { FulfillmentState, OrderState, PaymentState, ReturnState } from '../../policies/order-machine.js';
import type { CartShare } from './carts.js';

export interface Address {
  name: string;
  line1: string;
  line2: string | null;
  postalCode: string;
  city: string;
  region: string | null;
  /** ISO 3166-1 alpha-2. */
  country: string;
  phone: string | null;
}
export interface OrderRow {
  id: string;
  shopId: string;
  number: number;
  cartId: string | null;
  /** The group buy that it takes part in. */
  groupBuyId: string | null;
  buyerId: string;
  state: OrderState;
  currency: string;
  subtotal: number;
  discount: number;
  shipping: number;
  tax: number;
  taxAdded: number;
  total: number;
  gift: number;
  refunded: number;
  address: Address;
  shippingMethod: string | null;
  version: number;
  createdAt: Date;
}
export const ORDER_COLUMNS = `o.id, o.shop_id as "shopId", o.number, o.cart_id as "cartId", o.group_buy_id as "groupBuyId", o.buyer_id as "buyerId", o.state, o.currency, o.subtotal::float8 as subtotal, o.discount::float8 as discount, o.shipping::float8 as shipping,
  o.tax::float8 as tax, o.tax_added::float8 as "taxAdded", o.total::float8 as total, o.gift::float8 as gift, o.refunded::float8 as refunded, o.address, o.shipping_method as "shippingMethod", o.version, o.created_at as "createdAt"`;

const ORDERS = keyed<OrderRow>(`select ${ORDER_COLUMNS} from orders o where o.id = any($1)`);
/** An order, whoever asks: who may see it is the caller's question. */
export const orderById: LoaderDef<string, OrderRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await ORDERS(sql, ids), (row) => row.id);
  },
};

export interface OrderLineRow {
  id: string;
  orderId: string;
  variantId: string;
  productId: string;
  title: string;
  sku: string;
  options: string[];
  quantity: number;
  unitPrice: number;
  subtotal: number;
  discount: number;
  tax: number;
  taxRatePpm: number;
  total: number;
  shares: CartShare[];
  fulfilled: number;
  /** Asked to come back, or come back. */
  returning: number;
  currency: string;
}
const LINES = keyed<OrderLineRow>(
  `select l.id, l.order_id as "orderId", l.variant_id as "variantId", l.product_id as "productId", l.title, l.sku, l.options, l.quantity, l.unit_price::float8 as "unitPrice", l.subtotal::float8 as subtotal,
     l.discount::float8 as discount, l.tax::float8 as tax, l.tax_rate_ppm as "taxRatePpm", l.total::float8 as total, l.shares, l.fulfilled, l.returning_count as "returning", o.currency
   from order_lines l join orders o on o.id = l.order_id where l.order_id = any($1) order by l.order_id, l.position`,
);
const EVENTS = keyed<OrderEventRow>(
  `select e.order_id as "orderId", e.kind, e.actor_id as "actorId", e.detail, e.created_at as at from order_events e where e.order_id = any($1) order by e.order_id, e.id`,
);
const FULFILLMENTS = keyed<FulfillmentRow>(
  `select f.id, f.order_id as "orderId", f.state, f.tracking, f.lines, f.created_at as "createdAt", f.delivered_at as "deliveredAt" from fulfillments f where f.order_id = any($1) order by f.order_id, f.id`,
);
const PAYMENTS = keyed<PaymentRow>(
  `select p.id, p.order_id as "orderId", p.provider, p.method, p.amount::float8 as amount, p.currency, p.state, p.reference, p.action_url as "actionUrl", p.failure, p.captured::float8 as captured, p.refunded::float8 as refunded
   from payments p where p.order_id = any($1)`,
);

export interface ReturnRow {
  id: string;
  orderId: string;
  state: ReturnState;
  lines: { lineId: string; quantity: number }[];
  reason: string | null;
  note: string | null;
  restocked: boolean;
  createdAt: Date;
  updatedAt: Date;
}
const RETURNS = keyed<ReturnRow>(
  `select r.id, r.order_id as "orderId", r.state, r.lines, r.reason, r.note, r.restocked, r.created_at as "createdAt", r.updated_at as "updatedAt" from order_returns r where r.order_id = any($1) order by r.order_id, r.id`,
);
const INVOICES = keyed<{ orderId: string; fileId: string }>('select i.order_id as "orderId", i.file_id as "fileId" from order_invoices i where i.order_id = any($1)');

export interface OrderEventRow {
  orderId: string;
  kind: string;
  actorId: string | null;
  detail: Record<string, string | number | null>;
  at: Date;
}
export interface FulfillmentRow {
  id: string;
  orderId: string;
  state: FulfillmentState;
  tracking: string | null;
  lines: { lineId: string; quantity: number }[];
  createdAt: Date;
  deliveredAt: Date | null;
}
export interface PaymentRow {
  id: string;
  orderId: string;
  provider: string;
  method: string;
  amount: number;
  currency: string;
  state: PaymentState;
  reference: string | null;
  actionUrl: string | null;
  failure: string | null;
  captured: number;
  refunded: number;
}

/** All of what hangs on an order, which is bounded. */
const ofOrder = <Row extends { orderId: string }>(read: Keyed<Row>): LoaderDef<string, Row[]> => ({
  async batch(ids, { sql }) {
    const byOrder = Map.groupBy(await read(sql, ids), (row) => row.orderId);
    return ids.map((id) => byOrder.get(id) ?? []);
  },
});
export const linesOfOrder = ofOrder(LINES);
export const timelineOfOrder = ofOrder(EVENTS);
export const fulfillmentsOfOrder = ofOrder(FULFILLMENTS);
export const returnsOfOrder = ofOrder(RETURNS);

/** The payment of an order; null: gift cards have paid it. */
export const paymentOfOrder: LoaderDef<string, PaymentRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await PAYMENTS(sql, ids), (row) => row.orderId);
  },
};

/** The file of an order's invoice; null: none was made. */
export const invoiceOfOrder: LoaderDef<string, { orderId: string; fileId: string }> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await INVOICES(sql, ids), (row) => row.orderId);
  },
};
