import { nestedPages } from '../../db/nested-pages.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { MESSAGE_COLUMNS, messageKey, shown, type MessageKey, type MessageRow } from './messages.js';
import { USER_COLUMNS, type UserRow } from './users.js';

/** What of a message is the viewer's own. */
export interface ViewerMarks {
  chatId: string;
  seq: number;
  reactions: string[];
  starred: boolean;
  deletedForViewer: boolean;
  senderBlocked: boolean;
}

const SELECT_MARKS = `select k.chat_id as "chatId", k.seq, k.user_id as "userId", marks.starred_at is not null as starred, marks.hidden_at is not null as "deletedForViewer",
    array(select r.emoji from message_reactions r where r.chat_id = k.chat_id and r.seq = k.seq and r.user_id = k.user_id order by r.created_at, r.emoji) as reactions,
    exists (select from blocks b where b.blocker_id = k.user_id and b.blocked_id = k.sender_id) as "senderBlocked"
  from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[]) k(chat_id, seq, sender_id, user_id)
  left join message_marks marks on marks.chat_id = k.chat_id and marks.seq = k.seq and marks.user_id = k.user_id`;

/** Keyed by the message, which tells its sender too. */
export const viewerMarks: LoaderDef<MessageKey & { senderId: string }, ViewerMarks> = {
  keyOf: messageKey,
  batch: (keys, { viewerId, ...deps }) => (viewerId ? viewerMarks.acrossViewers!(keys.map((key) => ({ viewerId, key })), deps) : Promise.resolve(keys.map(() => null))),
  async acrossViewers(pairs, { sql }) {
    const rows = await sql<ViewerMarks & { userId: string }>(SELECT_MARKS, [
      pairs.map(({ key }) => key.chatId),
      pairs.map(({ key }) => key.seq),
      pairs.map(({ key }) => key.senderId),
      pairs.map(({ viewerId }) => viewerId),
    ]);
    return inOrder(pairs, rows, (row) => `${messageKey(row)} ${row.userId}`, ({ viewerId, key }) => `${messageKey(key)} ${viewerId}`);
  },
};

export interface MarkKey extends MessageKey {
  userId: string;
}
export interface MarkRow {
  starred: boolean;
  deletedForViewer: boolean;
}
const markKey = (key: MarkKey): string => `${messageKey(key)} ${key.userId}`;

/** One person's marks on a message, whoever asks: for the events of that person's own stream. */
export const messageMark: LoaderDef<MarkKey, MarkRow> = {
  keyOf: markKey,
  async batch(keys, { sql }) {
    const rows = await sql<MarkKey & MarkRow>(
      `select k.chat_id as "chatId", k.seq, k.user_id as "userId", m.starred_at is not null as starred, m.hidden_at is not null as "deletedForViewer"
       from unnest($1::uuid[], $2::int[], $3::uuid[]) k(chat_id, seq, user_id)
       left join message_marks m on m.chat_id = k.chat_id and m.seq = k.seq and m.user_id = k.user_id`,
      [keys.map((key) => key.chatId), keys.map((key) => key.seq), keys.map((key) => key.userId)],
    );
    return inOrder(keys, rows, markKey, markKey);
  },
};

interface Ordered {
  ord: number;
}

export interface ReactionKey extends MessageKey {
  emoji: string;
}
export type ReactingUser = UserRow & Ordered & { reactedAt: Date };

