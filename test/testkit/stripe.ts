import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Intent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  status: 'requires_payment_method' | 'requires_confirmation' | 'requires_action' | 'requires_capture' | 'succeeded' | 'canceled';
  capture_method: string;
  payment_method: string;
  metadata: Record<string, string>;
  next_action: object | null;
  cancellation_reason: string | null;
  last_payment_error: object | null;
  latest_charge: { id: string; object: 'charge'; amount_refunded: number } | null;
  created: number;
}
interface Refund {
  id: string;
  object: 'refund';
  payment_intent: string;
  amount: number;
  status: 'succeeded' | 'pending' | 'failed';
  metadata: Record<string, string>;
}
export interface StripeEvent {
  id: string;
  type: string;
  data: { object: object };
}
type Answer = [status: number, body: object];
/** What goes wrong with the next request whose path ends so: it is done and not answered, or not even heard. */
export type Fault = { path: string; how: 'done' | 'lost' };

/** What there are no hundredths of is counted by them all the same. */
const WHOLE = new Set(['isk', 'ugx']);
const isWhole = (amount: number, currency: string): boolean => Number.isInteger(amount) && (!WHOLE.has(currency) || amount % 100 === 0);
const invalid = (message: string, code = 'invalid'): Answer => [400, { error: { type: 'invalid_request_error', code, message } }];

/**
 * Speaks the part of Stripe's published API by which cards are paid: payment intents, refunds, idempotency keys (a repeat is answered as the first was, with
 * `Idempotent-Replayed`; another request under the key is an error), and signed events. It is a stand-in: there is no Stripe that could be had offline. Events are kept, and sent when and as often as a test says.
 */
