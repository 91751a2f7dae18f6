/** PostgreSQL that is away, has no room (for connections, on its disk, in its memory), takes no writes yet (a replica that takes over), or has heard nothing in a transaction for so long that it undid it (a network that was parted): the caller may try again. */
const UNAVAILABLE = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH',
  '57P01', '57P02', '57P03', '57P05', '25P03', '25P04', '53000', '53100', '53200', '53300', '58030', '25006', '08006', '08001', '08003', '08004',
]);
const NO_CONNECTION = /timeout exceeded when trying to connect|Connection (terminated|ended)|not queryable|Query runner already released/;
const CONFLICTS = new Set(['40001', '40P01']);

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

/** Whether PostgreSQL could not be asked, so that trying again in a moment helps. */
export const isUnavailable = (error: unknown): boolean => UNAVAILABLE.has(codeOf(error)) || NO_CONNECTION.test((error as Error).message);

/** Whether PostgreSQL stopped a statement that took too long. */
export const tookTooLong = (error: unknown): boolean => codeOf(error) === '57014';

/** Whether PostgreSQL undid a transaction because of another one (serialization failure, deadlock): it may be tried again. */
export const isConflict = (error: unknown): boolean => CONFLICTS.has(codeOf(error));
