import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

/** What anybody signed in may know of a person or bot. */
export interface UserRow {
  id: string;
  kind: 'PERSON' | 'BOT';
  handle: string;
  displayName: string;
  about: string | null;
  avatarUrl: string | null;
  presencePrivacy: 'EVERYONE' | 'CONTACTS' | 'NOBODY';
}

export const USER_COLUMNS = `u.id, u.kind, u.handle, u.display_name as "displayName", u.about, u.avatar_url as "avatarUrl", u.presence_privacy as "presencePrivacy"`;

/** The name under which processes keep users: whoever writes to `users` what UserRow shows calls `tx.changed(USERS, id)`. */
export const USERS = 'users';

const USERS_BY_ID = keyed<UserRow>(`select ${USER_COLUMNS} from users u where u.id = any($1)`);

export const userById: LoaderDef<string, UserRow> = {
  cache: USERS,
  async batch(ids, { sql }) {
    return inOrder(ids, await USERS_BY_ID(sql, ids), (row) => row.id);
  },
};
