import { importPKCS8, SignJWT, type CryptoKey, type KeyObject } from 'jose';
import { z } from 'zod';
import type { Clock } from '../lib/clock.js';
import { ConfigError } from '../lib/errors.js';
import { PUSH_ANSWER_BYTES, PUSH_TIMEOUT_MS, retryAfterMs, type PushFetch, type PushMessage, type PushOutcome, type PushSender, type PushTarget } from './contract.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** A token is asked for anew this long before it ends. */
const EARLY_MS = 60_000;

const account = z.object({ project_id: z.string().min(1), client_email: z.string().min(3), private_key: z.string().min(100), token_uri: z.url() });
export type ServiceAccount = z.infer<typeof account>;

/** Reads the JSON of a service account. Throws a ConfigError that shows nothing of it. */
export function parseServiceAccount(text: string, where: string): ServiceAccount {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConfigError(`${where} is no JSON.`);
  }
  const parsed = account.safeParse(json);
  if (!parsed.success) throw new ConfigError(`${where} is no key of a service account: ${parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')}.`);
  return parsed.data;
}

interface FcmError {
  error?: { code?: number; status?: string; message?: string; details?: { '@type'?: string; errorCode?: string }[] };
}

/** Firebase Cloud Messaging, HTTP v1: a short-lived token by a signed statement of the service account (RFC 7523), one message a request. */
export class FcmSender implements PushSender {
  #key: Promise<CryptoKey | KeyObject> | null = null;
  #token: { value: string; until: number } | null = null;
  /** Everybody who needs a token waits for the same. */
  #asking: Promise<string> | null = null;

  constructor(
    private readonly account: ServiceAccount,
    private readonly url: string,
    private readonly fetch: PushFetch,
    private readonly clock: Clock,
  ) {}

  async send({ address }: PushTarget, message: PushMessage): Promise<PushOutcome> {
    try {
      const first = await this.#post(address, message);
      if (first.status !== 401) return this.#outcome(first);
      // The token has ended early, or was taken back: once more with a new one.
      this.#token = null;
      return this.#outcome(await this.#post(address, message));
    } catch (error) {
      return { outcome: 'later', afterMs: null, why: (error as Error).message };
    }
  }

  async #post(token: string, { payload, ttl, urgent }: PushMessage): ReturnType<PushFetch> {
    const bearer = await this.#bearer();
    const data = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
    const expires = Math.floor(this.clock.now().getTime() / 1000) + ttl;
    const body = {
      message: {
        token,
        data,
        // What rings is shown by the app itself; everything else also where the app does not run.
        ...(urgent ? {} : { notification: { title: payload.title, body: payload.body } }),
        android: { priority: 'HIGH', ttl: `${ttl}s`, collapse_key: payload.tag.slice(0, 64), ...(urgent ? {} : { notification: { tag: payload.tag } }) },
        apns: { headers: { 'apns-priority': urgent ? '10' : '5', 'apns-expiration': String(expires), 'apns-collapse-id': payload.tag.slice(0, 64) } },
      },
    };
    return this.#fetch(`${this.url}/v1/projects/${encodeURIComponent(this.account.project_id)}/messages:send`, { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }, JSON.stringify(body));
  }

  #bearer(): Promise<string> {
    if (this.#token && this.#token.until > this.clock.now().getTime()) return Promise.resolve(this.#token.value);
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = null)));
  }

  async #ask(): Promise<string> {
    const { client_email, private_key, token_uri } = this.account;
    const now = Math.floor(this.clock.now().getTime() / 1000);
    this.#key ??= importPKCS8(private_key, 'RS256');
    const assertion = await new SignJWT({ scope: SCOPE }).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).setIssuer(client_email).setAudience(token_uri).setIssuedAt(now).setExpirationTime(now + 3_600).sign(await this.#key);
    const answer = await this.#fetch(token_uri, { 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams({ grant_type: GRANT, assertion }).toString());
    if (answer.status !== 200) throw new Error(`no token for FCM: ${answer.status} ${answer.body.toString('utf8').slice(0, 200)}`);
    const { access_token, expires_in } = JSON.parse(answer.body.toString('utf8')) as { access_token: string; expires_in: number };
    this.#token = { value: access_token, until: this.clock.now().getTime() + expires_in * 1000 - EARLY_MS };
    return access_token;
  }

  #fetch(url: string, headers: Record<string, string>, body: string): ReturnType<PushFetch> {
    return this.fetch(url, { method: 'POST', headers, body, timeoutMs: PUSH_TIMEOUT_MS, maxBytes: PUSH_ANSWER_BYTES, overflow: 'cut' });
  }

  /** By FCM's published error codes. */
  #outcome({ status, headers, body }: Awaited<ReturnType<PushFetch>>): PushOutcome {
    if (status === 200) return { outcome: 'sent' };
    const { code, message } = errorIn(body);
    const why = `FCM answered ${status} ${code}: ${message}`;
    // Of another sender's app: no key of ours will ever reach it.
    if (code === 'UNREGISTERED' || code === 'SENDER_ID_MISMATCH') return { outcome: 'gone' };
    if (status === 429 || status >= 500 || status === 401) return { outcome: 'later', afterMs: retryAfterMs(headers['retry-after'], this.clock.now()), why };
    return { outcome: 'refused', why };
  }
}

function errorIn(body: Buffer): { code: string; message: string } {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as FcmError;
    return { code: error?.details?.find(({ errorCode }) => errorCode !== undefined)?.errorCode ?? error?.status ?? 'UNKNOWN', message: (error?.message ?? '').slice(0, 200) };
  } catch {
    return { code: 'UNKNOWN', message: '' };
  }
}
