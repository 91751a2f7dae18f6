import { createHmac, randomBytes } from 'node:crypto';

/** As it is shown to the owner: `whsec_` and base64. */
export const shownSecret = (secret: Buffer): string => `whsec_${secret.toString('base64')}`;
export const newSecret = (): Buffer => randomBytes(24);

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com): an id that stays the same through all tries, when this one was made, and
 * the base64 of HMAC-SHA256 over `id.timestamp.body`, one signature for each secret that is good.
 */
export function signedHeaders(id: string, body: string, at: Date, secrets: readonly Buffer[]): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1000);
  const signatures = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
