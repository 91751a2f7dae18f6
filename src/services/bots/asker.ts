import type { Database } from '../../db/database.js';
import { LoaderScope, type LoaderDef } from '../../db/loaders.js';
import { NIL_UUID } from '../../lib/ids.js';
import type { Actor, Reading } from '../actor.js';
import { viewerMembership } from '../loaders/chats.js';

/** Of no session: a bot that reads for somebody holds nothing by which it could act as them. */
const NO_SESSION = NIL_UUID;

/** Reads with the rights of whoever asked a bot, and with no more than everybody's: a role is not lent. */
export class AskerReading implements Reading {
  readonly viewer: Actor;
  readonly #scope: LoaderScope;

  constructor(
    db: Database,
    userId: string,
    readonly now: Date,
  ) {
    this.viewer = { userId, sessionId: NO_SESSION, role: 'USER' };
    this.#scope = new LoaderScope({ sql: db.sql, now, viewerId: userId }, db.cache);
  }

  load<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Promise<Value | null> {
    return this.#scope.load(def, key);
  }

  prime<Key, Value>(def: LoaderDef<Key, Value>, key: Key, value: Value | null): void {
    this.#scope.prime(def, key, value);
  }

  async visibleFrom(chatId: string): Promise<number> {
    return (await this.load(viewerMembership, chatId))?.visibleFromSeq ?? Number.MAX_SAFE_INTEGER;
  }
}
