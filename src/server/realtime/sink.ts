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

/** Results handed to subscribers by one server, since its start. */
export class Deliveries {
  count = 0;
  bytes = 0;

  add(payload: Buffer): void {
    this.count++;
    this.bytes += payload.length;
  }
}

/** Bytes that may wait for a client before replays wait with it: the rest of its room is left to what is live. */
export const replayRoom = (maxBuffered: number): number => maxBuffered / 4;
const LOOK_AGAIN_MS = 10;

/** Null when there is room already. */
export function untilRoom(hasRoom: () => boolean): Promise<void> | null {
  if (hasRoom()) return null;
  return new Promise((resolve) => {
    const look = () => (hasRoom() ? resolve() : void setTimeout(look, LOOK_AGAIN_MS));
    look();
  });
}
