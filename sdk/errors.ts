/** One entry of a response's `errors`. */
export interface ApiError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string; field?: string; retryAfter?: number; errorId?: string; [key: string]: unknown };
}

/**
 * The API answered with errors, or could not be reached. `code` is that of the first; docs/ERRORS.md lists them all.
 * The SDK's own: NETWORK (no answer, or none of this API's), CONNECTION_CLOSED (for good, by the server or by `close`), TOO_SLOW (see EventStream).
 */
export class OmniTalkError extends Error {
  override readonly name = 'OmniTalkError';
  readonly code: string;
  /** Seconds after which a retry can succeed. */
  readonly retryAfter: number | undefined;
  constructor(
    readonly errors: readonly ApiError[],
    options?: { cause?: unknown },
  ) {
    super(errors[0]?.message ?? 'The request failed.', options);
    this.code = errors[0]?.extensions?.code ?? 'UNKNOWN';
    this.retryAfter = errors[0]?.extensions?.retryAfter;
  }
}

export const failure = (code: string, message: string, cause?: unknown): OmniTalkError => new OmniTalkError([{ message, extensions: { code } }], cause === undefined ? undefined : { cause });

export const asError = (error: unknown): OmniTalkError => (error instanceof OmniTalkError ? error : failure('UNKNOWN', error instanceof Error ? error.message : String(error), error));
