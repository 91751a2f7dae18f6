import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { PresencePrivacy } from '../../entities/user.js';

/** What the viewer and another person are to each other. */
export interface RelationRow {
  id: string;
  isContact: boolean;
  contactName: string | null;
  /** The other has the viewer among their contacts. Shown only where the viewer has them too. */
  isTheirContact: boolean;
  blockedByViewer: boolean;
  /** Never shown: nobody is told that they are blocked. */
  blocksViewer: boolean;
}

/** By the other's id. Null for the anonymous. */
export const viewerRelation: LoaderDef<string, RelationRow> = {
  async batch(ids, { sql, viewerId }) {
    if (!viewerId) return ids.map(() => null);
    const rows = await sql<RelationRow>(
      `select k.id, mine.contact_id is not null as "isContact", mine.name as "contactName", theirs.owner_id is not null as "isTheirContact",
              b.blocked_id is not null as "blockedByViewer", t.blocker_id is not null as "blocksViewer"
       from unnest($2::uuid[]) k(id)
       left join contacts mine on mine.owner_id = $1 and mine.contact_id = k.id
       left join contacts theirs on theirs.owner_id = k.id and theirs.contact_id = $1
       left join blocks b on b.blocker_id = $1 and b.blocked_id = k.id
       left join blocks t on t.blocker_id = k.id and t.blocked_id = $1`,
      [viewerId, ids],
    );
    return inOrder(ids, rows, (row) => row.id);
  },
};

export interface PairKey {
  ownerId: string;
  otherId: string;
}
const pairKey = ({ ownerId, otherId }: PairKey): string => `${ownerId} ${otherId}`;
const owners = (keys: readonly PairKey[]): string[] => keys.map((key) => key.ownerId);
const others = (keys: readonly PairKey[]): string[] => keys.map((key) => key.otherId);

/** One entry of somebody's contacts. */
export interface ContactRow extends PairKey {
  name: string | null;
  createdAt: Date;
  mutual: boolean;
}

export const CONTACT_COLUMNS = `c.owner_id as "ownerId", c.contact_id as "otherId", c.name, c.created_at as "createdAt",
  exists (select from contacts t where t.owner_id = c.contact_id and t.contact_id = c.owner_id) as mutual`;

export const contactOf: LoaderDef<PairKey, ContactRow> = {
  keyOf: pairKey,
  async batch(keys, { sql }) {
    const rows = await sql<ContactRow>(
      `select ${CONTACT_COLUMNS} from unnest($1::uuid[], $2::uuid[]) k(owner_id, other_id) join contacts c on c.owner_id = k.owner_id and c.contact_id = k.other_id`,
      [owners(keys), others(keys)],
    );
    return inOrder(keys, rows, pairKey, pairKey);
  },
};

/** Whether the owner has blocked the other; null when not. */
export const blockOf: LoaderDef<PairKey, PairKey> = {
  keyOf: pairKey,
  async batch(keys, { sql }) {
    const rows = await sql<PairKey>(
      `select b.blocker_id as "ownerId", b.blocked_id as "otherId" from unnest($1::uuid[], $2::uuid[]) k(owner_id, other_id) join blocks b on b.blocker_id = k.owner_id and b.blocked_id = k.other_id`,
      [owners(keys), others(keys)],
    );
    return inOrder(keys, rows, pairKey, pairKey);
  },
};

/** Who may find a person, and see when they are there: for that person alone. */
export interface PrivacyRow {
  id: string;
  presence: PresencePrivacy;
  findByPhone: boolean;
  discoverable: boolean;
}

export const privacyOf: LoaderDef<string, PrivacyRow> = {
  async batch(ids, { sql }) {
    const rows = await sql<PrivacyRow>('select u.id, u.presence_privacy as presence, u.find_by_phone as "findByPhone", u.discoverable from users u where u.id = any($1)', [ids]);
    return inOrder(ids, rows, (row) => row.id);
  },
};
