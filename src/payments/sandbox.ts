import { GatewayUnavailable, type PaymentGateway, type PaymentOutcome, type PaymentRequest } from './contract.js';

export interface SandboxPayment {
  key: string;
  amount: number;
  currency: string;
  method: string;
  state: PaymentOutcome['state'];
  refunded: number;
}

/** What the sandbox remembers: kept by whoever makes it, so that it outlives a process, as a gateway does. */
export interface SandboxStore {
  /** Keeps a payment; one of the same key that is there already is answered instead. */
  add(payment: SandboxPayment): Promise<{ payment: SandboxPayment; fresh: boolean }>;
  read(key: string): Promise<SandboxPayment | null>;
  setState(key: string, from: PaymentOutcome['state'][], to: PaymentOutcome['state']): Promise<SandboxPayment | null>;
  /** Adds a refund once a key, unless more would be given back than was paid. */
  refund(key: string, paymentKey: string, amount: number): Promise<'DONE' | 'REFUSED'>;
}

/**
 * A gateway in which no money moves, and which behaves as the method says: `sandbox_ok` pays at once, `sandbox_declined` does not,
 * `sandbox_action` wants the payer to do something and pays when it is asked afterwards, `sandbox_action_failed` then fails, `sandbox_timeout` pays and
 * gives no answer, `sandbox_lost` gives none and has heard nothing the first time, `sandbox_pending` pays when it is asked again.
 */
export class SandboxGateway implements PaymentGateway {
  readonly #lost = new Set<string>();

  constructor(private readonly store: SandboxStore) {}

  async pay(request: PaymentRequest): Promise<PaymentOutcome> {
    const { key, amount, currency, method } = request;
    if (method === 'sandbox_lost' && !this.#lost.has(key)) {
      if (this.#lost.size < 1_000) this.#lost.add(key);
      throw new GatewayUnavailable('The sandbox was not reached.');
    }
    const { payment, fresh } = await this.store.add({ key, amount, currency, method, state: firstState(method), refunded: 0 });
    if (fresh && method === 'sandbox_timeout') throw new GatewayUnavailable('The sandbox has paid, and gave no answer.');
    return outcomeOf(payment);
  }

  /** Asking is what lets time pass here: what waited for the payer, or for a bank, has then come to its end. */
  async find(key: string): Promise<PaymentOutcome | null> {
    const known = await this.store.read(key);
    if (!known) return null;
    const next = known.method === 'sandbox_action_failed' ? 'FAILED' : 'CAPTURED';
    return outcomeOf((await this.store.setState(key, ['ACTION_REQUIRED', 'PENDING'], next)) ?? known);
  }

  async cancel(key: string): Promise<PaymentOutcome> {
    const cancelled = await this.store.setState(key, ['ACTION_REQUIRED', 'PENDING', 'AUTHORIZED'], 'FAILED');
    const payment = cancelled ?? (await this.store.read(key));
    return payment ? outcomeOf(payment, 'CANCELLED') : { state: 'FAILED', reference: null, reason: 'CANCELLED' };
  }

  refund({ key, paymentKey, amount }: { key: string; paymentKey: string; amount: number }): Promise<'DONE' | 'REFUSED'> {
    return this.store.refund(key, paymentKey, amount);
  }
}

function firstState(method: string): PaymentOutcome['state'] {
  if (method.startsWith('sandbox_action')) return 'ACTION_REQUIRED';
  if (method === 'sandbox_pending') return 'PENDING';
  return ['sandbox_ok', 'sandbox_timeout', 'sandbox_lost'].includes(method) ? 'CAPTURED' : 'FAILED';
}

function outcomeOf({ key, state }: SandboxPayment, reason: 'DECLINED' | 'CANCELLED' = 'DECLINED'): PaymentOutcome {
  if (state === 'FAILED') return { state, reference: key, reason };
  if (state === 'ACTION_REQUIRED') return { state, reference: key, url: `https://sandbox.invalid/pay/${key}` };
  return { state, reference: key };
}