export class StripeServer {
  readonly secret = 'whsec_of_the_loopback';
  readonly intents = new Map<string, Intent>();
  readonly refunds = new Map<string, Refund>();
  /** What was to be told, in order. */
  readonly events: StripeEvent[] = [];
  readonly requests: string[] = [];
  faults: Fault[] = [];
  /** Whether refunds wait for the payer's bank. */
  pending = false;
  /** Called with each event as it arises: sends it at once, say. */
  onEvent: ((event: StripeEvent) => void) | null = null;
  readonly #answered = new Map<string, { request: string; answer: Answer }>();
  #count = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<StripeServer> {
    const stripe = new StripeServer();
    await new Promise<void>((resolve) => stripe.#server.listen(0, '127.0.0.1', resolve));
    return stripe;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sends an event to a webhook, signed as Stripe signs; answers the status. */
  async send(event: StripeEvent, to: string, secret = this.secret): Promise<number> {
    // Spaces and order of the bytes count: a signature over anything but them would not hold.
    const body = JSON.stringify({ object: 'event', api_version: '2026-10-28.endive', created: now(), ...event }, null, 2);
    const time = now();
    const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    const { status } = await fetch(to, { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${time},v1=${signature}` }, body });
    return status;
  }

  /** What the payer does at the bank's page. */
  async authenticate(url: string, well = true): Promise<string | null> {
    const answer = await fetch(`${url}?well=${well}`, { redirect: 'manual' });
    return answer.headers.get('location');
  }

  /** Money is given back at Stripe's own desk, or an authorisation runs out. */
  refundByHand(intentId: string, amount: number): void {
    this.#refund({ payment_intent: intentId, amount: String(amount) });
  }
  /** The payer's bank takes back a refund that was done: what was given back is here again. */
  returnRefund(refundId: string): void {
    const refund = this.refunds.get(refundId)!;
    refund.status = 'failed';
    this.intents.get(refund.payment_intent)!.latest_charge!.amount_refunded -= refund.amount;
    this.#tell('refund.failed', refund);
  }
  /** The payers' banks have done the refunds that waited for them. */
  settleRefunds(): void {
    this.pending = false;
    for (const refund of this.refunds.values()) {
      if (refund.status !== 'pending') continue;
      refund.status = 'succeeded';
      this.#tell('refund.updated', refund);
    }
  }
  /** A day has passed: what was asked under a key is another request from now on. */
  forgetKeys(): void {
    this.#answered.clear();
  }
  expire(intentId: string): void {
    const intent = this.intents.get(intentId)!;
    Object.assign(intent, { status: 'canceled', cancellation_reason: 'automatic' });
    this.#tell('payment_intent.canceled', intent);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.requests.push(`${request.method} ${url.pathname}`);
    if (url.pathname.startsWith('/3ds/')) return this.#bank(url, response);
    if (request.headers.authorization !== 'Bearer sk_test_loopback') return reply(response, [401, { error: { type: 'authentication_error', message: 'No such key.' } }]);
    const fault = this.faults.find(({ path }) => url.pathname.endsWith(path) && request.method === 'POST');
    if (fault) this.faults.splice(this.faults.indexOf(fault), 1);
    if (fault?.how === 'lost') return;
    const key = request.headers['idempotency-key'] as string | undefined;
    const known = key === undefined ? undefined : this.#answered.get(key);
    const whole = `${url.pathname}?${text}`;
    if (known && known.request !== whole) return reply(response, [400, { error: { type: 'idempotency_error', message: 'Another request was made under this key.' } }]);
    // As it was answered then, whatever has happened since.
    const answer = known?.answer ?? (structuredClone(this.#do(request.method!, url, fieldsOf(text))) as Answer);
    if (key !== undefined && request.method === 'POST') this.#answered.set(key, { request: whole, answer });
    if (!fault) reply(response, answer, known ? { 'idempotent-replayed': 'true' } : {});
  }

  #do(method: string, url: URL, fields: Record<string, string>): Answer {
    const [, , what, id, verb] = url.pathname.split('/');
    if (what === 'refunds') return method === 'POST' ? this.#refund(fields) : id === undefined ? this.#refundsOf(url.searchParams.get('payment_intent')!) : found(this.refunds.get(id));
    if (what !== 'payment_intents') return [404, { error: { type: 'invalid_request_error', message: 'Unrecognized request URL.' } }];
    if (method === 'GET') return id === undefined ? this.#list(url.searchParams) : found(this.intents.get(id));
    if (id === undefined) return this.#create(fields);
    const intent = this.intents.get(id);
    if (!intent) return found(intent);
    if (verb === 'confirm') return this.#confirm(intent, fields);
    if (verb === 'capture') return this.#capture(intent, fields);
    if (verb === 'cancel') return this.#cancel(intent);
    return [404, { error: { type: 'invalid_request_error', message: 'Unrecognized request URL.' } }];
  }

  #create(fields: Record<string, string>): Answer {
    if (!fields['payment_method']?.startsWith('pm_card_')) return invalid(`No such PaymentMethod: '${fields['payment_method']}'`, 'resource_missing');
    if (!isWhole(Number(fields['amount']), fields['currency']!)) return invalid('There is no part of it.', 'amount_invalid');
    const intent: Intent = {
      id: `pi_${++this.#count}`, object: 'payment_intent', amount: Number(fields['amount']), amount_received: 0, currency: fields['currency']!, status: 'requires_confirmation', capture_method: fields['capture_method']!,
      payment_method: fields['payment_method'], metadata: metadataOf(fields), next_action: null, cancellation_reason: null, last_payment_error: null, latest_charge: null, created: now(),
    };
    this.intents.set(intent.id, intent);
    this.#tell('payment_intent.created', intent);
    return [200, intent];
  }

  #confirm(intent: Intent, fields: Record<string, string>): Answer {
    if (intent.status !== 'requires_confirmation') return invalid(`It is ${intent.status}.`, 'payment_intent_unexpected_state');
    if (!fields['return_url']) return invalid('A return_url is needed.');
    if (intent.payment_method === 'pm_card_visa_chargeDeclined') return this.#decline(intent);
    if (intent.payment_method === 'pm_card_threeDSecure2Required') {
      Object.assign(intent, { status: 'requires_action', next_action: { type: 'redirect_to_url', redirect_to_url: { url: `${this.url}/3ds/${intent.id}`, return_url: fields['return_url'] } } });
      this.#tell('payment_intent.requires_action', intent);
      return [200, intent];
    }
    this.#charge(intent);
    return [200, intent];
  }

  #decline(intent: Intent): Answer {
    const error = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
    Object.assign(intent, { status: 'requires_payment_method', last_payment_error: error, next_action: null });
    this.#tell('payment_intent.payment_failed', intent);
    return [402, { error: { ...error, payment_intent: intent } }];
  }

  #charge(intent: Intent): void {
    intent.next_action = null;
    intent.latest_charge = { id: `ch_${intent.id}`, object: 'charge', amount_refunded: 0 };
    intent.status = intent.capture_method === 'manual' ? 'requires_capture' : 'succeeded';
    if (intent.status === 'succeeded') intent.amount_received = intent.amount;
    this.#tell(intent.status === 'succeeded' ? 'payment_intent.succeeded' : 'payment_intent.amount_capturable_updated', intent);
  }

