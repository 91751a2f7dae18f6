import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { checkAmount } from '../../policies/money.js';
import type { Actor } from '../actor.js';
import { bookGiftCardEnd } from './ledger.js';
import { cleanTaxClass } from './product-input.js';
import { lockShop } from './product-writer.js';
import { checkCountry, DISCOUNT_COLUMNS, SHIPPING_COLUMNS, type DiscountRow, type ShippingMethodRow, type TaxRuleRow } from './selling-terms.js';

/** What is absent stays as it is. */
export interface ShippingChange {
  name?: string | null;
  amount?: number | null;
  /** Null: never free. */
  freeFrom?: number | null;
  countries?: string[] | null;
}
export interface DiscountChange {
  /** Null: it never ends. */
  endsAt?: Date | null;
  /** Null: as often as people want. */
  maxUses?: number | null;
  maxUsesEach?: number | null;
}

/** Changes and ends the terms on which a shop sells. Orders keep those under which they were made. */
export class TermChanges {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT. */
  async updateShipping(actor: Actor, id: string, change: ShippingChange): Promise<ShippingMethodRow> {
    const name = change.name == null ? null : cleanText(change.name, { field: 'name', maxBytes: 128 });
    const amount = change.amount == null ? null : checkAmount(change.amount, 'amount');
    const freeFrom = change.freeFrom == null ? change.freeFrom : checkAmount(change.freeFrom, 'freeFrom');
    const countries = change.countries == null ? null : distinct(change.countries, 'countries', 250).map((country) => checkCountry(country, 'countries'));
    await this.#own(actor, 'updateShippingMethod', 'shipping_methods', id, async (tx) => {
      await tx.sql(
        'update shipping_methods set name = coalesce($2, name), amount = coalesce($3, amount), free_from = case when $4 then $5 else free_from end, countries = coalesce($6, countries) where id = $1',
        [id, name, amount, freeFrom !== undefined, freeFrom ?? null, countries],
      );
    });
    const [row] = await this.sql<ShippingMethodRow>(`select ${SHIPPING_COLUMNS} from shipping_methods s where s.id = $1`, [id]);
    return row!;
  }

  /** Errors: NOT_FOUND, FORBIDDEN. */
  async deleteShipping(actor: Actor, id: string): Promise<string> {
    await this.#own(actor, 'deleteShippingMethod', 'shipping_methods', id, async (tx) => {
      await tx.sql('delete from shipping_methods where id = $1', [id]);
    });
    return id;
  }

  /** Errors: NOT_FOUND (shop, rule), FORBIDDEN, INVALID_INPUT. */
  deleteTaxRule(actor: Actor, shopId: string, givenCountry: string, givenClass: string): Promise<boolean> {
    const country = checkCountry(givenCountry, 'country');
    const taxClass = cleanTaxClass(givenClass, 'taxClass');
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteTaxRule' }, async (tx) => {
      await lockShop(tx, shopId, actor.userId);
      const gone = await tx.sql('delete from tax_rules where shop_id = $1 and country = $2 and tax_class = $3 returning id', [shopId, country, taxClass]);
      if (!gone.length) throw notFound('tax rule');
      return true;
    });
  }

  /** The rules of a shop, by country and class; null for those who don't run it. */
  async taxRules(shopId: string): Promise<TaxRuleRow[]> {
    return this.sql<TaxRuleRow>('select id, country, tax_class as "taxClass", rate_ppm as "ratePpm", included from tax_rules where shop_id = $1 order by country, tax_class limit 500', [shopId]);
  }

  /** Changes how long and how often a discount may be used; an end that has come ends it. Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (fewer uses than there were). */
  async updateDiscount(actor: Actor, id: string, change: DiscountChange): Promise<DiscountRow> {
    for (const field of ['maxUses', 'maxUsesEach'] as const) if (change[field] != null) boundedInt(change[field], field, 1, 1_000_000_000);
    await this.#own(actor, 'updateDiscount', 'discounts', id, async (tx) => {
      const [known] = await tx.sql<DiscountRow>(`select ${DISCOUNT_COLUMNS} from discounts d where d.id = $1 for update`, [id]);
      const after = { ...known!, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) };
      if (after.maxUses !== null && after.maxUses < known!.uses) throw invalidInput('maxUses', `It was used ${known!.uses} times.`);
      if (after.startsAt && after.endsAt && after.endsAt <= after.startsAt) throw invalidInput('endsAt', 'endsAt is after startsAt.');
      await tx.sql('update discounts set ends_at = $2, max_uses = $3, max_uses_each = $4 where id = $1', [id, after.endsAt, after.maxUses, after.maxUsesEach]);
    });
    const [row] = await this.sql<DiscountRow>(`select ${DISCOUNT_COLUMNS} from discounts d where d.id = $1`, [id]);
    return row!;
  }

  /** Ends a gift card: what is left on it is the shop's again. What an order under way has of it, it keeps. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (ended). */
  async endGiftCard(actor: Actor, id: string): Promise<string> {
    await this.#own(actor, 'endGiftCard', 'gift_cards', id, async (tx, shopId) => {
      const [card] = await tx.sql<{ balance: number; currency: string; ended: boolean }>('select balance::float8 as balance, currency, expires_at <= $2 as ended from gift_cards where id = $1 for update', [id, tx.now]);
      if (card!.ended) throw new DomainError('STATE_CONFLICT', 'The card has ended.');
      await tx.sql('update gift_cards set balance = 0, expires_at = $2 where id = $1', [id, tx.now]);
      await bookGiftCardEnd(tx, { id, shopId, currency: card!.currency, amount: card!.balance });
    });
    return id;
  }

  /** Under the lock of its shop. */
  #own(actor: Actor, operation: string, table: 'shipping_methods' | 'discounts' | 'gift_cards', id: string, write: (tx: Tx, shopId: string) => Promise<void>): Promise<void> {
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      const [row] = await tx.sql<{ shopId: string }>(`select shop_id as "shopId" from ${table} where id = $1`, [id]);
      if (!row) throw notFound(table.slice(0, -1).replace('_', ' '));
      await lockShop(tx, row.shopId, actor.userId);
      await write(tx, row.shopId);
    });
  }
}
