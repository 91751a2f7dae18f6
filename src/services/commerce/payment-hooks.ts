import type { Sql } from '../../db/database.js';
import { isUuid } from '../../lib/ids.js';
import { GatewayUnavailable, type Gateways } from '../../payments/contract.js';
import { KNOWN_PAYMENT, type KnownPayment } from './payment-records.js';
import type { PaymentService } from './payments.js';
import type { Reconciliation } from './reconciliation.js';

/**
 * What gateways tell by themselves. It is taken as a hint: how a payment stands is asked of the gateway, so that what comes late, twice, out of order or never
 * makes no difference.
 */
export class PaymentHooks {
  constructor(
    private readonly sql: Sql,
    private readonly gateways: Gateways,
    private readonly payments: PaymentService,
    private readonly reconciliation: Reconciliation,
  ) {}

  /** False: no such provider tells anything. Throws NotSigned. */
  async hear(provider: string, body: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>): Promise<boolean> {
    const gateway = Object.hasOwn(this.gateways, provider) ? this.gateways[provider]! : null;
    if (!gateway?.news) return false;
    const news = gateway.news(body, headers);
    if (news === null) return true;
    if ('refund' in news) {
      if (isUuid(news.refund)) await this.payments.refund(news.refund);
    } else if (isUuid(news.payment)) await this.#heard(provider, news.payment, news.reference);
    return true;
  }

  async #heard(provider: string, key: string, reference: string): Promise<void> {
    const [payment] = await this.sql<KnownPayment>(`update payments p set reference = coalesce(p.reference, $3) where p.id = $1 and p.provider = $2 returning ${KNOWN_PAYMENT}`, [key, provider, reference]);
    if (!payment) return;
    try {
      const outcome = await this.gateways[provider]!.find(payment);
      if (outcome === null) return;
      if (payment.state === 'FAILED') await this.reconciliation.compare(provider, { ...payment, reference, outcome, refunded: 0 });
      else await this.payments.record(payment.orderId, outcome);
    } catch (error) {
      // Whoever follows open payments asks again, and the reconciliation looks at all of them.
      if (!(error instanceof GatewayUnavailable)) throw error;
    }
  }
}
