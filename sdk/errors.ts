/** One entry of a response's `errors`. */
export interface ApiError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string; field?: string; retryAfter?: number; errorId?: string; [key: string]: unknown };
}

/** The API answered with errors. `code` is that of the first; docs/ERRORS.md lists them all. */
export class OmniTalkError extends Error {
  override readonly name = 'OmniTalkError';
  readonly code: string;
  constructor(readonly errors: readonly ApiError[]) {
    super(errors[0]?.message ?? 'The request failed.');
    this.code = errors[0]?.extensions?.code ?? 'UNKNOWN';
  }
}
