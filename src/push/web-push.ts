import { createHash } from 'node:crypto';
import webPush from 'web-push';
import type { Clock } from '../lib/clock.js';
import { PUSH_ANSWER_BYTES, PUSH_TIMEOUT_MS, retryAfterMs, type PushFetch, type PushMessage, type PushOutcome, type PushSender, type PushTarget } from './contract.js';

export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

/** A new pair, by which push services know us (RFC 8292). */
export const newVapidKeys = (): VapidKeys => webPush.generateVAPIDKeys();

/** Web Push: contents encrypted for the device alone (RFC 8291), sent through the push service of its browser (RFC 8030). */
export class WebPushSender implements PushSender {
  constructor(
    private readonly keys: VapidKeys,
    /** How a push service reaches the operator: mailto: or https:. */
    private readonly subject: string,
    private readonly fetch: PushFetch,
    private readonly clock: Clock,
  ) {}

  async send({ address, p256dh, auth }: PushTarget, { payload, ttl, urgent }: PushMessage): Promise<PushOutcome> {
    try {
      const { endpoint, headers, body } = webPush.generateRequestDetails({ endpoint: address, keys: { p256dh: p256dh!, auth: auth! } }, JSON.stringify(payload), {
        vapidDetails: { subject: this.subject, ...this.keys }, TTL: ttl, urgency: urgent ? 'high' : 'normal', topic: topicOf(payload.tag), contentEncoding: 'aes128gcm',
      });
      const { 'Content-Length': _length, ...rest } = headers as Record<string, string | number>;
      const answer = await this.fetch(endpoint, {
        method: 'POST', headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])), body: body!, timeoutMs: PUSH_TIMEOUT_MS, maxBytes: PUSH_ANSWER_BYTES, overflow: 'cut',
      });
      return this.#outcome(answer);
    } catch (error) {
      const { message, mayPass } = error as Error & { mayPass?: boolean };
      return mayPass === false ? { outcome: 'refused', why: message } : { outcome: 'later', afterMs: null, why: message };
    }
  }

  #outcome({ status, headers, body }: { status: number; headers: Readonly<Record<string, string>>; body: Buffer }): PushOutcome {
    if (status >= 200 && status < 300) return { outcome: 'sent' };
    if (status === 404 || status === 410) return { outcome: 'gone' };
    const why = `the push service answered ${status}: ${body.toString('utf8').slice(0, 200)}`;
    return status === 429 || status >= 500 ? { outcome: 'later', afterMs: retryAfterMs(headers['retry-after'], this.clock.now()), why } : { outcome: 'refused', why };
  }
}

/** At most 32 characters of base64url: a service that holds an older message of this topic drops it. It tells the service nothing. */
const topicOf = (tag: string): string => createHash('sha256').update(tag).digest('base64url').slice(0, 32);
