import type { Sql } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { MessageKind } from '../entities/message.js';
import { DomainError } from '../lib/errors.js';
import { cleanText } from '../lib/validate.js';
import { segmentsOf, splitSearch, type Segment } from '../policies/search-query.js';
import type { Reading } from './actor.js';
import { viewerMembership } from './loaders/chats.js';
import { MESSAGE_COLUMNS, messageByKey, shown, type MessageRow } from './loaders/messages.js';

const MAX_QUERY_BYTES = 256;
/** Characters of Unicode's private use mark matches; they are taken out of the texts first, so no text can forge them. */
const OPEN = '\uE000';
const CLOSE = '\uE001';
/** Stands for `<`, since PostgreSQL drops from a headline what looks like a tag. */
const LESS = '\uE002';
const HEADLINE = `StartSel="${OPEN}", StopSel="${CLOSE}", MaxFragments=3, MinWords=4, MaxWords=16, FragmentDelimiter=" … "`;

export interface SearchFilter {
  chatId?: string | null;
  senderId?: string | null;
  kind?: MessageKind | null;
  /** Sent at this time or later. */
  after?: Date | null;
  /** Sent before this time. */
  before?: Date | null;
}

export interface Found {
  cursor: string;
  node: MessageRow;
  highlights: Segment[];
}

/** Full-text search across one's chats. */
export class MessageSearch {
  constructor(private readonly sql: Sql) {}

  /**
   * Messages that the viewer may see and that hold all words, newest first. The last word is matched by its beginning;
   * "phrases", `or` and -without are understood. A query without a single word to look for (`-cat`, `!`) finds nothing.
   * Errors: INVALID_INPUT (query), NOT_FOUND (the filter's chat), INVALID_CURSOR.
   */
  async search(reading: Reading, query: string, filter: SearchFilter, args: PageArgs): Promise<Omit<Page<MessageRow>, 'edges'> & { edges: Found[] }> {
    const request = pageRequest(args, ['time', 'uuid', 'number']);
    const { words, prefix, either } = splitSearch(cleanText(query, { field: 'query', maxBytes: MAX_QUERY_BYTES }));
    if (filter.chatId && !(await reading.load(viewerMembership, filter.chatId))) throw new DomainError('NOT_FOUND', 'There is no such chat.', { field: 'filter.chatId' });
    const [at, chatId, seq] = request.from ?? [null, null, null];
    const rows = await this.sql<MessageRow & { headline: string }>(SEARCH, [
      reading.viewer!.userId, words, prefix, either, reading.now, filter.chatId ?? null, filter.senderId ?? null, filter.kind ?? null, filter.after ?? null, filter.before ?? null,
      at === null ? null : new Date(at as number), chatId, seq, request.limit, `<${OPEN}${CLOSE}${LESS}`, HEADLINE, LESS,
    ]);
    const headlines = new Map<MessageRow, string>(rows.map((row) => [row, row.headline]));
    for (const row of rows) reading.prime(messageByKey, row, shown(row, reading.now));
    const page = toPage<MessageRow>(rows, request, (row) => [row.createdAt.getTime(), row.chatId, row.seq]);
    return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node, highlights: segmentsOf(headlines.get(node)!.replaceAll(LESS, '<'), OPEN, CLOSE) })) };
  }
}

/** Immutable for given parameters, so that the index is asked with it. */
const QUERY = `case when $4 then websearch_to_tsquery('simple', $2) || to_tsquery('simple', $3) else websearch_to_tsquery('simple', $2) && to_tsquery('simple', $3) end`;

/**
 * The memberships drive it: for each chat the index messages_search is asked for the chat and the words at once. `seq + 0`
 * keeps the primary key out of it, which a generic plan would combine with the words of all chats, once for each chat.
 */
const SEARCH = `
select found.*, ts_headline('simple', translate(found.text, $15, $17), ${QUERY}, $16) as headline from (
  select ${MESSAGE_COLUMNS} from chat_members me join messages m on m.chat_id = me.chat_id
  where me.user_id = $1 and ($6::uuid is null or me.chat_id = $6) and m.seq + 0 >= me.visible_from_seq
    and m.text is not null and m.deleted_at is null and to_tsvector('simple', m.text) @@ (${QUERY}) and querytree(${QUERY}) not in ('', 'T')
    and (m.expires_at is null or m.expires_at > $5)
    and ($7::uuid is null or m.sender_id = $7) and ($8::text is null or m.kind = $8)
    and ($9::timestamptz is null or m.created_at >= $9) and ($10::timestamptz is null or m.created_at < $10)
    and ($11::timestamptz is null or (m.created_at, m.chat_id, m.seq) < ($11, $12::uuid, $13::int))
    and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $1 and h.hidden_at is not null)
  order by m.created_at desc, m.chat_id desc, m.seq desc limit $14) found
order by found."createdAt" desc, found."chatId" desc, found.seq desc`;
