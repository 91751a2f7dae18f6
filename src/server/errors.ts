import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isUnavailable, tookTooLong } from '../db/failures.js';
import { DomainError, ERROR_CODES, type ErrorCode } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

const KNOWN = new Set<string>(ERROR_CODES);
/** How a failure is shown to clients: its public code, and for the unknown an id to find it in the log by. */
export class ErrorMapper {
  constructor(private readonly log: Logger) {}

  map(error: GraphQLError | Error): GraphQLFormattedError {
    const shown = error instanceof GraphQLError ? { ...(error.locations ? { locations: error.locations } : {}), ...(error.path ? { path: error.path } : {}) } : {};
    const cause = error instanceof GraphQLError ? unwrap(error) : error;
    if (cause instanceof DomainError) return { message: cause.message, ...shown, extensions: { code: cause.code, ...cause.details } };
    // An error of GraphQL itself: with a path it is a fault of ours (a null where none may be), without one the caller's.
    const extended = ((error as GraphQLError).extensions ?? {}) as Record<string, unknown>;
    if (cause === null && (extended['code'] !== undefined || !(error as GraphQLError).path)) {
      const given = extended['code'];
      // Apollo says BAD_USER_INPUT where a variable does not fit its type.
      const code: ErrorCode = typeof given === 'string' && KNOWN.has(given) ? (given as ErrorCode) : given === undefined || given === 'BAD_USER_INPUT' ? 'INVALID_INPUT' : 'BAD_REQUEST';
      const { stacktrace: _trace, http: _http, ...extensions } = extended;
      return { message: error.message, ...shown, extensions: { ...extensions, code } };
    }
    const fault = cause ?? error;
    if (isUnavailable(fault) || tookTooLong(fault)) {
      this.log.error({ error: fault.message, code: (fault as { code?: string }).code }, 'database unavailable');
      return { message: 'The database is not reachable; try again.', ...shown, extensions: { code: 'UNAVAILABLE', retryAfter: 1 } };
    }
    const errorId = randomUUID();
    this.log.error({ errorId, error: fault.message, stack: fault.stack, path: (error as GraphQLError).path }, 'internal error');
    return { message: 'Something went wrong on our side.', ...shown, extensions: { code: 'INTERNAL', errorId } };
  }
}

/** What a resolver threw; null for an error of GraphQL itself (syntax, validation, variables). */
function unwrap(error: GraphQLError): Error | null {
  let inner: Error | undefined | null = error.originalError;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner instanceof GraphQLError ? null : (inner ?? null);
}
