import Stripe from 'stripe';
import { GatewayUnavailable, NotSigned, type GatewayPayment, type GatewayRecord, type PaymentGateway, type PaymentNews, type PaymentOutcome, type RefundOutcome } from './contract.js';

export interface StripeSettings {
  secretKey: string;
  /** Signs what Stripe tells us; without it webhooks are refused. */
  webhookSecret: string | null;
  /** Where Stripe answers. */
  url: string;
  /** Where the payer comes back to after 3-D Secure. */
  returnUrl: string;
  timeoutMs: number;
}

/** Times at which the library itself asks again, under the same key, before we hear that there was no answer. */
const RETRIES = 1;
const PAGE = 100;
/** By this, an intent at Stripe says which payment of ours it is. */
const OURS = 'omnitalk_payment';
/** How many of Stripe's smallest unit are one of ours, by ISO 4217: it counts hundredths of what has none any more, and none of ariaries. */
const UNITS: Readonly<Record<string, number>> = { ISK: 100, UGX: 100 };
const OF_OURS: Readonly<Record<string, number>> = { MGA: 100 };
const unitOf = (table: Readonly<Record<string, number>>, currency: string): number => table[currency.toUpperCase()] ?? 1;
/** What Stripe can't count (part of an ariary) is no whole number here, and refused by it. */
const toStripe = (amount: number, currency: string): number => (amount * unitOf(UNITS, currency)) / unitOf(OF_OURS, currency);
const fromStripe = (amount: number, currency: string): number => (amount * unitOf(OF_OURS, currency)) / unitOf(UNITS, currency);

/**
 * Stripe, by its own library. An intent is made first, which moves nothing, and then confirmed, so that whoever does not know what became of it may ask for it again under its
 * key and find out, without paying anything.
 */
export class StripeGateway implements PaymentGateway {
  readonly #stripe: Stripe;

