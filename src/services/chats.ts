import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../lib/errors.js';
import { newId, NIL_UUID } from '../lib/ids.js';
import { cleanText, distinct } from '../lib/validate.js';
import type { ChatEncryption } from '../entities/chat.js';
import type { Actor, Reading } from './actor.js';
import { canSeeInside, assertRunsGroup } from '../policies/group-policy.js';
import { lockGroup } from './group-membership.js';
import { chatById, CHAT_COLUMNS, MEMBER_COLUMNS, viewerChat, viewerMembership, type ChatRow, type MemberRow } from './loaders/chats.js';
import { groupAccess } from './loaders/groups.js';
import { addMembers, assertNotAcrossBlock, assertPeopleExist, MAX_ENCRYPTED_MEMBERS, tooManyForMls } from './membership.js';
import { directKeys, lockPairs } from './pairs.js';

export const MAX_TITLE_BYTES = 256;
const MAX_NEW_MEMBERS = 1_000;
const MAX_CHATS_OF_GROUP = 100;

export interface CreateChat {
  kind: 'DIRECT' | 'GROUP';
  encryption?: ChatEncryption | null;
  memberIds: string[];
  title?: string | null;
  /** The group that the chat is a part of. */
  groupId?: string | null;
  idempotencyKey: string;
}

/** Making and reading chats; who is in them stands in chat-members.ts. */
export class ChatService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** A chat that the viewer is in, or that stands in a group whose inside the viewer sees; or null. */
  async find(reading: Reading, id: string): Promise<ChatRow | null> {
    const found = await reading.load(viewerChat, id);
    reading.prime(viewerMembership, id, found?.member ?? null);
    if (found) {
      reading.prime(chatById, id, found.chat);
      return found.chat;
    }
    const chat = await reading.load(chatById, id);
    return chat?.groupId && canSeeInside(await reading.load(groupAccess, chat.groupId)) ? chat : null;
  }

  /** For the chat's members: the owner, the admins, then the others, each in the order of joining. */
  async members(reading: Reading, chatId: string, args: PageArgs): Promise<Page<MemberRow>> {
    const request = pageRequest(args, ['number', 'time', 'uuid']);
    if (!request.size || !(await reading.load(viewerMembership, chatId))) return emptyPage();
    const [rank, joinedAt, userId] = request.from ?? [-1, 0, NIL_UUID];
    const rows = await this.sql<MemberRow & { rank: number }>(
      `select * from (select ${MEMBER_COLUMNS}, case m.role when 'OWNER' then 0 when 'ADMIN' then 1 else 2 end as rank from chat_members m where m.chat_id = $1) m
       where (rank, "joinedAt", "userId") > ($2, $3, $4) order by rank, "joinedAt", "userId" limit $5`,
      [chatId, rank, new Date(joinedAt as number), userId, request.limit],
    );
    return toPage(rows, request, (row) => [row.rank, row.joinedAt.getTime(), row.userId]);
  }

  /**
   * Makes a chat with the actor as owner. A direct chat between two people is made once, and an encrypted one once: later calls, from either side, find it.
   * A chat of a group is made by those who run the group, of its members. Errors: NOT_FOUND (a member, the group), FORBIDDEN, BLOCKED, LIMIT_REACHED, INVALID_INPUT.
   */
  async create(actor: Actor, input: CreateChat): Promise<ChatRow> {
    const others = distinct(input.memberIds, 'memberIds', MAX_NEW_MEMBERS).filter((id) => id !== actor.userId);
    if (input.kind === 'DIRECT') {
      if (others.length !== 1) throw invalidInput('memberIds', 'A direct chat has one other member.');
      if (input.title != null) throw invalidInput('title', 'A direct chat has no title.');
      if (input.groupId != null) throw invalidInput('groupId', 'A direct chat is in no group.');
    }
    const encryption = input.encryption ?? 'NONE';
    if (encryption === 'MLS' && others.length >= MAX_ENCRYPTED_MEMBERS) throw tooManyForMls();
    const title = input.title == null ? null : cleanText(input.title, { field: 'title', maxBytes: MAX_TITLE_BYTES });
    const { idempotencyKey, ...bound } = input;
    const { chatId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createChat', idempotencyKey, input: bound }, async (tx) => {
      if (input.groupId != null) assertRunsGroup(await lockGroup(tx.sql, input.groupId, actor.userId));
      await assertPeopleExist(tx, others);
      if (input.kind === 'DIRECT') await lockPairs(tx.sql, actor.userId, others);
      await assertNotAcrossBlock(tx.sql, actor.userId, others, 'memberIds');
      if (input.groupId != null) await assertFitsGroup(tx, input.groupId, others);
      return { chatId: input.kind === 'DIRECT' ? await directChat(tx, actor.userId, others[0]!, encryption) : await makeGroupChat(tx, actor.userId, others, title, input.groupId ?? null, encryption) };
    });
    // A repeat may come when they are not in it any more.
    const [chat] = await this.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c join chat_members m on m.chat_id = c.id and m.user_id = $2 where c.id = $1`, [chatId, actor.userId]);
    if (!chat) throw notFound('chat');
    return chat;
  }
}

/** The direct chat of two people, which is made where there is none; the caller holds the pair's lock, and has asked for blocks. */
export async function directChat(tx: Tx, actorId: string, otherId: string, encryption: ChatEncryption = 'NONE'): Promise<string> {
  const key = directKeys(actorId, otherId)[encryption];
  const id = newId();
  const made = await tx.sql(`insert into chats (id, kind, encryption, direct_key, created_at, last_message_at) values ($1, 'DIRECT', $4, $2, $3, $3) on conflict (direct_key) do nothing returning id`, [id, key, tx.now, encryption]);
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

/** Makes a group chat with the actor as owner; the caller has checked everybody. */
export async function makeGroupChat(tx: Tx, actorId: string, others: string[], title: string | null, groupId: string | null, encryption: ChatEncryption = 'NONE'): Promise<string> {
  const id = newId();
  await tx.sql(`insert into chats (id, kind, encryption, title, group_id, created_at, last_message_at) values ($1, 'GROUP', $5, $2, $3, $4, $4)`, [id, title, groupId, tx.now, encryption]);
  await addMembers(tx, id, [{ userId: actorId, role: 'OWNER' }, ...others.map((userId) => ({ userId, role: 'MEMBER' as const }))]);
  return id;
}

/** Under the group's lock: whoever leaves it leaves all of its chats in one transaction, so there is a bound to them. */
async function assertFitsGroup(tx: Tx, groupId: string, userIds: string[]): Promise<void> {
  const [chats] = await tx.sql<{ n: number }>('select count(*)::int as n from chats where group_id = $1', [groupId]);
  if (chats!.n >= MAX_CHATS_OF_GROUP) throw new DomainError('LIMIT_REACHED', `A group has at most ${MAX_CHATS_OF_GROUP} chats.`, { field: 'groupId' });
  const [row] = await tx.sql<{ n: number }>(`select count(*)::int as n from group_members where group_id = $1 and user_id = any($2) and state = 'MEMBER'`, [groupId, userIds]);
  if (row!.n < userIds.length) throw new DomainError('NOT_FOUND', 'There is no such member of the group.', { field: 'memberIds' });
}
