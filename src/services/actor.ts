import type { UserRole } from '../entities/user.js';
import type { LoaderDef } from '../db/loaders.js';
import { NIL_UUID } from '../lib/ids.js';

/** Who writes where nobody does: the server itself. */
export const NOBODY = NIL_UUID;

/** Whoever does something, as services and policies know them. */
export interface Actor {
  userId: string;
  sessionId: string;
  role: UserRole;
  /** What an app that acts for them was given; null: all that they may. */
  scopes?: readonly string[] | null;
  /** The app that holds the session, if one does. */
  appId?: string | null;
  /** The plan that the app was given; null: none. */
  plan?: string | null;
  /** The app executes nothing but the operations that it has registered. */
  registeredOnly?: boolean;
}

/** What a service needs in order to read for somebody: loaders that live as long as the operation. */
export interface Reading {
  readonly viewer: Actor | null;
  readonly now: Date;
  load<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Promise<Value | null>;
  prime<Key, Value>(def: LoaderDef<Key, Value>, key: Key, value: Value | null): void;
  visibleFrom(chatId: string): number | Promise<number>;
}
