import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { nestedPages } from '../../db/nested-pages.js';
import type { StatusAudienceKind, StatusFont, StatusKind } from '../../entities/status.js';
import { timeAndUser } from './message-parts.js';
import { USER_COLUMNS, type UserRow } from './users.js';

/** A status as it may be shown to those who may see it; what is counted is for its author alone. */
export interface StatusRow {
  id: string;
  authorId: string;
  kind: StatusKind;
  text: string | null;
  backgroundColor: string | null;
  font: StatusFont | null;
  fileId: string | null;
  audience: StatusAudienceKind;
  viewCount: number;
  reactionCount: number;
  kept: number;
  createdAt: Date;
  expiresAt: Date;
}

export const STATUS_COLUMNS = `s.id, s.author_id as "authorId", s.kind, s.text, s.background as "backgroundColor", s.font, s.file_id as "fileId", s.audience, s.view_count as "viewCount",
  s.reaction_count as "reactionCount", s.kept, s.created_at as "createdAt", s.expires_at as "expiresAt"`;

// ── Who sees what: the one place that says it ────────────────────────────────────────────────────────────
// `viewer` and `now` are SQL, of a status `s`.

/** The status was posted for the viewer too, as far as its own list goes. */
const isListed = (viewer: string): string => `(s.audience = 'CONTACTS' or (s.audience = 'ONLY') = exists (select from status_audience a where a.status_id = s.id and a.user_id = ${viewer}))`;
/** No block between the two, and the author has not been suspended. */
const isOpen = (viewer: string): string => `not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((s.author_id, ${viewer}), (${viewer}, s.author_id)))
  and exists (select from users author where author.id = s.author_id and author.suspended_at is null)`;

/** Two rows of contacts, `mine` and `theirs`, that make two people each other's contacts; since when both have been. */
export const MUTUAL = 'contacts mine join contacts theirs on theirs.owner_id = mine.contact_id and theirs.contact_id = mine.owner_id';
export const MUTUAL_SINCE = 'greatest(mine.created_at, theirs.created_at)';

/** Of `mine` and `theirs`: for whom the status was posted, and still is. `viewer` is `mine.owner_id`, its author `mine.contact_id`. */
export const IN_AUDIENCE = `${MUTUAL_SINCE} <= s.created_at and ${isListed('mine.owner_id')} and ${isOpen('mine.owner_id')}`;

/** In the feed of `mine.owner_id`: its day is not over. */
export const inFeed = (now: string): string => `s.author_id = mine.contact_id and s.removed_at is null and s.expires_at > ${now} and ${IN_AUDIENCE}`;

/**
 * Whether somebody may see a status: its author; those in whose feed it is; and, where a highlight holds it, whoever is
 * a contact now and whom its own list does not leave out.
 */
export const maySee = (viewer: string, now: string): string => `s.removed_at is null and (
  s.author_id = ${viewer} and (s.expires_at > ${now} or s.kept > 0)
  or exists (select from ${MUTUAL} where mine.owner_id = ${viewer} and mine.contact_id = s.author_id and (s.kept > 0 or s.expires_at > ${now} and ${MUTUAL_SINCE} <= s.created_at))
     and ${isListed(viewer)} and ${isOpen(viewer)})`;

// ── Loaders ──────────────────────────────────────────────────────────────────────────────────────────────

export interface StatusKey {
  statusId: string;
  viewerId: string;
}
const statusKey = ({ statusId, viewerId }: StatusKey): string => `${statusId} ${viewerId}`;
const statusIds = (keys: readonly StatusKey[]): string[] => keys.map((key) => key.statusId);
const viewerIds = (keys: readonly { viewerId: string }[]): string[] => keys.map((key) => key.viewerId);

/** A status, for somebody who may see it; else null. */
export const statusFor: LoaderDef<StatusKey, StatusRow> = {
  keyOf: statusKey,
  async batch(keys, { sql, now }) {
    const rows = await sql<StatusRow & { viewerId: string }>(
      `select ${STATUS_COLUMNS}, k.viewer as "viewerId" from unnest($1::uuid[], $2::uuid[]) k(id, viewer) join statuses s on s.id = k.id where ${maySee('k.viewer', '$3')}`,
      [statusIds(keys), viewerIds(keys), now],
    );
    return inOrder(keys, rows, (row) => `${row.id} ${row.viewerId}`, statusKey);
  },
};

/** What of a status is one viewer's own. */
export interface StatusMarks extends StatusKey {
  viewedAt: Date | null;
  reaction: string | null;
}

export const statusMarks: LoaderDef<StatusKey, StatusMarks> = {
  keyOf: statusKey,
  async batch(keys, { sql }) {
    const rows = await sql<StatusMarks>(
      `select k.id as "statusId", k.viewer as "viewerId", v.viewed_at as "viewedAt", v.reaction from unnest($1::uuid[], $2::uuid[]) k(id, viewer)
       left join status_views v on v.status_id = k.id and v.viewer_id = k.viewer`,
      [statusIds(keys), viewerIds(keys)],
    );
    return inOrder(keys, rows, statusKey, statusKey);
  },
};

export interface GroupKey {
  viewerId: string;
  authorId: string;
}
const groupKey = ({ viewerId, authorId }: GroupKey): string => `${viewerId} ${authorId}`;
const authorIds = (keys: readonly GroupKey[]): string[] => keys.map((key) => key.authorId);

/** What one person shows to another at this moment. */
export interface StatusGroupRow extends GroupKey {
  total: number;
  unseen: number;
  latestAt: Date;
  muted: boolean;
}

