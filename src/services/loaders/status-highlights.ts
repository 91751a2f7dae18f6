import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { nestedPages } from '../../db/nested-pages.js';
import { maySee, STATUS_COLUMNS, type StatusRow } from './statuses.js';

export interface HighlightRow {
  id: string;
  ownerId: string;
  title: string;
  coverId: string | null;
  version: number;
  createdAt: Date;
}

const HIGHLIGHT_COLUMNS = 'h.id, h.owner_id as "ownerId", h.title, h.cover_id as "coverId", h.version, h.created_at as "createdAt"';

/** Somebody sees a highlight `h` who sees something in it; its owner always does. */
const maySeeHighlight = (viewer: string, now: string): string =>
  `(h.owner_id = ${viewer} or exists (select from status_highlight_items i join statuses s on s.id = i.status_id where i.highlight_id = h.id and ${maySee(viewer, now)}))`;

export interface HighlightKey {
  highlightId: string;
  viewerId: string;
}
const highlightKey = ({ highlightId, viewerId }: HighlightKey): string => `${highlightId} ${viewerId}`;
const columns = (keys: readonly HighlightKey[]): string[][] => [keys.map((key) => key.highlightId), keys.map((key) => key.viewerId)];

/** A highlight, for somebody who may see it; else null. */
export const highlightFor: LoaderDef<HighlightKey, HighlightRow> = {
  keyOf: highlightKey,
  async batch(keys, { sql, now }) {
    const rows = await sql<HighlightRow & { viewerId: string }>(
      `select ${HIGHLIGHT_COLUMNS}, k.viewer as "viewerId" from unnest($1::uuid[], $2::uuid[]) k(id, viewer) join status_highlights h on h.id = k.id where ${maySeeHighlight('k.viewer', '$3')}`,
      [...columns(keys), now],
    );
    return inOrder(keys, rows, (row) => `${row.id} ${row.viewerId}`, highlightKey);
  },
};

/** What a highlight holds, for its owner: in the order in which it was posted. */
export const highlightItems: LoaderDef<string, string[]> = {
  async batch(ids, { sql }) {
    const rows = await sql<{ id: string; statusIds: string[] }>(
      `select k.id, array(select i.status_id from status_highlight_items i where i.highlight_id = k.id order by i.status_id) as "statusIds" from unnest($1::uuid[]) k(id)`,
      [ids],
    );
    return inOrder(ids, rows, (row) => row.id).map((row) => row?.statusIds ?? null);
  },
};

/** What stands for a highlight: the status that was chosen, or the first, of those that the viewer sees. */
export const highlightCover: LoaderDef<HighlightKey, StatusRow> = {
  keyOf: highlightKey,
  async batch(keys, { sql, now }) {
    const rows = await sql<StatusRow & HighlightKey>(
      `select k.id as "highlightId", k.viewer as "viewerId", x.* from unnest($1::uuid[], $2::uuid[]) k(id, viewer) join status_highlights h on h.id = k.id
       cross join lateral (
         select ${STATUS_COLUMNS} from status_highlight_items i join statuses s on s.id = i.status_id where i.highlight_id = k.id and ${maySee('k.viewer', '$3')}
         order by s.id = h.cover_id is true desc, s.id limit 1) x`,
      [...columns(keys), now],
    );
    return inOrder(keys, rows, highlightKey, highlightKey);
  },
};

interface Ordered {
  ord: number;
}
const from = (keys: readonly { request: { from: (string | number | null)[] | null; limit: number } }[]): [(string | null)[], number[]] => [
  keys.map(({ request }) => (request.from?.[0] as string | undefined) ?? null),
  keys.map(({ request }) => request.limit),
];

/** Of a highlight, what the viewer sees, in the order in which it was posted. */
export const highlightStatuses = nestedPages<HighlightKey, StatusRow & Ordered>({
  keyOf: highlightKey,
  cursorOf: (row) => [row.id],
  read: (keys, { sql, now }) =>
    sql<StatusRow & Ordered>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) with ordinality k(id, viewer, after, most, ord)
       cross join lateral (
         select ${STATUS_COLUMNS} from status_highlight_items i join statuses s on s.id = i.status_id
         where i.highlight_id = k.id and ${maySee('k.viewer', '$5')} and (k.after is null or s.id > k.after) order by s.id limit k.most) x
       order by k.ord, x.id`,
      [...columns(keys.map(({ parent }) => parent)), ...from(keys), now],
    ),
});

export interface OwnerKey {
  ownerId: string;
  viewerId: string;
}

/** Somebody's highlights, as far as the viewer sees them: the newest first. */
export const highlightsOf = nestedPages<OwnerKey, HighlightRow & Ordered>({
  keyOf: ({ ownerId, viewerId }) => `${ownerId} ${viewerId}`,
  cursorOf: (row) => [row.id],
  read: (keys, { sql, now }) =>
    sql<HighlightRow & Ordered>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) with ordinality k(owner, viewer, after, most, ord)
       cross join lateral (
         select ${HIGHLIGHT_COLUMNS} from status_highlights h where h.owner_id = k.owner and ${maySeeHighlight('k.viewer', '$5')} and (k.after is null or h.id < k.after) order by h.id desc limit k.most) x
       order by k.ord, x.id desc`,
      [keys.map(({ parent }) => parent.ownerId), keys.map(({ parent }) => parent.viewerId), ...from(keys), now],
    ),
});
