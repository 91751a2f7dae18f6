/** Where a device is reached. */
export interface PushTarget {
  provider: 'WEB_PUSH' | 'FCM';
  /** The endpoint of its push service, or its registration token. */
  address: string;
  /** Of Web Push (RFC 8291), base64url: the device's public key, and the secret that it shares. */
  p256dh: string | null;
  auth: string | null;
}

/** What a device gets. Texts are in English; an app that speaks another language makes its own of the other fields. */
export interface PushPayload {
  v: 1;
  kind: string;
  /** A newer one of the same tag takes the place of an older one. */
  tag: string;
  title: string;
  body: string;
  /** How many there are: unread messages of the chat, people who reacted. */
  count: number;
  at: string;
  [ids: string]: string | number;
}

export interface PushMessage {
  payload: PushPayload;
  /** For how long the service keeps it for a device that is away, seconds. */
  ttl: number;
  /** It wakes the device. */
  urgent: boolean;
}

export type PushOutcome =
  | { outcome: 'sent' }
  /** The device is reached there no longer, for good. */
  | { outcome: 'gone' }
  /** It may go later; after so long, milliseconds, where the service says so. */
  | { outcome: 'later'; afterMs: number | null; why: string }
  /** It will never go. */
  | { outcome: 'refused'; why: string };

export interface PushSender {
  /** Throws nothing: whatever happens is an outcome. */
  send(target: PushTarget, message: PushMessage): Promise<PushOutcome>;
}

/** Asks an address that somebody else has chosen; throws when there is no answer. */
export type PushFetch = (
  url: string,
  request: { method: 'POST'; headers: Record<string, string>; body: string | Uint8Array; timeoutMs: number; maxBytes: number; overflow: 'cut' },
) => Promise<{ status: number; headers: Readonly<Record<string, string>>; body: Buffer }>;

export const PUSH_TIMEOUT_MS = 10_000;
/** Of an answer: only errors say more. */
export const PUSH_ANSWER_BYTES = 16_384;
/** Longer than anything that is pushed stays of use. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/** `Retry-After`: seconds, or a date. */
export function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : null;
}