  constructor(private readonly settings: StripeSettings) {
    const { hostname, port, protocol } = new URL(settings.url);
    this.#stripe = new Stripe(settings.secretKey, {
      host: hostname, port: port || undefined, protocol: protocol === 'http:' ? 'http' : 'https', timeout: settings.timeoutMs, maxNetworkRetries: RETRIES, telemetry: false,
    });
  }

  async pay(payment: GatewayPayment): Promise<PaymentOutcome> {
    return this.#ask(async () => {
      const intent = await this.#intent(payment);
      if (intent === null) return { state: 'FAILED', reference: null, reason: 'DECLINED' };
      if (intent.status !== 'requires_confirmation') return this.#outcome(intent);
      return this.#outcome(await this.#confirm(intent.id, payment));
    });
  }

  async find(payment: GatewayPayment): Promise<PaymentOutcome | null> {
    return this.#ask(async () => {
      if (payment.reference === null) return null;
      return this.#outcome(await this.#stripe.paymentIntents.retrieve(payment.reference));
    });
  }

  async capture(payment: GatewayPayment, amount: number): Promise<PaymentOutcome> {
    return this.#ask(async () => {
      const id = payment.reference!;
      const intent = await this.#stripe.paymentIntents.capture(id, { amount_to_capture: toStripe(amount, payment.currency) }, { idempotencyKey: `${payment.key}:capture` }).catch((error: unknown) => this.#standing(id, error));
      return this.#outcome(intent);
    });
  }

  async void(payment: GatewayPayment): Promise<PaymentOutcome> {
    return this.#ask(async () => {
      const intent = await this.#intent(payment);
      return intent === null ? { state: 'FAILED', reference: null, reason: 'CANCELLED' } : this.#outcome(await this.#cancel(intent.id));
    });
  }

  async refund(payment: GatewayPayment, { key, amount }: { key: string; amount: number }): Promise<RefundOutcome> {
    return this.#ask(async () => {
      try {
        const known = await this.#refundOf(payment, key);
        if (known) return refundStands(known.status);
        const refund = await this.#stripe.refunds.create({ payment_intent: payment.reference!, amount: toStripe(amount, payment.currency), metadata: { [OURS]: key } }, { idempotencyKey: key });
        const { status } = refund.lastResponse.headers['idempotent-replayed'] ? await this.#stripe.refunds.retrieve(refund.id) : refund;
        return refundStands(status);
      } catch (error) {
        if (error instanceof Stripe.errors.StripeInvalidRequestError) return 'REFUSED';
        throw error;
      }
    });
  }

  async findRefund(payment: GatewayPayment, key: string): Promise<RefundOutcome | null> {
    return this.#ask(async () => {
      const refund = await this.#refundOf(payment, key);
      return refund && refundStands(refund.status);
    });
  }

  /** What Stripe knows of payments of ours that were begun in a span of time, the newest first. */
  async *list(since: Date, until: Date): AsyncGenerator<GatewayRecord> {
    const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
    const created = { gte: seconds(since), lt: seconds(until) };
    let after: string | undefined;
    for (;;) {
      const page = await this.#ask(() => this.#stripe.paymentIntents.list({ created, limit: PAGE, expand: ['data.latest_charge'], ...(after === undefined ? {} : { starting_after: after }) }));
      for (const intent of page.data) {
        const key = intent.metadata[OURS];
        const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
        if (key !== undefined) yield { key, reference: intent.id, amount: fromStripe(intent.amount, intent.currency), currency: intent.currency.toUpperCase(), outcome: stands(intent), refunded: fromStripe(charge?.amount_refunded ?? 0, intent.currency) };
      }
      after = page.data.at(-1)?.id;
      if (!page.has_more || after === undefined) return;
    }
  }

  /** Which payment or refund of ours something that Stripe has sent is about. */
  news(body: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>): PaymentNews | null {
    const event = this.#event(body, String(headers['stripe-signature'] ?? ''));
    const { id, metadata } = event.data.object as { id: string; metadata?: Record<string, string> };
    const key = metadata?.[OURS];
    if (key === undefined) return null;
    if (event.type.startsWith('payment_intent.')) return { payment: key, reference: id };
    return event.type.startsWith('refund.') ? { refund: key } : null;
  }

  /** A refund of ours, by the list of its payment: a key is forgotten after a day, and asking under it then would be another refund. */
  async #refundOf({ reference }: GatewayPayment, key: string): Promise<Stripe.Refund | null> {
    for await (const refund of this.#stripe.refunds.list({ payment_intent: reference!, limit: PAGE })) if (refund.metadata?.[OURS] === key) return refund;
    return null;
  }

  #event(body: Buffer, signature: string): Stripe.Event {
    if (this.settings.webhookSecret === null) throw new NotSigned('STRIPE_WEBHOOK_SECRET is not set: nothing can be known to be of Stripe.');
    try {
      return this.#stripe.webhooks.constructEvent(body, signature, this.settings.webhookSecret);
    } catch (error) {
      throw new NotSigned((error as Error).message);
    }
  }

  /** The intent of a payment, as it stands: made now, if it was not before; null: Stripe does not take it (a card that is not there, say). */
  async #intent(payment: GatewayPayment): Promise<Stripe.PaymentIntent | null> {
    if (payment.reference !== null) return this.#stripe.paymentIntents.retrieve(payment.reference);
    return this.#make(payment).catch((error: unknown) => {
      if (error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof Stripe.errors.StripeCardError) return null;
      throw error;
    });
  }

  async #make({ key, amount, currency, method, hold }: GatewayPayment): Promise<Stripe.PaymentIntent> {
    const made = await this.#stripe.paymentIntents.create(
      {
        amount: toStripe(amount, currency), currency: currency.toLowerCase(), payment_method: method, capture_method: hold ? 'manual' : 'automatic', metadata: { [OURS]: key },
        automatic_payment_methods: { enabled: true, allow_redirects: 'always' },
      },
      { idempotencyKey: key },
    );
    // What is answered under a key again is as it was then, and not as it is by now.
    return made.lastResponse.headers['idempotent-replayed'] ? this.#stripe.paymentIntents.retrieve(made.id) : made;
  }

  async #confirm(id: string, { key }: GatewayPayment): Promise<Stripe.PaymentIntent> {
    return this.#stripe.paymentIntents.confirm(id, { return_url: this.settings.returnUrl }, { idempotencyKey: `${key}:confirm` }).catch((error: unknown) => this.#standing(id, error));
  }

  /** A refusal is an answer too: how the intent then stands says what it means. */
  async #standing(id: string, error: unknown): Promise<Stripe.PaymentIntent> {
    if (error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError) return this.#stripe.paymentIntents.retrieve(id);
    throw error;
  }

  #cancel(id: string): Promise<Stripe.PaymentIntent> {
    return this.#stripe.paymentIntents.cancel(id).catch((error: unknown) => this.#standing(id, error));
  }

  async #outcome(intent: Stripe.PaymentIntent): Promise<PaymentOutcome> {
    // Declined: it could be tried with another card. Nobody is to pay for an order that is gone, so it is ended.
    if (intent.status === 'requires_payment_method') {
      const ended = stands(await this.#cancel(intent.id));
      return ended.state === 'FAILED' ? { ...ended, reason: 'DECLINED' } : ended;
    }
    return stands(intent);
  }

  /** Runs a conversation: whatever is no answer to what was asked becomes GatewayUnavailable, and is asked again. */
  async #ask<Result>(talk: () => Promise<Result>): Promise<Result> {
    try {
      return await talk();
    } catch (error) {
      if (error instanceof Stripe.errors.StripeError) throw new GatewayUnavailable(`Stripe: ${error.type}: ${error.message}`);
      throw error;
    }
  }
}

/** How a refund stands, in our words. */
const refundStands = (status: string | null): RefundOutcome => (status === 'succeeded' ? 'DONE' : status === 'failed' || status === 'canceled' ? 'REFUSED' : 'PENDING');

/** How an intent stands, in our words. */
function stands(intent: Stripe.PaymentIntent): PaymentOutcome {
  const reference = intent.id;
  switch (intent.status) {
    case 'succeeded':
      return { state: 'CAPTURED', reference, captured: fromStripe(intent.amount_received, intent.currency) };
    case 'requires_capture':
      return { state: 'AUTHORIZED', reference };
    case 'requires_action': {
      const url = intent.next_action?.redirect_to_url?.url;
      return url ? { state: 'ACTION_REQUIRED', reference, url } : { state: 'PENDING', reference };
    }
    case 'canceled':
      return { state: 'FAILED', reference, reason: intent.cancellation_reason === 'automatic' ? 'EXPIRED' : 'CANCELLED' };
    default:
      return { state: 'PENDING', reference };
  }
}
