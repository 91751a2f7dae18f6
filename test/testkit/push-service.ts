import { createECDH, generateKeyPairSync, randomBytes, type ECDH } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decrypt } from 'http_ece';
import { importJWK, importSPKI, jwtVerify } from 'jose';

const MAX_BODY = 4_096;

/** What a push service answers instead of taking a push. */
export interface Refusal {
  status: number;
  headers?: Record<string, string>;
  body?: object | string;
  /** Answers nothing at all. */
  hang?: boolean;
}

export interface Pushed {
  payload: Record<string, unknown>;
  headers: IncomingMessage['headers'];
  /** Encrypted. */
  bytes: number;
}

abstract class Loopback {
  protected readonly server: Server;
  /** Requests so far. */
  requests = 0;

  constructor() {
    this.server = createServer((request, response) => {
      this.requests++;
      this.#take(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await this.answer(request, Buffer.concat(chunks));
    if (answer.hang) return;
    const body = typeof answer.body === 'object' ? JSON.stringify(answer.body) : (answer.body ?? '');
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(body);
  }

  protected abstract answer(request: IncomingMessage, body: Buffer): Promise<Refusal>;
}

/** A browser's subscription, whose keys only the browser has. */
export class Subscription {
  readonly ecdh: ECDH = createECDH('prime256v1');
  readonly secret = randomBytes(16);
  readonly received: Pushed[] = [];
  /** What is answered to the next pushes, one each. */
  readonly refusals: Refusal[] = [];
  readonly endpoint: string;

  constructor(readonly service: WebPushService) {
    this.ecdh.generateKeys();
    const id = randomBytes(12).toString('base64url');
    this.endpoint = `${service.url}/push/${id}`;
    service.subscriptions.set(`/push/${id}`, this);
  }

  get input(): { endpoint: string; p256dh: string; auth: string } {
    return { endpoint: this.endpoint, p256dh: this.ecdh.getPublicKey('base64url'), auth: this.secret.toString('base64url') };
  }
}

/** A push service of Web Push as RFC 8030, 8291 and 8292 have it: it takes only what our keys have signed for it, and decrypts for its browsers. */
export class WebPushService extends Loopback {
  readonly subscriptions = new Map<string, Subscription>();
  /** Whose pushes are taken: the applicationServerKey that browsers have subscribed with. */
  serverKey = '';

  protected async answer(request: IncomingMessage, body: Buffer): Promise<Refusal> {
    const subscription = this.subscriptions.get(request.url!);
    if (!subscription) return { status: 404, body: 'no such subscription' };
    const problem = await this.#unauthorized(request.headers.authorization ?? '');
    if (problem) return { status: 403, body: problem };
    const refusal = subscription.refusals.shift();
    if (refusal) return refusal;
    if (body.length > MAX_BODY) return { status: 413, body: 'too large' };
    const { ttl, urgency, topic, 'content-encoding': encoding } = request.headers;
    if (!/^\d+$/.test(String(ttl)) || encoding !== 'aes128gcm') return { status: 400, body: 'TTL and aes128gcm are asked for' };
    if (!['very-low', 'low', 'normal', 'high'].includes(String(urgency)) || !/^[A-Za-z0-9_-]{1,32}$/.test(String(topic))) return { status: 400, body: 'urgency or topic' };
    const text = decrypt(body, { version: 'aes128gcm', privateKey: subscription.ecdh, authSecret: subscription.secret.toString('base64url') }).toString('utf8');
    subscription.received.push({ payload: JSON.parse(text) as Record<string, unknown>, headers: request.headers, bytes: body.length });
    return { status: 201, headers: { location: `${this.url}/message/${randomBytes(6).toString('hex')}` } };
  }

  async #unauthorized(header: string): Promise<string | null> {
    const match = /^vapid t=([^,\s]+),\s*k=([A-Za-z0-9_-]+)$/.exec(header);
    if (!match || match[2] !== this.serverKey) return 'not by the key that the browser has subscribed with';
    const point = Buffer.from(match[2], 'base64url');
    const key = await importJWK({ kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }, 'ES256');
    const { payload } = await jwtVerify(match[1]!, key, { audience: this.url });
    if (typeof payload.exp !== 'number' || payload.exp - Date.now() / 1000 > 86_400 + 60) return 'valid for more than a day';
    return /^(mailto:|https:)/.test(payload.sub ?? '') ? null : 'nobody to write to';
  }
}

/** Firebase Cloud Messaging, HTTP v1, and the token endpoint before it, as Google documents them. An honest stand-in: the real one can't be had here. */
export class FcmService extends Loopback {
  /** By the clock of whoever is tested. */
  now: () => Date = () => new Date();
  readonly received: { token: string; message: Record<string, unknown> & { data: Record<string, string> } }[] = [];
  /** What is answered to the next messages for a registration token, one each. */
  readonly refusals = new Map<string, Refusal[]>();
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  /** By value: whether it is still taken. */
  readonly tokens = new Map<string, boolean>();

  /** What the operator gets from the console. */
  get account(): object {
    return { type: 'service_account', project_id: 'omni-test', client_email: 'push@omni-test.iam.gserviceaccount.com', private_key: this.#keys.privateKey, token_uri: `${this.url}/token` };
  }

  static error(status: number, name: string, errorCode: string, headers: Record<string, string> = {}): Refusal {
    return { status, headers, body: { error: { code: status, status: name, message: name, details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] } } };
  }

  protected async answer(request: IncomingMessage, body: Buffer): Promise<Refusal> {
    if (request.url === '/token') return this.#token(new URLSearchParams(body.toString()));
    if (request.url !== '/v1/projects/omni-test/messages:send') return { status: 404, body: 'no such project' };
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.get(bearer)) return { status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'Request had invalid authentication credentials.' } } };
    const { message } = JSON.parse(body.toString('utf8')) as { message: { token: string; data: Record<string, string>; android: { ttl: string; priority: string } } };
    const refusal = this.refusals.get(message.token)?.shift();
    if (refusal) return refusal;
    const wellFormed =
      Object.values(message.data).every((value) => typeof value === 'string') && Buffer.byteLength(JSON.stringify(message.data)) <= MAX_BODY && /^\d+(\.\d+)?s$/.test(message.android.ttl) && ['NORMAL', 'HIGH'].includes(message.android.priority);
    if (!wellFormed) return FcmService.error(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT');
    this.received.push({ token: message.token, message: message as never });
    return { status: 200, body: { name: `projects/omni-test/messages/${this.received.length}` } };
  }

  async #token(form: URLSearchParams): Promise<Refusal> {
    const key = await importSPKI(this.#keys.publicKey, 'RS256');
    const valid = await jwtVerify(form.get('assertion') ?? '', key, { audience: `${this.url}/token`, issuer: 'push@omni-test.iam.gserviceaccount.com', currentDate: this.now() }).then(
      ({ payload }) => payload.iat! <= this.now().getTime() / 1000 && payload['scope'] === 'https://www.googleapis.com/auth/firebase.messaging' && payload.exp! - payload.iat! <= 3_600,
      () => false,
    );
    if (!valid || form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return { status: 400, body: { error: 'invalid_grant' } };
    const value = randomBytes(16).toString('hex');
    this.tokens.set(value, true);
    return { status: 200, body: { access_token: value, expires_in: 3_599, token_type: 'Bearer' } };
  }
}
