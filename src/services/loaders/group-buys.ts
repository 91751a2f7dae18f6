import type { Sql } from '../../db/database.js';
import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { GroupBuyAccess, GroupBuyState, Tier } from '../../policies/group-buy-policy.js';

export interface GroupBuyRow {
  id: string;
  shopId: string;
  ownerId: string;
  chatId: string | null;
  productId: string;
  variantId: string;
  currency: string;
  tiers: Tier[];
  maxQuantity: number | null;
  deadline: Date;
  state: GroupBuyState;
  /** What each pays, once it has succeeded. */
  price: number | null;
  /** How many are taken by payments that are held, and by how many people; once it is decided: as it was then. */
  quantity: number;
  people: number;
  createdAt: Date;
  settledAt: Date | null;
}

/** Shares of a group buy `g` that count: held, and not on their way out. */
export const HELD_SHARES = `from group_buy_shares s join payments p on p.order_id = s.order_id where s.group_buy_id = g.id and not s.gone and p.state = 'AUTHORIZED' and p.wanted is null`;
export const GROUP_BUY_COLUMNS = `g.id, g.shop_id as "shopId", g.owner_id as "ownerId", g.chat_id as "chatId", g.product_id as "productId", g.variant_id as "variantId", g.currency, g.tiers,
  g.max_quantity as "maxQuantity", g.deadline, g.state, g.price::float8 as price, coalesce(g.quantity, (select coalesce(sum(s.quantity), 0) ${HELD_SHARES}))::int as quantity,
  coalesce(g.people, (select count(*) ${HELD_SHARES}))::int as people, g.created_at as "createdAt", g.settled_at as "settledAt"`;

const GROUP_BUYS = keyed<GroupBuyRow>(`select ${GROUP_BUY_COLUMNS} from group_buys g where g.id = any($1)`);
/** A group buy, whoever asks: what may be seen of it is the caller's question. */
export const groupBuyById: LoaderDef<string, GroupBuyRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await GROUP_BUYS(sql, ids), (row) => row.id);
  },
};

const ACCESS = keyed<GroupBuyRow & { member: boolean }>(
  `select ${GROUP_BUY_COLUMNS}, exists (select from chat_members m where m.chat_id = g.chat_id and m.user_id = $2) as member from group_buys g where g.id = any($1)`,
);
/** What decides whether the viewer sees a group buy. */
export const groupBuyAccess: LoaderDef<string, GroupBuyAccess & { groupBuy: GroupBuyRow }> = {
  async batch(ids, { sql, viewerId }) {
    return inOrder(ids, await ACCESS(sql, ids, viewerId), (row) => row.id).map((row) => row && { groupBuy: row, member: row.member });
  },
};

export interface GroupBuyShareRow {
  groupBuyId: string;
  orderId: string;
  quantity: number;
  gone: boolean;
}
/** The viewer's own part in a group buy: the last, where they have left and come again. */
export const viewerShare: LoaderDef<string, GroupBuyShareRow> = {
  async batch(ids, { sql, viewerId }) {
    const rows = await sql<GroupBuyShareRow>(
      `select distinct on (s.group_buy_id) s.group_buy_id as "groupBuyId", s.order_id as "orderId", s.quantity, s.gone from group_buy_shares s
       where s.group_buy_id = any($1) and s.user_id = $2 order by s.group_buy_id, s.order_id desc`,
      [ids, viewerId],
    );
    return inOrder(ids, rows, (row) => row.groupBuyId);
  },
};

export async function readGroupBuy(sql: Sql, id: string): Promise<GroupBuyRow> {
  return (await GROUP_BUYS(sql, [id]))[0]!;
}
