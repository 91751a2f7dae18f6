import { LanguageError } from './contract.js';

/** What both providers' packages throw, as far as it matters here. */
interface ProviderFailure extends Error {
  status?: number;
  headers?: Headers;
}

/** Makes a LanguageError of whatever was thrown. Messages of providers may hold parts of the request or of the key: only the status is told on. */
export function asLanguageError(error: unknown, signal: AbortSignal | undefined): LanguageError {
  if (error instanceof LanguageError) return error;
  if (signal?.aborted) return new LanguageError('CANCELLED', 'cancelled');
  const { status, headers } = error as ProviderFailure;
  if (status === 429) return new LanguageError('RATE_LIMITED', 'the provider limits how often it is asked', secondsOf(headers?.get('retry-after')), { cause: error });
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409) return new LanguageError('REFUSED', `the provider refused (${status})`, null, { cause: error });
  return new LanguageError('UNAVAILABLE', status === undefined ? 'the provider could not be reached' : `the provider failed (${status})`, secondsOf(headers?.get('retry-after')), { cause: error });
}

function secondsOf(header: string | null | undefined): number | null {
  const seconds = Number(header ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
