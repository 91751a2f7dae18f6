import { GatewayUnavailable, type GatewayPayment, type GatewayRecord, type PaymentGateway, type PaymentOutcome, type RefundOutcome } from './contract.js';

export interface SandboxPayment {
  key: string;
  amount: number;
  currency: string;
  method: string;
  hold: boolean;
  state: PaymentOutcome['state'];
  captured: number;
  refunded: number;
}

/** What the sandbox remembers: kept by whoever makes it, so that it outlives a process, as a gateway does. */
export interface SandboxStore {
  /** Keeps a payment; one of the same key that is there already is answered instead. */
  add(payment: SandboxPayment): Promise<{ payment: SandboxPayment; fresh: boolean }>;
  read(key: string): Promise<SandboxPayment | null>;
  /** Moves a payment that is in one of the states; null: it is in none of them. With `captured`, unless that is more than was held. */
  setState(key: string, from: PaymentOutcome['state'][], to: PaymentOutcome['state'], captured?: number): Promise<SandboxPayment | null>;
  /** Those that were added in a span of time, by their keys, after one. */
  list(since: Date, until: Date, after: string): Promise<SandboxPayment[]>;
  /** Adds a refund once a key, unless more would be given back than was paid. */
  refund(key: string, paymentKey: string, amount: number): Promise<RefundOutcome>;
}

/**
 * A gateway in which no money moves, and which behaves as the method says: `sandbox_ok` pays (or holds) at once, `sandbox_declined` does not,
 * `sandbox_action` wants the payer to do something and pays when it is asked afterwards, `sandbox_action_failed` then fails, `sandbox_timeout` does each thing that it is
 * asked and gives no answer the first time, `sandbox_lost` gives none and has heard nothing the first time, `sandbox_pending` pays when it is asked again, `sandbox_capture_failed` holds what it then can't take.
 */
export class SandboxGateway implements PaymentGateway {
  readonly #lost = new Set<string>();

  constructor(private readonly store: SandboxStore) {}

  async pay({ key, amount, currency, method, hold }: GatewayPayment): Promise<PaymentOutcome> {
    this.#lose(`pay ${key}`, method);
    const state = firstState(method, hold);
    const { payment, fresh } = await this.store.add({ key, amount, currency, method, hold, state, captured: state === 'CAPTURED' ? amount : 0, refunded: 0 });
    if (fresh) fallSilent(method);
    return outcomeOf(payment);
  }

  /** Asking is what lets time pass here: what waited for the payer, or for a bank, has then come to its end. */
  async find({ key }: GatewayPayment): Promise<PaymentOutcome | null> {
    const known = await this.store.read(key);
    if (!known) return null;
    const next = known.method === 'sandbox_action_failed' ? 'FAILED' : known.hold ? 'AUTHORIZED' : 'CAPTURED';
    return outcomeOf((await this.store.setState(key, ['ACTION_REQUIRED', 'PENDING'], next, next === 'CAPTURED' ? known.amount : 0)) ?? known);
  }

  async capture({ key, method }: GatewayPayment, amount: number): Promise<PaymentOutcome> {
    this.#lose(`capture ${key}`, method);
    if (method === 'sandbox_capture_failed') return this.#standing(await this.store.setState(key, ['AUTHORIZED'], 'FAILED'), key);
    const captured = await this.store.setState(key, ['AUTHORIZED'], 'CAPTURED', amount);
    if (captured) fallSilent(method);
    return this.#standing(captured, key);
  }

  async void({ key, amount, currency, method, hold }: GatewayPayment): Promise<PaymentOutcome> {
    this.#lose(`void ${key}`, method);
    // What it has not heard of yet is given up too, lest it be paid when it comes at last.
    const { fresh } = await this.store.add({ key, amount, currency, method, hold, state: 'FAILED', captured: 0, refunded: 0 });
    const voided = fresh ? null : await this.store.setState(key, ['ACTION_REQUIRED', 'PENDING', 'AUTHORIZED'], 'FAILED');
    if (voided) fallSilent(method);
    return this.#standing(voided, key);
  }

  refund({ key: paymentKey }: GatewayPayment, { key, amount }: { key: string; amount: number }): Promise<RefundOutcome> {
    return this.store.refund(key, paymentKey, amount);
  }

  async *list(since: Date, until: Date): AsyncGenerator<GatewayRecord> {
    for (let after = ''; ; ) {
      const payments = await this.store.list(since, until, after);
      for (const payment of payments) yield { key: payment.key, reference: payment.key, amount: payment.amount, currency: payment.currency, refunded: payment.refunded, outcome: outcomeOf(payment) };
      if (!payments.length) return;
      after = payments.at(-1)!.key;
    }
  }

  async #standing(changed: SandboxPayment | null, key: string): Promise<PaymentOutcome> {
    const payment = changed ?? (await this.store.read(key));
    if (!payment) throw new GatewayUnavailable('The sandbox does not know it.');
    return outcomeOf(payment, 'CANCELLED');
  }

  #lose(what: string, method: string): void {
    if (method !== 'sandbox_lost' || this.#lost.has(what)) return;
    if (this.#lost.size < 1_000) this.#lost.add(what);
    throw new GatewayUnavailable('The sandbox was not reached.');
  }
}

function fallSilent(method: string): void {
  if (method === 'sandbox_timeout') throw new GatewayUnavailable('The sandbox has done it, and gave no answer.');
}

function firstState(method: string, hold: boolean): PaymentOutcome['state'] {
  if (method.startsWith('sandbox_action')) return 'ACTION_REQUIRED';
  if (method === 'sandbox_pending') return 'PENDING';
  if (!['sandbox_ok', 'sandbox_timeout', 'sandbox_lost', 'sandbox_capture_failed'].includes(method)) return 'FAILED';
  return hold ? 'AUTHORIZED' : 'CAPTURED';
}

function outcomeOf({ key, state, captured }: SandboxPayment, reason: 'DECLINED' | 'CANCELLED' = 'DECLINED'): PaymentOutcome {
  if (state === 'FAILED') return { state, reference: key, reason };
  if (state === 'CAPTURED') return { state, reference: key, captured };
  if (state === 'ACTION_REQUIRED') return { state, reference: key, url: `https://sandbox.invalid/pay/${key}` };
  return { state, reference: key };
}