/** Who reacted to a message with one emoji, in the order in which they did. */
export const reactionUsers = nestedPages<ReactionKey, ReactingUser>({
  keyOf: (key) => `${messageKey(key)} ${key.emoji}`,
  cursorOf: (row) => [row.reactedAt.getTime(), row.id],
  read: (keys, { sql }) =>
    sql<ReactingUser>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::uuid[], $6::int[]) with ordinality k(chat_id, seq, emoji, at, user_id, most, ord)
       cross join lateral (
         select ${USER_COLUMNS}, r.created_at as "reactedAt" from message_reactions r join users u on u.id = r.user_id
         where r.chat_id = k.chat_id and r.seq = k.seq and r.emoji = k.emoji and (k.at is null or (r.created_at, r.user_id) > (k.at, k.user_id))
         order by r.created_at, r.user_id limit k.most) x
       order by k.ord, x."reactedAt", x.id`,
      [
        keys.map(({ parent }) => parent.chatId),
        keys.map(({ parent }) => parent.seq),
        keys.map(({ parent }) => parent.emoji),
        ...timeAndUser(keys),
        keys.map(({ request }) => request.limit),
      ],
    ),
});

/** The two parts of a cursor (time, user), as columns. */
export function timeAndUser(keys: readonly { request: { from: (string | number | null)[] | null } }[]): [(Date | null)[], (string | null)[]] {
  return [keys.map(({ request }) => (request.from ? new Date(request.from[0] as number) : null)), keys.map(({ request }) => (request.from?.[1] as string | undefined) ?? null)];
}

export interface EditRow extends Ordered {
  version: number;
  text: string;
  replacedAt: Date;
}

/** The earlier texts of a message, oldest first. */
export const messageEdits = nestedPages<MessageKey, EditRow>({
  keyOf: messageKey,
  cursorOf: (row) => [row.version],
  read: (keys, { sql }) =>
    sql<EditRow>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) with ordinality k(chat_id, seq, after, most, ord)
       cross join lateral (
         select e.version, e.text, e.replaced_at as "replacedAt" from message_edits e
         where e.chat_id = k.chat_id and e.seq = k.seq and e.version > k.after order by e.version limit k.most) x
       order by k.ord, x.version`,
      [keys.map(({ parent }) => parent.chatId), keys.map(({ parent }) => parent.seq), keys.map(({ request }) => request.from?.[0] ?? 0), keys.map(({ request }) => request.limit)],
    ),
});

const MAX_SEQ = 2 ** 31 - 1;

/** The answers in a thread, oldest first, without those that the viewer has deleted for themself. Read from the end when backward. */
export const threadMessages = nestedPages<MessageKey, MessageRow & Ordered>({
  keyOf: messageKey,
  cursorOf: (row) => [row.seq],
  async read(keys, { sql, viewerId, now }) {
    const rows = await sql<MessageRow & Ordered>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::boolean[]) with ordinality k(chat_id, root, edge, most, backward, ord)
       cross join lateral (
         (select ${MESSAGE_COLUMNS} from messages m where not k.backward and m.chat_id = k.chat_id and m.thread_root_seq = k.root and m.seq > k.edge
            and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $6 and h.hidden_at is not null)
          order by m.seq limit k.most)
         union all
         (select ${MESSAGE_COLUMNS} from messages m where k.backward and m.chat_id = k.chat_id and m.thread_root_seq = k.root and m.seq < k.edge
            and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $6 and h.hidden_at is not null)
          order by m.seq desc limit k.most)) x
       order by k.ord, case when k.backward then -x.seq else x.seq end`,
      [
        keys.map(({ parent }) => parent.chatId),
        keys.map(({ parent }) => parent.seq),
        keys.map(({ request }) => request.from?.[0] ?? (request.backward ? MAX_SEQ : 0)),
        keys.map(({ request }) => request.limit),
        keys.map(({ request }) => request.backward),
        viewerId,
      ],
    );
    for (const row of rows) shown(row, now);
    return rows;
  },
});

/** How far back a thread is looked through for who takes part in it, and how many of them are told. */
const PARTICIPANTS_IN = 200;
const PARTICIPANTS = 10;

/** Whoever wrote the newest answers of a thread, newest first. */
export const threadParticipants: LoaderDef<MessageKey, string[]> = {
  keyOf: messageKey,
  async batch(keys, { sql }) {
    const rows = await sql<MessageKey & { ids: string[] }>(
      `select k.chat_id as "chatId", k.seq, array(
         select n.sender_id from (
           select m.sender_id, m.seq from messages m where m.chat_id = k.chat_id and m.thread_root_seq = k.seq and m.deleted_at is null order by m.seq desc limit $3) n
         group by n.sender_id order by max(n.seq) desc limit $4) as ids
       from unnest($1::uuid[], $2::int[]) k(chat_id, seq)`,
      [keys.map((key) => key.chatId), keys.map((key) => key.seq), PARTICIPANTS_IN, PARTICIPANTS],
    );
    return inOrder(keys, rows, messageKey, messageKey).map((row) => row?.ids ?? null);
  },
};
