/** What somebody is to pay by a gateway, and what the gateway is told of it each time. */
export interface GatewayPayment {
  /** Of ours, one for each payment: what is asked again under it is done once. */
  key: string;
  /** In the smallest unit of the currency. */
  amount: number;
  currency: string;
  /** How: what the gateway's own form gave the client. */
  method: string;
  /** Authorise alone: the money is held until it is captured or the hold is voided. */
  hold: boolean;
  /** Its name at the gateway, once that is known. */
  reference: string | null;
}

/** How a payment stands at its gateway. `reference` is its name there. */
export type PaymentOutcome =
  | { state: 'AUTHORIZED' | 'PENDING'; reference: string }
  /** `captured` is what was taken: less than was held where no more was asked for. */
  | { state: 'CAPTURED'; reference: string; captured: number }
  /** The payer must do something first (3-D Secure, say), at `url`. */
  | { state: 'ACTION_REQUIRED'; reference: string; url: string }
  | { state: 'FAILED'; reference: string | null; reason: 'DECLINED' | 'EXPIRED' | 'CANCELLED' };

/**
 * The gateway did not answer, or not to be understood: what was asked may have happened or not. It is asked again under the same key.
 */
export class GatewayUnavailable extends Error {
  override readonly name = 'GatewayUnavailable';
}

export type RefundOutcome = 'DONE' | 'REFUSED' | 'PENDING';

/** What a gateway knows of a payment of ours. */
export interface GatewayRecord {
  key: string;
  reference: string;
  amount: number;
  currency: string;
  outcome: PaymentOutcome;
  refunded: number;
}

/** What a gateway has told by itself: that something has happened to a payment, or a refund, of this key. How it stands is asked of it. */
export type PaymentNews = { payment: string; reference: string } | { refund: string };

/** What was told is not signed by the gateway. */
export class NotSigned extends Error {
  override readonly name = 'NotSigned';
}

/** A world outside that moves money. Repeats of a verb for one key do it once. */
export interface PaymentGateway {
  /** Takes the money, or with `hold` authorises it. */
  pay(payment: GatewayPayment): Promise<PaymentOutcome>;
  /** How a payment stands; null: it has never heard of it. */
  find(payment: GatewayPayment): Promise<PaymentOutcome | null>;
  /** Takes what is held, or so much of it and lets go of the rest; once. Answers how it then stands. */
  capture(payment: GatewayPayment, amount: number): Promise<PaymentOutcome>;
  /** Gives up a payment that is not captured, and lets go of what is held. Answers how it then stands: it may have been captured first. */
  void(payment: GatewayPayment): Promise<PaymentOutcome>;
  /** Gives back some of what was captured, once for each key of a refund. */
  refund(payment: GatewayPayment, refund: { key: string; amount: number }): Promise<RefundOutcome>;
  /** How a refund of ours stands by now, without asking for one; null: it has never heard of it. */
  findRefund?(payment: GatewayPayment, key: string): Promise<RefundOutcome | null>;
  /** What it knows of payments of ours that were begun in a span of time, for comparison. */
  list?(since: Date, until: Date): AsyncIterable<GatewayRecord>;
  /** What something that it has sent is about; null: nothing of ours. Throws NotSigned. */
  news?(body: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>): PaymentNews | null;
}

/** Gateways by the name of their provider. */
export type Gateways = Readonly<Record<string, PaymentGateway>>;
