import type { Tx } from '../../db/unit-of-work.js';
import { chatStream } from '../../events/catalogue.js';
import type { GroupBuyAccess, GroupBuyState } from '../../policies/group-buy-policy.js';
import { tierAt } from '../../policies/group-buy-policy.js';
import { GROUP_BUY_COLUMNS, HELD_SHARES, type GroupBuyRow } from '../loaders/group-buys.js';

export type LockedGroupBuy = GroupBuyAccess & { groupBuy: GroupBuyRow };

/** Locks a group buy, and that the actor stays in its chat until the end of the transaction. What is read of it is read under the lock. */
export async function lockGroupBuy(tx: Tx, id: string, userId: string | null): Promise<LockedGroupBuy | null> {
  await tx.sql('select from group_buys where id = $1 for update', [id]);
  const [groupBuy] = await tx.sql<GroupBuyRow>(`select ${GROUP_BUY_COLUMNS} from group_buys g where g.id = $1`, [id]);
  if (!groupBuy) return null;
  const [member] = groupBuy.chatId === null || userId === null ? [] : await tx.sql('select from chat_members where chat_id = $1 and user_id = $2 for key share', [groupBuy.chatId, userId]);
  return { groupBuy, member: member !== undefined };
}

export function tellGroupBuy(tx: Tx, { id, chatId }: Pick<GroupBuyRow, 'id' | 'chatId'>): void {
  if (chatId !== null) tx.append(chatStream(chatId), { kind: 'groupbuy.changed', groupBuyId: id });
}

/** What is held of an order in a group buy has changed: its chat hears of it while it is open. */
export async function tellHeld(tx: Tx, groupBuyId: string): Promise<void> {
  const [open] = await tx.sql<Pick<GroupBuyRow, 'id' | 'chatId'>>(`select id, chat_id as "chatId" from group_buys where id = $1 and state = 'OPEN'`, [groupBuyId]);
  if (open) tellGroupBuy(tx, open);
}

/**
 * Decides a group buy that is locked and OPEN, once: what is held now counts, and everybody else is let go. What follows for each payment is only noted here
 * (`due`), so that it is done whatever dies.
 */
export async function decideGroupBuy(tx: Tx, groupBuy: GroupBuyRow, cancelled: boolean): Promise<GroupBuyState> {
  // Locked: what a gateway says from here on finds the decision made.
  await tx.sql('select from payments p join group_buy_shares s on s.order_id = p.order_id where s.group_buy_id = $1 order by p.order_id for update of p', [groupBuy.id]);
  const [held] = await tx.sql<{ quantity: number; people: number }>(`select coalesce(sum(s.quantity), 0)::int as quantity, count(*)::int as people from group_buys g, lateral (select s.quantity ${HELD_SHARES}) s where g.id = $1`, [groupBuy.id]);
  const tier = cancelled ? null : tierAt(groupBuy.tiers, held!.quantity);
  const state: GroupBuyState = tier ? 'SUCCEEDED' : cancelled ? 'CANCELLED' : 'FAILED';
  await tx.sql(
    `update group_buy_shares s set due = case when $2 and p.state = 'AUTHORIZED' and p.wanted is null then 'CAPTURE' else 'VOID' end from payments p where s.group_buy_id = $1 and p.order_id = s.order_id and not s.gone`,
    [groupBuy.id, tier !== null],
  );
  await tx.sql('update group_buys set state = $2, price = $3, quantity = $4, people = $5, settled_at = $6 where id = $1', [groupBuy.id, state, tier?.price ?? null, held!.quantity, held!.people, tx.now]);
  tellGroupBuy(tx, groupBuy);
  return state;
}
