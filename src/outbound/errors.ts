/** Why something outside could not be had. */
export type OutboundReason =
  /** Not an address that may be asked: scheme, port, credentials in it. */
  | 'FORBIDDEN_URL'
  /** It leads to an address that is not of the public internet. */
  | 'FORBIDDEN_ADDRESS'
  | 'NAME_NOT_FOUND'
  | 'CONNECTION'
  | 'TIMEOUT'
  | 'TOO_LARGE'
  | 'TOO_MANY_REDIRECTS'
  /** Not of a type that was asked for. */
  | 'WRONG_TYPE'
  /** Cut off, or packed in a way that can't be unpacked. */
  | 'UNREADABLE'
  /** More is waiting to be fetched than this process holds. */
  | 'BUSY';

const MAY_PASS: ReadonlySet<OutboundReason> = new Set(['NAME_NOT_FOUND', 'CONNECTION', 'TIMEOUT', 'UNREADABLE', 'BUSY']);

/** A request to the outside world that has failed. Its message is for the log: it is never shown to a client, whom it could tell about the network that we stand in. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  constructor(
    readonly reason: OutboundReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same request may succeed later. */
  get mayPass(): boolean {
    return MAY_PASS.has(this.reason);
  }
}
