import { rowsOf, type Holding } from './holding.js';

const BOOKS = 'Books and what backs them are kept by law; RETENTION_ORDER_DAYS after an order its address goes.';

export const COMMERCE: readonly Holding[] = [
  { table: 'orders', columns: ['buyer_id'], exported: 'select o.*, s.name as shop from orders o join shops s on s.id = o.shop_id where o.buyer_id = $1 order by o.id', erased: null, why: BOOKS },
  {
    table: 'order_lines', columns: [], exported: 'select l.order_id, l.position, l.title, l.sku, l.options, l.quantity, l.unit_price, l.discount, l.tax, l.total from order_lines l join orders o on o.id = l.order_id where o.buyer_id = $1 order by 1, 2',
    erased: null, why: BOOKS,
  },
  { table: 'payments', columns: [], exported: 'select p.order_id, p.provider, p.method, p.amount, p.currency, p.state, p.refunded, p.created_at from payments p join orders o on o.id = p.order_id where o.buyer_id = $1 order by p.id', erased: null, why: BOOKS },
  { table: 'order_discounts', columns: ['buyer_id'], exported: 'select order_id, code, amount from order_discounts where buyer_id = $1 order by 1', erased: null, why: BOOKS },
  { table: 'order_events', columns: ['actor_id'], exported: null, erased: null, why: BOOKS },
  { table: 'group_buys', columns: ['owner_id'], exported: 'select id, product_id, currency, tiers, deadline, state, price, created_at from group_buys where owner_id = $1 order by id', erased: null, why: BOOKS },
  { table: 'group_buy_shares', columns: ['user_id'], exported: 'select group_buy_id, order_id, quantity, created_at from group_buy_shares where user_id = $1 order by 1', erased: null, why: BOOKS },
  { table: 'shops', columns: ['owner_id'], exported: 'select id, slug, name, description, currency, created_at from shops where owner_id = $1 order by id', erased: { step: 'shops' }, why: `What it sells is taken off the shelves. ${BOOKS}` },
  { table: 'stock_movements', columns: ['actor_id'], exported: null, erased: null, why: BOOKS },
  {
    table: 'product_reviews', columns: ['user_id'], exported: 'select r.product_id, p.title as product, r.rating, r.title, r.text, r.created_at from product_reviews r join products p on p.id = r.product_id where r.user_id = $1 order by r.id',
    erased: 'update product_reviews set title = null, text = null where user_id = $1', why: 'The stars stay in the average, without words and name.',
  },
  { table: 'carts', columns: ['owner_id'], exported: 'select id, shop_id, title, currency, state, created_at from carts where owner_id = $1 order by id', erased: `delete from carts where owner_id = $1 and chat_id is null and state in ('OPEN', 'CLOSED')`, why: 'A cart that a chat fills belongs to the others, too.' },
  { table: 'cart_shares', columns: ['user_id'], exported: 'select cart_id, variant_id, quantity, added_at from cart_shares where user_id = $1 order by 1, 2', erased: rowsOf('cart_shares', 'user_id'), why: 'What they wanted of it.' },
];
