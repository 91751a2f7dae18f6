/**
 * The closed list of codes that a client can meet in `errors[].extensions.code`. docs/ERRORS.md says when each is
 * given and whether a retry helps; a spec keeps the two in step.
 */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'SESSION_ENDED',
  'INVALID_CREDENTIALS',
  'CODE_INVALID',
  'CODE_EXPIRED',
  'TOO_MANY_ATTEMPTS',
  'FORBIDDEN',
  'ACCESS_REVOKED',
  'NOT_FOUND',
  'INVALID_INPUT',
  'INVALID_ID',
  'INVALID_CURSOR',
  'IDEMPOTENCY_KEY_REUSED',
  'EMAIL_TAKEN',
  'HANDLE_TAKEN',
  'PHONE_TAKEN',
  'BLOCKED',
  'SLOW_MODE',
  'HELD',
  'MODERATED',
  'LIMIT_REACHED',
  'STATE_CONFLICT',
  'ENCRYPTED_CHAT',
  'EPOCH_CONFLICT',
  'EXPIRED',
  'CALLS_UNAVAILABLE',
  'STORAGE_UNAVAILABLE',
  'RATE_LIMITED',
  'QUERY_TOO_DEEP',
  'QUERY_TOO_COMPLEX',
  'OPERATION_NOT_FOUND',
  'OPERATION_NOT_ALLOWED',
  'BAD_REQUEST',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OVERLOADED',
  'UNAVAILABLE',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** The input field at fault, as a dotted path. */
  field?: string;
  /** Seconds until a retry can succeed. */
  retryAfter?: number;
  /** Of QUERY_TOO_COMPLEX: what the operation may cost, and the most that one may. */
  cost?: { requested: number; limit: number };
  /** Of HELD and MODERATED: what rules have found. */
  reasons?: readonly string[];
  /** Of HELD, and of MODERATED when a moderator has decided: the case. */
  caseId?: string;
}

/** Something in the settings, or in a file that they name, keeps the server from starting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A failure that the caller caused or can act on. Thrown by services and policies; everything else is `INTERNAL`. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }
}

export const notFound = (what: string): DomainError => new DomainError('NOT_FOUND', `There is no such ${what}.`);
export const forbidden = (message: string): DomainError => new DomainError('FORBIDDEN', message);
export const invalidInput = (field: string, message: string): DomainError => new DomainError('INVALID_INPUT', message, { field });
export const invalidId = (message: string, field: string): DomainError => new DomainError('INVALID_ID', message, { field });
export const unauthenticated = (): DomainError => new DomainError('UNAUTHENTICATED', 'Sign in first.');
