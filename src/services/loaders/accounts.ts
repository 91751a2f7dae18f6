import type { Actor } from '../actor.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

/** What only a person themselves may know of their account. */
export interface AccountRow {
  id: string;
  email: string | null;
  emailVerified: boolean;
  phone: string | null;
  role: Actor['role'];
}

export const accountById: LoaderDef<string, AccountRow> = {
  async batch(ids, { sql }) {
    const rows = await sql<AccountRow>('select id, email, email_verified_at is not null as "emailVerified", phone, role from users where id = any($1)', [ids]);
    return inOrder(ids, rows, (row) => row.id);
  },
};
