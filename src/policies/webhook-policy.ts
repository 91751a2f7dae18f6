const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The pauses before each further try: three days in all. */
export const RETRY_PAUSES_MS: readonly number[] = [5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 20 * HOUR];
/** An endpoint that has answered nothing well for so long is switched off. */
export const FAILING_FOR_MS = 72 * HOUR;
/** So many wait for one endpoint at the most; it is switched off then. */
export const MAX_WAITING = 10_000;
export const MAX_WEBHOOKS = 20;
export const MAX_FILTER_IDS = 100;
/** After a rotation, what is sent is signed with the old secret, too, for so long. */
export const OVERLAP_MS = 24 * HOUR;

/** An endpoint that fails is left alone for a while, whatever waits for it: this long after so many failures in a row. */
export const endpointPauseMs = (failures: number): number => Math.min(SECOND * 2 ** failures, 5 * MINUTE);

/** When a delivery that has failed for the n-th time is tried again; null: never. `spread` is from 0 to 1, so that what failed together does not come back together. */
export function retryPauseMs(attempts: number, spread: number, askedMs: number | null): number | null {
  const pause = RETRY_PAUSES_MS[attempts - 1];
  return pause === undefined ? null : Math.max(Math.round(pause * (0.9 + 0.2 * spread)), Math.min(askedMs ?? 0, 24 * HOUR));
}

export type Verdict = 'delivered' | 'gone' | 'later';

/** Standard Webhooks: 2xx is taken, 410 means that nobody is there any more; anything else, also a redirect, has failed. */
export const verdictOf = (status: number): Verdict => (status >= 200 && status < 300 ? 'delivered' : status === 410 ? 'gone' : 'later');
