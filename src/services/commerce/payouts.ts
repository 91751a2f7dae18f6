import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { checkAmount, checkCurrency } from '../../policies/money.js';
import { assertMay } from '../../policies/role-policy.js';
import type { Actor, Reading } from '../actor.js';
import { shopById } from '../loaders/shops.js';
import { bookPayout } from './ledger.js';
import { lockShop } from './product-writer.js';

export interface PayoutRow {
  id: string;
  shopId: string;
  amount: number;
  currency: string;
  state: 'REQUESTED' | 'PAID' | 'FAILED';
  reference: string | null;
  createdAt: Date;
  settledAt: Date | null;
}
const COLUMNS = `p.id, p.shop_id as "shopId", p.amount::float8 as amount, p.currency, p.state, p.reference, p.created_at as "createdAt", p.settled_at as "settledAt"`;

export interface Balance {
  currency: string;
  /** What could be paid out now. Below zero: the shop owes it to the platform. */
  available: number;
  /** Of all sales so far, what the platform kept. */
  fees: number;
  /** What is on its way, and what has arrived. */
  underWay: number;
  paidOut: number;
}

/** What shops have earned, and how it reaches them. Amounts are those of the books, and of nothing beside them. */
export class PayoutService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** By currency, for whoever runs the shop; else null. */
  async balances(reading: Reading, actor: Actor, shopId: string): Promise<Balance[] | null> {
    if ((await reading.load(shopById, shopId))?.ownerId !== actor.userId) return null;
    return this.sql<Balance>(
      `with own as (
         select e.currency, e.account, e.amount, t.kind from ledger_entries e join ledger_transactions t on t.id = e.transaction_id where e.account = any($2)
         union all
         select e.currency, 'fees', e.amount, t.kind from ledger_entries e join ledger_transactions t on t.id = e.transaction_id join orders o on o.id = t.order_id where e.account = 'fees' and o.shop_id = $1)
       select currency, (coalesce(sum(amount) filter (where account like 'shop:%' or account like 'cash:%'), 0))::float8 as available, (coalesce(sum(amount) filter (where account = 'fees'), 0))::float8 as fees,
         (coalesce(sum(amount) filter (where account like 'payouts:%'), 0))::float8 as "underWay", (coalesce(sum(amount) filter (where account like 'paid:%'), 0))::float8 as "paidOut"
       from own group by currency order by currency`,
      [shopId, accountsOf(shopId)],
    );
  }

  /** Asks for what was earned, or some of it. Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (more than there is), STATE_CONFLICT (there is nothing). */
  async request(actor: Actor, shopId: string, given: { amount: number | null; currency: string; idempotencyKey: string }): Promise<PayoutRow> {
    const currency = checkCurrency(given.currency, 'currency');
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'requestPayout', idempotencyKey: given.idempotencyKey, input: { shopId, amount: given.amount, currency } }, async (tx) => {
      await lockShop(tx, shopId, actor.userId);
      const available = await earned(tx, shopId, currency);
      if (available <= 0) throw new DomainError('STATE_CONFLICT', 'There is nothing to pay out.');
      const amount = given.amount === null ? available : checkAmount(given.amount, 'amount', 1, available);
      const payoutId = newId();
      await tx.sql(`insert into payouts (id, shop_id, amount, currency, state, created_at) values ($1, $2, $3, $4, 'REQUESTED', $5)`, [payoutId, shopId, amount, currency, tx.now]);
      await bookPayout(tx, 'PAYOUT', { id: payoutId, shopId, currency, amount });
      return { id: payoutId };
    });
    return this.#read(id);
  }

  /** Notes that the money has left, or did not get there: for administrators. Noted already: changes nothing. Errors: FORBIDDEN, NOT_FOUND, STATE_CONFLICT. */
  async settle(actor: Actor, payoutId: string, state: 'PAID' | 'FAILED', given: string | null): Promise<PayoutRow> {
    assertMay(actor, 'READ_BOOKS');
    const reference = given === null ? null : cleanText(given, { field: 'reference', maxBytes: 256 });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'settlePayout' }, async (tx) => {
      const [payout] = await tx.sql<PayoutRow>(`select ${COLUMNS} from payouts p where p.id = $1 for update`, [payoutId]);
      if (!payout) throw notFound('payout');
      if (payout.state === state) return;
      if (payout.state !== 'REQUESTED') throw new DomainError('STATE_CONFLICT', `The payout is ${payout.state}.`);
      await tx.sql('update payouts set state = $2, reference = $3, settled_at = $4 where id = $1', [payoutId, state, reference, tx.now]);
      await bookPayout(tx, state === 'PAID' ? 'PAYOUT_PAID' : 'PAYOUT_FAILED', payout);
    });
    return this.#read(payoutId);
  }

  /** The newest first, for whoever runs the shop; else null. */
  async list(reading: Reading, actor: Actor, shopId: string, args: PageArgs): Promise<Page<PayoutRow> | null> {
    if ((await reading.load(shopById, shopId))?.ownerId !== actor.userId) return null;
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<PayoutRow>(`select ${COLUMNS} from payouts p where p.shop_id = $1 and ($2::uuid is null or p.id < $2) order by p.id desc limit $3`, [shopId, request.from?.[0] ?? null, request.limit]);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #read(id: string): Promise<PayoutRow> {
    const [row] = await this.sql<PayoutRow>(`select ${COLUMNS} from payouts p where p.id = $1`, [id]);
    return row!;
  }
}

const accountsOf = (shopId: string): string[] => ['shop', 'cash', 'payouts', 'paid'].map((kind) => `${kind}:${shopId}`);

/** What is owed to a shop, less what it has in its own hand already. */
async function earned(tx: Tx, shopId: string, currency: string): Promise<number> {
  const [row] = await tx.sql<{ sum: number }>('select coalesce(sum(amount), 0)::float8 as sum from ledger_entries where account = any($1) and currency = $2', [[`shop:${shopId}`, `cash:${shopId}`], currency]);
  return row!.sum;
}
