import type { Database } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { forbidden } from '../../lib/errors.js';
import { isUuid, newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { GatewayUnavailable, type GatewayRecord, type Gateways } from '../../payments/contract.js';
import { PAYMENT_TRANSITIONS } from '../../policies/order-machine.js';
import { may } from '../../policies/role-policy.js';
import type { Actor, Reading } from '../actor.js';
import { shopById } from '../loaders/shops.js';
import { noteForeignRefund } from './foreign-refunds.js';
import { KNOWN_PAYMENT, type KnownPayment } from './payment-records.js';
import type { PaymentService } from './payments.js';

/** What is younger is under way, and no difference yet. */
const GRACE_MS = 2 * 60_000;
const SPAN_MS = 3 * 24 * 3_600_000;
const BATCH = 100;

export type FindingKind = 'STATE' | 'HELD_WITHOUT_ORDER' | 'CHARGED_WITHOUT_ORDER' | 'AMOUNT' | 'REFUND' | 'UNKNOWN_PAYMENT' | 'NOT_AT_GATEWAY';
export interface Finding {
  id: string;
  provider: string;
  kind: FindingKind;
  reference: string | null;
  orderId: string | null;
  shopId: string | null;
  ours: string;
  theirs: string;
  mended: boolean;
  createdAt: Date;
}
const COLUMNS = `f.id, f.provider, f.kind, f.reference, f.order_id as "orderId", f.shop_id as "shopId", f.ours, f.theirs, f.mended, f.created_at as "createdAt"`;

interface Compared extends KnownPayment {
  captured: number;
  shopId: string;
  givenBack: number;
}

/** Compares what we know of payments with what their gateways know, mends what differs where it is plain what is right, and keeps what was found. */
export class Reconciliation {
  constructor(
    private readonly db: Pick<Database, 'sql' | 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateways: Gateways,
    private readonly payments: PaymentService,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Of all payments of the last three days, at every gateway that tells what it knows. */
  async run(): Promise<void> {
    const until = new Date(this.clock.now().getTime() - GRACE_MS);
    const since = new Date(until.getTime() - SPAN_MS);
    const began = this.clock.now();
    for (const [provider, gateway] of Object.entries(this.gateways)) {
      if (!gateway.list) continue;
      try {
        for await (const record of gateway.list(since, until)) {
          await this.compare(provider, record);
          if (isUuid(record.key)) await this.db.background('update payments set seen_at = $2 where id = $1', [record.key, began]);
        }
        await this.#lookForMissing(provider, since, until, began);
      } catch (error) {
        if (!(error instanceof GatewayUnavailable)) throw error;
        this.log.warn({ provider, error: error.message }, 'payments could not be compared with their gateway; the next run does it');
      }
    }
  }

  /** Compares one payment, as its gateway tells it, with ours. */
  async compare(provider: string, record: GatewayRecord): Promise<void> {
    const payment = isUuid(record.key) ? await this.#read(record.key, provider) : null;
    const { outcome } = record;
    if (!payment) {
      if (outcome.state === 'CAPTURED' || outcome.state === 'AUTHORIZED') await this.#found(provider, record, null, 'UNKNOWN_PAYMENT', 'nothing', outcome.state, false);
      return;
    }
    const found = (kind: FindingKind, ours: string, theirs: string, mended: boolean) => this.#found(provider, record, payment, kind, ours, theirs, mended);
    if (PAYMENT_TRANSITIONS[payment.state].includes(outcome.state)) {
      await this.payments.record(payment.orderId, outcome);
      if (['AUTHORIZED', 'CAPTURED', 'FAILED'].includes(outcome.state)) await found('STATE', payment.state, outcome.state, true);
    } else if (payment.state === 'FAILED' && outcome.state === 'AUTHORIZED') {
      const after = await this.gateways[provider]!.void({ ...payment, reference: record.reference });
      await found('HELD_WITHOUT_ORDER', 'FAILED', 'AUTHORIZED', after.state === 'FAILED');
    } else if (payment.state === 'FAILED' && outcome.state === 'CAPTURED' && record.refunded < outcome.captured) {
      const amount = outcome.captured - record.refunded;
      const answer = await this.gateways[provider]!.refund({ ...payment, reference: record.reference }, { key: `${record.key}:unordered`, amount });
      await found('CHARGED_WITHOUT_ORDER', 'FAILED', `CAPTURED ${amount}`, answer === 'DONE');
    } else if (payment.state === 'CAPTURED') {
      if (outcome.state !== 'CAPTURED') await found('STATE', 'CAPTURED', outcome.state, false);
      else if (outcome.captured !== payment.captured) await found('AMOUNT', String(payment.captured), String(outcome.captured), false);
      else await this.#compareRefunds(payment, record, found);
    }
  }

  async #compareRefunds(payment: Compared, record: GatewayRecord, found: (kind: FindingKind, ours: string, theirs: string, mended: boolean) => Promise<void>): Promise<void> {
    const less = record.refunded < payment.givenBack;
    const open = await this.db.background<{ id: string }>(`select id from refunds where order_id = $1 and state = 'CREATED'`, [payment.orderId]);
    // Of those that were done, one may have come back.
    const done = less ? await this.db.background<{ id: string }>(`select id from refunds where order_id = $1 and state = 'DONE' and amount > 0`, [payment.orderId]) : [];
    for (const { id } of [...open, ...done]) await this.payments.refund(id);
    const ours = open.length || less ? (await this.#read(record.key, payment.provider))!.givenBack : payment.givenBack;
    if (record.refunded === ours) return less ? found('REFUND', String(payment.givenBack), String(record.refunded), true) : undefined;
    // Given back at the gateway's own desk: then so it is. A refund of ours that the gateway does not know is for people to look at.
    const more = record.refunded > ours && !open.length;
    if (more) await this.unitOfWork.run({ actorId: payment.orderId, operation: 'noteForeignRefund' }, (tx) => noteForeignRefund(tx, payment, record.refunded - ours));
    if (more || !open.length) await found('REFUND', String(ours), String(record.refunded), more);
  }

  /** What is paid or held by us, and was not told of by the gateway. */
  async #lookForMissing(provider: string, since: Date, until: Date, began: Date): Promise<void> {
    for (let after: string | null = null; ; ) {
      const rows: Compared[] = await this.db.background<Compared>(
        `${READ} where p.provider = $1 and p.created_at >= $2 and p.created_at < $3 and (p.seen_at is null or p.seen_at < $4) and p.state in ('AUTHORIZED', 'CAPTURED') and ($5::uuid is null or p.id > $5) order by p.id limit $6`,
        [provider, since, until, began, after, BATCH],
      );
      for (const payment of rows) {
        const outcome = await this.gateways[provider]!.find(payment);
        if (outcome === null) await this.#found(provider, { key: payment.key, reference: payment.reference }, payment, 'NOT_AT_GATEWAY', payment.state, 'nothing', false);
      }
      if (rows.length < BATCH) return;
      after = rows.at(-1)!.key;
    }
  }

  /** What was found, the newest first: of a shop, for whoever runs it (else null); without one, of all, for administrators. Errors: FORBIDDEN. */
  async list(reading: Reading, actor: Actor, shopId: string | null, args: PageArgs): Promise<Page<Finding> | null> {
    const all = may(actor, 'READ_BOOKS');
    if (shopId === null && !all) throw forbidden('This is for administrators: name a shop of yours.');
    if (shopId !== null && !all && (await reading.load(shopById, shopId))?.ownerId !== actor.userId) return null;
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.db.sql<Finding>(`select ${COLUMNS} from payment_findings f where ($1::uuid is null or f.shop_id = $1) and ($2::uuid is null or f.id < $2) order by f.id desc limit $3`, [
      shopId, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #read(key: string, provider: string): Promise<Compared | null> {
    const [row] = await this.db.background<Compared>(`${READ} where p.id = $1 and p.provider = $2`, [key, provider]);
    return row ?? null;
  }

  /** Kept once, however often it is seen. */
  async #found(provider: string, { key, reference }: Pick<GatewayRecord, 'key'> & { reference: string | null }, payment: Compared | null, kind: FindingKind, ours: string, theirs: string, mended: boolean): Promise<void> {
    const rows = await this.db.background(
      `insert into payment_findings (id, provider, payment_key, kind, reference, order_id, shop_id, ours, theirs, mended, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (provider, payment_key, kind, ours, theirs) do update set mended = true where excluded.mended and not payment_findings.mended returning id`,
      [newId(), provider, key, kind, reference, payment?.orderId ?? null, payment?.shopId ?? null, ours, theirs, mended, this.clock.now()],
    );
    if (rows.length) this.log.warn({ provider, key, kind, ours, theirs, mended }, 'a payment differs from its gateway');
  }
}

const READ = `select ${KNOWN_PAYMENT}, p.captured::float8 as captured, o.shop_id as "shopId",
    (select coalesce(sum(r.amount), 0)::float8 from refunds r where r.order_id = p.order_id and r.state = 'DONE') as "givenBack"
  from payments p join orders o on o.id = p.order_id`;