  #capture(intent: Intent, fields: Record<string, string>): Answer {
    if (intent.status !== 'requires_capture') return invalid(`It is ${intent.status}.`, 'payment_intent_unexpected_state');
    const amount = Number(fields['amount_to_capture'] ?? intent.amount);
    if (amount > intent.amount) return invalid('More than is held.', 'amount_too_large');
    if (!isWhole(amount, intent.currency)) return invalid('There is no part of it.', 'amount_invalid');
    Object.assign(intent, { status: 'succeeded', amount_received: amount });
    this.#tell('payment_intent.succeeded', intent);
    return [200, intent];
  }

  #cancel(intent: Intent): Answer {
    if (intent.status === 'succeeded' || intent.status === 'canceled') return invalid(`It is ${intent.status}.`, 'payment_intent_unexpected_state');
    Object.assign(intent, { status: 'canceled', next_action: null });
    this.#tell('payment_intent.canceled', intent);
    return [200, intent];
  }

  #refund(fields: Record<string, string>): Answer {
    const intent = this.intents.get(fields['payment_intent']!);
    const amount = Number(fields['amount']);
    if (intent?.status !== 'succeeded' || !intent.latest_charge) return invalid('It has no successful charge.');
    if (intent.latest_charge.amount_refunded + amount > intent.amount_received) return invalid('More than is left.', 'charge_already_refunded');
    if (!isWhole(amount, intent.currency)) return invalid('There is no part of it.', 'amount_invalid');
    intent.latest_charge.amount_refunded += amount;
    const refund: Refund = { id: `re_${++this.#count}`, object: 'refund', payment_intent: intent.id, amount, status: this.pending ? 'pending' : 'succeeded', metadata: metadataOf(fields) };
    this.refunds.set(refund.id, refund);
    this.#tell('refund.created', refund);
    return [200, refund];
  }

  #refundsOf(intentId: string): Answer {
    return [200, { object: 'list', url: '/v1/refunds', data: [...this.refunds.values()].filter((refund) => refund.payment_intent === intentId), has_more: false }];
  }

  #list(query: URLSearchParams): Answer {
    const all = [...this.intents.values()].reverse();
    const after = query.get('starting_after');
    const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const limit = Number(query.get('limit') ?? 10);
    return [200, { object: 'list', url: '/v1/payment_intents', data: all.slice(from, from + limit), has_more: all.length > from + limit }];
  }

  /** The page of the payer's bank. */
  #bank(url: URL, response: ServerResponse): void {
    const intent = this.intents.get(url.pathname.split('/').at(-1)!);
    const back = (intent?.next_action as { redirect_to_url: { return_url: string } } | null)?.redirect_to_url.return_url;
    if (!intent || back === undefined) return void response.writeHead(404).end();
    if (url.searchParams.get('well') === 'true') this.#charge(intent);
    else this.#decline(intent);
    response.writeHead(303, { location: `${back}?payment_intent=${intent.id}` }).end();
  }

  #tell(type: string, object: object): void {
    const event = { id: `evt_${++this.#count}`, type, data: { object: structuredClone(object) } };
    this.events.push(event);
    this.onEvent?.(event);
  }
}

const now = (): number => Math.floor(Date.now() / 1000);
const fieldsOf = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));
const metadataOf = (fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (name.startsWith('metadata[') ? [[name.slice(9, -1), value]] : [])));
const found = (object: object | undefined): Answer => (object ? [200, object] : [404, { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such thing.' } }]);

function reply(response: ServerResponse, [status, body]: Answer, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_loopback', ...headers }).end(JSON.stringify(body));
}