/** Groups by viewer and author, out of the pairs that `pairs` (SQL, with a place for both) leaves. */
export const statusGroups = (pairs: string, now: string): string => `
  select mine.owner_id as "viewerId", mine.contact_id as "authorId", count(*)::int as total, (count(*) filter (where v.viewer_id is null))::int as unseen, max(s.created_at) as "latestAt",
    exists (select from status_mutes m where m.owner_id = mine.owner_id and m.muted_id = mine.contact_id) as muted
  from ${MUTUAL} join statuses s on ${inFeed(now)} left join status_views v on v.status_id = s.id and v.viewer_id = mine.owner_id
  where ${pairs} group by mine.owner_id, mine.contact_id`;

export const statusGroup: LoaderDef<GroupKey, StatusGroupRow> = {
  keyOf: groupKey,
  async batch(keys, { sql, now }) {
    const rows = await sql<StatusGroupRow>(statusGroups('(mine.owner_id, mine.contact_id) in (select * from unnest($1::uuid[], $2::uuid[]))', '$3'), [viewerIds(keys), authorIds(keys), now]);
    return inOrder(keys, rows, groupKey, groupKey);
  },
};

/** Whether one has muted what the other shows. */
export const statusMuted: LoaderDef<GroupKey, { muted: boolean }> = {
  keyOf: groupKey,
  async batch(keys, { sql }) {
    const rows = await sql<GroupKey>(
      'select m.owner_id as "viewerId", m.muted_id as "authorId" from unnest($1::uuid[], $2::uuid[]) k(owner, muted) join status_mutes m on m.owner_id = k.owner and m.muted_id = k.muted',
      [viewerIds(keys), authorIds(keys)],
    );
    return inOrder(keys, rows, groupKey, groupKey).map((row) => ({ muted: row !== null }));
  },
};

interface Ordered {
  ord: number;
}

/** What of a group is to be seen, in the order in which it was posted. */
export const statusesOfGroup = nestedPages<GroupKey, StatusRow & Ordered>({
  keyOf: groupKey,
  cursorOf: (row) => [row.id],
  read: (keys, { sql, now }) =>
    sql<StatusRow & Ordered>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) with ordinality k(viewer, author, after, most, ord)
       cross join lateral (
         select ${STATUS_COLUMNS} from ${MUTUAL} join statuses s on ${inFeed('$5')}
         where mine.owner_id = k.viewer and mine.contact_id = k.author and (k.after is null or s.id > k.after) order by s.id limit k.most) x
       order by k.ord, x.id`,
      [...parents(keys, viewerIds, authorIds), keys.map(({ request }) => (request.from?.[0] as string | undefined) ?? null), keys.map(({ request }) => request.limit), now],
    ),
});

const parents = (keys: readonly { parent: GroupKey }[], ...columns: ((groups: GroupKey[]) => string[])[]): string[][] => columns.map((column) => column(keys.map(({ parent }) => parent)));

/** Somebody who has seen a status. */
export type StatusViewerRow = UserRow & Ordered & { viewedAt: Date; reaction: string | null };

/** Who has seen a status, the newest first. The caller has asked whether it is the viewer's own. */
export const statusViewers = nestedPages<string, StatusViewerRow>({
  keyOf: String,
  cursorOf: (row) => [row.viewedAt.getTime(), row.id],
  read: (keys, { sql }) =>
    sql<StatusViewerRow>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::int[]) with ordinality k(status_id, at, user_id, most, ord)
       cross join lateral (
         select ${USER_COLUMNS}, v.viewed_at as "viewedAt", v.reaction from status_views v join users u on u.id = v.viewer_id
         where v.status_id = k.status_id and (k.at is null or (v.viewed_at, v.viewer_id) < (k.at, k.user_id)) order by v.viewed_at desc, v.viewer_id desc limit k.most) x
       order by k.ord, x."viewedAt" desc, x.id desc`,
      [keys.map(({ parent }) => parent), ...timeAndUser(keys), keys.map(({ request }) => request.limit)],
    ),
});

export interface StatusReactionCount {
  emoji: string;
  count: number;
}
const MAX_REACTION_COUNTS = 20;

/** The emoji that were given most, by the status's id. */
export const statusReactions: LoaderDef<string, StatusReactionCount[]> = {
  async batch(ids, { sql }) {
    const rows = await sql<StatusReactionCount & { id: string }>(
      `select k.id, r.emoji, r.count from unnest($1::uuid[]) k(id) cross join lateral (
         select v.reaction as emoji, count(*)::int as count from status_views v where v.status_id = k.id and v.reaction is not null group by 1 order by 2 desc, 1 limit $2) r`,
      [ids, MAX_REACTION_COUNTS],
    );
    const byId = Map.groupBy(rows, (row) => row.id);
    return ids.map((id) => (byId.get(id) ?? []).map(({ emoji, count }) => ({ emoji, count })));
  },
};

/** Whom a status was posted for, or not for, as its list says. */
export const statusListed = nestedPages<string, UserRow & Ordered>({
  keyOf: String,
  cursorOf: (row) => [row.id],
  read: (keys, { sql }) =>
    sql<UserRow & Ordered>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality k(status_id, after, most, ord)
       cross join lateral (
         select ${USER_COLUMNS} from status_audience a join users u on u.id = a.user_id where a.status_id = k.status_id and (k.after is null or a.user_id > k.after) order by a.user_id limit k.most) x
       order by k.ord, x.id`,
      [keys.map(({ parent }) => parent), keys.map(({ request }) => (request.from?.[0] as string | undefined) ?? null), keys.map(({ request }) => request.limit)],
    ),
});
