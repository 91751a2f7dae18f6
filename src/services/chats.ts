import type { Sql } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { chatStream, userStream } from '../events/catalogue.js';
import { DomainError, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { cleanText, distinct } from '../lib/validate.js';
import type { Actor, Reading } from './actor.js';
import { chatById, CHAT_COLUMNS, MEMBER_COLUMNS, viewerChat, viewerMembership, type ChatRow, type MemberRow } from './loaders/chats.js';

export const MAX_TITLE_BYTES = 256;
const MAX_NEW_MEMBERS = 1_000;

export interface CreateChat {
  kind: 'DIRECT' | 'GROUP';
  memberIds: string[];
  title?: string | null;
  idempotencyKey: string;
}

/** Making and reading chats; who is in them stands in chat-members.ts. */
export class ChatService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** A chat that the viewer is in, or null. */
  async find(reading: Reading, id: string): Promise<ChatRow | null> {
    const found = await reading.load(viewerChat, id);
    if (!found) return null;
    reading.prime(chatById, id, found.chat);
    reading.prime(viewerMembership, id, found.member);
    return found.chat;
  }

  /** The members in the order of their ids (which is that of their sign-up). */
  async members(chatId: string, args: PageArgs): Promise<Page<MemberRow>> {
    const request = pageRequest(args, ['string']);
    const rows = await this.sql<MemberRow>(
      `select ${MEMBER_COLUMNS} from chat_members m where m.chat_id = $1 and m.user_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') order by m.user_id limit $3`,
      [chatId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.userId]);
  }

  /**
   * Makes a chat with the actor as owner. A direct chat between two people is made once: later calls, from either side, find it.
   * Errors: NOT_FOUND (a member), BLOCKED (direct), INVALID_INPUT.
   */
  async create(actor: Actor, input: CreateChat): Promise<ChatRow> {
    const others = distinct(input.memberIds, 'memberIds', MAX_NEW_MEMBERS).filter((id) => id !== actor.userId);
    if (input.kind === 'DIRECT') {
      if (others.length !== 1) throw invalidInput('memberIds', 'A direct chat has one other member.');
      if (input.title != null) throw invalidInput('title', 'A direct chat has no title.');
    }
    const title = input.title == null ? null : cleanText(input.title, { field: 'title', maxBytes: MAX_TITLE_BYTES });
    const { idempotencyKey, ...bound } = input;
    const { chatId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createChat', idempotencyKey, input: bound }, async (tx) => {
      await assertPeopleExist(tx, others);
      return { chatId: input.kind === 'DIRECT' ? await this.#direct(tx, actor.userId, others[0]!) : await this.#group(tx, actor.userId, others, title) };
    });
    const [chat] = await this.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.id = $1`, [chatId]);
    return chat!;
  }

  async #direct(tx: Tx, actorId: string, otherId: string): Promise<string> {
    const [blocked] = await tx.sql('select from blocks where (blocker_id, blocked_id) in (($1::uuid, $2::uuid), ($2, $1))', [actorId, otherId]);
    if (blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.', { field: 'memberIds' });
    const key = [actorId, otherId].sort().join(':');
    const id = newId();
    const made = await tx.sql(`insert into chats (id, kind, direct_key, created_at, last_message_at) values ($1, 'DIRECT', $2, $3, $3) on conflict (direct_key) do nothing returning id`, [id, key, tx.now]);
    if (!made.length) {
      const [found] = await tx.sql<{ id: string }>('select id from chats where direct_key = $1', [key]);
      return found!.id;
    }
    await addMembers(tx, id, [
      { userId: actorId, role: 'MEMBER' },
      { userId: otherId, role: 'MEMBER' },
    ]);
    return id;
  }

  async #group(tx: Tx, actorId: string, others: string[], title: string | null): Promise<string> {
    const id = newId();
    await tx.sql(`insert into chats (id, kind, title, created_at, last_message_at) values ($1, 'GROUP', $2, $3, $3)`, [id, title, tx.now]);
    await addMembers(tx, id, [{ userId: actorId, role: 'OWNER' }, ...others.map((userId) => ({ userId, role: 'MEMBER' as const }))]);
    return id;
  }
}

export async function assertPeopleExist(tx: Tx, ids: string[]): Promise<void> {
  const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from users where id = any($1) and suspended_at is null', [ids]);
  if (row!.n < ids.length) throw notFound('user');
}

/**
 * Puts people into a chat whose row this transaction has made or locked: they see what comes from now on. Those who are
 * in already stay as they are. Returns who was added.
 */
export async function addMembers(tx: Tx, chatId: string, members: { userId: string; role: 'OWNER' | 'ADMIN' | 'MEMBER' }[]): Promise<string[]> {
  const stream = chatStream(chatId);
  await tx.sql('insert into streams (id) values ($1) on conflict do nothing', [stream]);
  const rows = await tx.sql<{ user_id: string; visible_from_seq: number }>(
    `insert into chat_members (chat_id, user_id, role, joined_at, visible_from_seq, visible_from_pos, last_read_seq, last_delivered_seq)
     select c.id, n.user_id, n.role, $4, c.last_seq + 1, s.head, c.last_seq, c.last_seq
     from unnest($2::uuid[], $3::text[]) n(user_id, role), chats c, (select head from streams where id = $5 for update) s where c.id = $1
     on conflict do nothing returning user_id, visible_from_seq`,
    [chatId, members.map((member) => member.userId), members.map((member) => member.role), tx.now, stream],
  );
  await tx.sql('update chats set member_count = member_count + $2, acl_version = acl_version + 1 where id = $1', [chatId, rows.length]);
  for (const row of rows) {
    tx.append(stream, { kind: 'member.joined', userId: row.user_id, visibleFromSeq: row.visible_from_seq });
    tx.append(userStream(row.user_id), { kind: 'chat.added', chatId });
  }
  return rows.map((row) => row.user_id);
}
