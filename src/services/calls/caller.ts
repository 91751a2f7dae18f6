import type { Actor } from '../actor.js';

/** Somebody without an account, let into one call by a token. */
export interface Guest {
  tokenId: string;
  callId: string;
}

/** Whoever does something in a call: a person with an account, or a guest. One of the two ids is null. */
export interface CallCaller {
  userId: string | null;
  tokenId: string | null;
  /** What holds a seat: the session, or the token. */
  device: string;
}

export const callerOf = (actor: Actor | null, guest: Guest | null): CallCaller | null =>
  actor ? { userId: actor.userId, tokenId: null, device: actor.sessionId } : guest && { userId: null, tokenId: guest.tokenId, device: guest.tokenId };

/** To whom idempotency keys belong. */
export const actorIdOf = ({ userId, tokenId }: CallCaller): string => (userId ?? tokenId)!;
