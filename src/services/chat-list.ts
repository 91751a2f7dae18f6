import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import { cleanText } from '../lib/validate.js';
import type { Actor, Reading } from './actor.js';
import { COUNTABLE } from './loaders/chat-list.js';
import { chatById, CHAT_COLUMNS, MEMBER_COLUMNS, viewerMembership, type ChatRow, type MemberRow } from './loaders/chats.js';

/** What is absent filters nothing. */
export interface ChatFilter {
  kind?: 'DIRECT' | 'GROUP' | null;
  unread?: boolean | null;
  archived?: boolean | null;
  pinned?: boolean | null;
  groupId?: string | null;
  /** A part of the title, or of the other member's name or handle. */
  query?: string | null;
}

/** A text as a LIKE pattern that finds it anywhere, whatever its case. */
export const containing = (text: string): string => `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;

/** A person's chats. */
export class ChatListService {
  constructor(private readonly sql: Sql) {}

  /** Newest activity first. Primes what every line of a list shows. */
  async list(reading: Reading, actor: Actor, filter: ChatFilter, args: PageArgs): Promise<Page<ChatRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    if (!request.size) return emptyPage();
    const query = filter.query == null ? null : containing(cleanText(filter.query, { field: 'filter.query', maxBytes: 256 }));
    const [at, id] = request.from ?? [null, null];
    const rows = await this.sql<ChatRow & MemberRow>(
      `select ${MEMBER_COLUMNS}, ${CHAT_COLUMNS} from chat_members m join chats c on c.id = m.chat_id
       where m.user_id = $2
         and ($4::timestamptz is null or (c.last_message_at, c.id) < ($4, $5::uuid))
         and ($6::text is null or c.kind = $6)
         and ($7::boolean is null or (m.archived_at is not null) = $7)
         and ($8::boolean is null or (m.pinned_at is not null) = $8)
         and ($9::uuid is null or c.group_id = $9)
         and ($10::text is null or case c.kind when 'GROUP' then lower(c.title) like $10 else exists (
           select from users u where u.id = any(string_to_array(c.direct_key, ':')::uuid[]) and u.id <> $2 and lower(u.handle || ' ' || u.display_name) like $10) end)
         and ($11::boolean is null or $11 = exists (
           select from messages x where x.chat_id = m.chat_id and x.seq > greatest(m.last_read_seq, m.visible_from_seq - 1) and ${COUNTABLE}))
       order by c.last_message_at desc, c.id desc limit $1`,
      [
        request.limit, actor.userId, reading.now, at === null ? null : new Date(at as number), id,
        filter.kind ?? null, filter.archived ?? null, filter.pinned ?? null, filter.groupId ?? null, query, filter.unread ?? null,
      ],
    );
    for (const row of rows) {
      reading.prime(chatById, row.id, row);
      reading.prime(viewerMembership, row.id, row);
    }
    return toPage<ChatRow>(rows, request, (row) => [row.lastMessageAt.getTime(), row.id]);
  }
}
