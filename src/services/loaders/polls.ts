import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { nestedPages } from '../../db/nested-pages.js';
import { timeAndUser } from './message-parts.js';
import { messageKey, type MessageKey } from './messages.js';
import { USER_COLUMNS, type UserRow } from './users.js';

export interface PollOptionRow {
  index: number;
  text: string;
  voteCount: number;
}
export interface PollRow {
  chatId: string;
  seq: number;
  question: string;
  multiple: boolean;
  anonymous: boolean;
  closesAt: Date | null;
  voterCount: number;
  options: PollOptionRow[];
}

/** The poll of a message, with its options in order. */
export const pollByKey: LoaderDef<MessageKey, PollRow> = {
  keyOf: messageKey,
  async batch(keys, { sql }) {
    const rows = await sql<PollRow>(
      `select p.chat_id as "chatId", p.seq, p.question, p.multiple, p.anonymous, p.closes_at as "closesAt", p.voter_count as "voterCount",
              (select jsonb_agg(jsonb_build_object('index', o.idx, 'text', o.text, 'voteCount', o.votes) order by o.idx)
               from poll_options o where o.chat_id = p.chat_id and o.seq = p.seq) as options
       from unnest($1::uuid[], $2::int[]) k(chat_id, seq) join polls p on p.chat_id = k.chat_id and p.seq = k.seq`,
      [keys.map((key) => key.chatId), keys.map((key) => key.seq)],
    );
    return inOrder(keys, rows, messageKey, messageKey);
  },
};

/** The options that the viewer has voted for. */
export const viewerVotes: LoaderDef<MessageKey, number[]> = {
  keyOf: messageKey,
  async batch(keys, { sql, viewerId }) {
    const rows = await sql<MessageKey & { votes: number[] }>(
      `select v.chat_id as "chatId", v.seq, array_agg(v.idx order by v.idx) as votes
       from unnest($2::uuid[], $3::int[]) k(chat_id, seq) join poll_votes v on v.chat_id = k.chat_id and v.seq = k.seq and v.user_id = $1 group by v.chat_id, v.seq`,
      [viewerId, keys.map((key) => key.chatId), keys.map((key) => key.seq)],
    );
    return inOrder(keys, rows, messageKey, messageKey).map((row) => row?.votes ?? []);
  },
};

export interface OptionKey extends MessageKey {
  index: number;
}
export type VotingUser = UserRow & { ord: number; votedAt: Date };

/** Who voted for one option, in the order in which they did. Whether this may be told is the caller's question. */
export const optionVoters = nestedPages<OptionKey, VotingUser>({
  keyOf: (key) => `${messageKey(key)} ${key.index}`,
  cursorOf: (row) => [row.votedAt.getTime(), row.id],
  read: (keys, { sql }) =>
    sql<VotingUser>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::uuid[], $6::int[]) with ordinality k(chat_id, seq, idx, at, user_id, most, ord)
       cross join lateral (
         select ${USER_COLUMNS}, v.created_at as "votedAt" from poll_votes v join users u on u.id = v.user_id
         where v.chat_id = k.chat_id and v.seq = k.seq and v.idx = k.idx and (k.at is null or (v.created_at, v.user_id) > (k.at, k.user_id))
         order by v.created_at, v.user_id limit k.most) x
       order by k.ord, x."votedAt", x.id`,
      [
        keys.map(({ parent }) => parent.chatId),
        keys.map(({ parent }) => parent.seq),
        keys.map(({ parent }) => parent.index),
        ...timeAndUser(keys),
        keys.map(({ request }) => request.limit),
      ],
    ),
});
