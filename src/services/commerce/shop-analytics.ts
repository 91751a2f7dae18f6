import type { Sql } from '../../db/database.js';
import { invalidInput } from '../../lib/errors.js';
import type { Actor, Reading } from '../actor.js';
import { shopById } from '../loaders/shops.js';

const MAX_DAYS = 366;
const DAY_MS = 86_400_000;
const TOP = 20;

export interface DayFigures {
  /** The first moment of the day, UTC. */
  day: Date;
  orders: number;
  items: number;
  /** Totals of the orders, what was given back of them since, and what the platform kept. */
  sales: number;
  refunds: number;
  fees: number;
}
export interface TopProduct {
  productId: string;
  title: string;
  items: number;
  sales: number;
}
export interface ShopFigures {
  currency: string;
  days: DayFigures[];
  products: TopProduct[];
  /** How many different people have bought, and how many of them had bought before. */
  buyers: number;
  returning: number;
}

/** What a shop has sold, by day (UTC) and by product: of orders that stand (confirmed or completed) in one currency, counted when they were placed. */
export class ShopAnalytics {
  constructor(private readonly sql: Sql) {}

  /** Null for those who don't run the shop. Errors: INVALID_INPUT (a span that is empty, or longer than 366 days). */
  async figures(reading: Reading, actor: Actor, shopId: string, { since, until, currency: asked }: { since: Date; until: Date; currency: string | null }): Promise<ShopFigures | null> {
    const shop = await reading.load(shopById, shopId);
    if (shop?.ownerId !== actor.userId) return null;
    if (until <= since) throw invalidInput('until', 'until is after since.');
    if (until.getTime() - since.getTime() > MAX_DAYS * DAY_MS) throw invalidInput('until', `At most ${MAX_DAYS} days are counted at once.`);
    const currency = asked ?? shop.currency;
    const values = [shopId, currency, since, until];
    const days = await this.sql<DayFigures>(
      `select date_trunc('day', o.created_at, 'UTC') as day, count(*)::int as orders, sum(l.items)::int as items, sum(o.total)::float8 as sales, sum(o.refunded)::float8 as refunds, sum(f.fees)::float8 as fees
       from orders o cross join lateral (select coalesce(sum(l.quantity), 0) as items from order_lines l where l.order_id = o.id) l
       cross join lateral (select coalesce(sum(e.amount), 0) as fees from ledger_transactions t join ledger_entries e on e.transaction_id = t.id and e.account = 'fees' where t.order_id = o.id) f
       ${SPAN} group by 1 order by 1`,
      values,
    );
    const products = await this.sql<TopProduct>(
      `select l.product_id as "productId", max(l.title) as title, sum(l.quantity)::int as items, sum(l.total)::float8 as sales from orders o join order_lines l on l.order_id = o.id ${SPAN}
       group by l.product_id order by sum(l.total) desc, l.product_id limit ${TOP}`,
      values,
    );
    const [people] = await this.sql<{ buyers: number; returning: number }>(
      `select count(*)::int as buyers, (count(*) filter (where b.n > 1 or exists (select from orders p where p.shop_id = $1 and p.buyer_id = b.buyer_id and p.created_at < $3 and p.state in ('CONFIRMED', 'COMPLETED'))))::int as returning
       from (select o.buyer_id, count(*) as n from orders o ${SPAN} group by o.buyer_id) b`,
      values,
    );
    return { currency, days, products, ...people! };
  }
}

const SPAN = `where o.shop_id = $1 and o.currency = $2 and o.created_at >= $3 and o.created_at < $4 and o.state in ('CONFIRMED', 'COMPLETED')`;
