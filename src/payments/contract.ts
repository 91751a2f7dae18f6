/** What somebody is to pay by a gateway. */
export interface PaymentRequest {
  /** Of ours, one for each payment: the same request under it again is the same payment. */
  key: string;
  /** In the smallest unit of the currency. */
  amount: number;
  currency: string;
  /** How: what the gateway's own form gave the client. */
  method: string;
}

/** How a payment stands at its gateway. `reference` is its name there. */
export type PaymentOutcome =
  | { state: 'CAPTURED' | 'AUTHORIZED' | 'PENDING'; reference: string }
  /** The payer must do something first (3-D Secure, say), at `url`. */
  | { state: 'ACTION_REQUIRED'; reference: string; url: string }
  | { state: 'FAILED'; reference: string | null; reason: 'DECLINED' | 'EXPIRED' | 'CANCELLED' };

/**
 * The gateway did not answer, or not to be understood: what was asked may have happened or not. It is asked again under the same key.
 */
export class GatewayUnavailable extends Error {
  override readonly name = 'GatewayUnavailable';
}

/** A world outside that moves money. Each verb takes a key, and repeats under it do it once. */
export interface PaymentGateway {
  /** Takes the money, or holds it where the provider works so. */
  pay(request: PaymentRequest): Promise<PaymentOutcome>;
  /** How a payment stands; null: it has never heard of it. */
  find(key: string): Promise<PaymentOutcome | null>;
  /** Gives up a payment that is not captured. Answers how it then stands: it may have been captured first. */
  cancel(key: string): Promise<PaymentOutcome>;
  /** Gives money back. */
  refund(request: { key: string; paymentKey: string; amount: number }): Promise<'DONE' | 'REFUSED'>;
}

/** Gateways by the name of their provider. */
export type Gateways = Readonly<Record<string, PaymentGateway>>;
