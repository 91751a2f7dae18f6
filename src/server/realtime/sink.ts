import type { GraphQLFormattedError } from 'graphql';

/** One subscription of one connection: where serialised results go. */
export interface Sink {
  /** One execution result, serialised: written under the subscription's own id. */
  next(payload: Buffer): void;
  /** Ends the subscription with errors. Nothing follows. */
  error(errors: readonly GraphQLFormattedError[]): void;
  /** Ends the subscription. Nothing follows. */
  complete(): void;
  /** Resolves when what was written has gone far enough for more; at once when it has. Rejects never: a closed sink is drained. */
  drained(): Promise<void> | null;
  readonly closed: boolean;
}
