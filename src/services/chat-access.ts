import { LRUCache } from 'lru-cache';
import type { Sql } from '../db/database.js';
import type { ChatAccess, MlsStanding } from '../policies/chat-policy.js';
import type { ModerationRules } from '../policies/moderation-policy.js';

const KEPT = 20_000;

interface AccessRow {
  kind: 'DIRECT' | 'GROUP';
  encryption: 'NONE' | 'MLS';
  aclVersion: number;
  slowModeSeconds: number;
  role: 'OWNER' | 'ADMIN' | 'MEMBER' | null;
  visibleFromSeq: number | null;
  blocked: boolean;
  silencedUntil: Date | null;
  ownRules: ModerationRules | null;
  groupRules: ModerationRules | null;
  mls: MlsStanding | null;
}

const NO_RULES: readonly ModerationRules[] = [];

/**
 * What decides about a person in a chat. Inside a transaction, `read` with its `sql` after locking the chat. The cached
 * form is for sending, where `send_messages` compares `aclVersion` under the lock and asks for a fresh one when it has moved:
 * so whatever changes who may do what must increase `chats.acl_version` (`bumpAcl`).
 */
export class ChatAccessReader {
  readonly #cache = new LRUCache<string, ChatAccess>({ max: KEPT });

  constructor(private readonly sql: Sql) {}

  async cached(chatId: string, userId: string): Promise<ChatAccess | null> {
    const known = this.#cache.get(`${chatId} ${userId}`);
    return known ?? this.fresh(chatId, userId);
  }

  async fresh(chatId: string, userId: string): Promise<ChatAccess | null> {
    const access = await readChatAccess(this.sql, chatId, userId);
    // A refusal is not kept: nothing compares its version, so nobody would find out that it has been lifted.
    if (access?.member && !access.blocked) this.#cache.set(`${chatId} ${userId}`, access);
    else this.#cache.delete(`${chatId} ${userId}`);
    return access;
  }
}

/** Of a leaf `l` of chat `c`: there is nobody behind it any more. */
export const LEAF_IS_GONE = `(not exists (select from mls_devices d where d.session_id = l.device_id and d.ended_at is null)
  or not exists (select from chat_members o where o.chat_id = l.chat_id and o.user_id = l.user_id))`;

const MLS_STANDING = `(select jsonb_build_object('generation', g.generation, 'epoch', g.epoch,
    'stale', exists (select from mls_leaves l where l.chat_id = g.chat_id and ${LEAF_IS_GONE}),
    'devices', coalesce((select jsonb_agg(l.device_id) from mls_leaves l where l.chat_id = g.chat_id and l.user_id = $2 and not ${LEAF_IS_GONE}), '[]'))
  from mls_groups g where g.chat_id = c.id)`;

export async function readChatAccess(sql: Sql, chatId: string, userId: string): Promise<ChatAccess | null> {
  const [row] = await sql<AccessRow>(
    `select c.kind, c.encryption, c.acl_version as "aclVersion", c.slow_mode_seconds as "slowModeSeconds", m.role, m.visible_from_seq as "visibleFromSeq",
            m.silenced_until as "silencedUntil", c.moderation as "ownRules", (select g.moderation from groups g where g.id = c.group_id) as "groupRules",
            c.kind = 'DIRECT' and exists (
              select from chat_members o join blocks b on (b.blocker_id, b.blocked_id) in ((o.user_id, $2), ($2, o.user_id))
              where o.chat_id = c.id and o.user_id <> $2) as blocked,
            case when c.encryption = 'MLS' then ${MLS_STANDING} end as mls
     from chats c left join chat_members m on m.chat_id = c.id and m.user_id = $2 where c.id = $1`,
    [chatId, userId],
  );
  if (!row) return null;
  const { role, visibleFromSeq, silencedUntil, ownRules, groupRules, blocked, ...chat } = row;
  const rules = ownRules || groupRules ? [ownRules, groupRules].filter((one) => one !== null) : NO_RULES;
  return { chat: { id: chatId, ...chat, rules }, member: role === null ? null : { role, visibleFromSeq: visibleFromSeq!, silencedUntil }, blocked };
}

/** Locks the chat, then reads what decides about the actor: every change of a chat starts here. */
export async function lockChat(sql: Sql, chatId: string, userId: string): Promise<ChatAccess | null> {
  await sql('select from chats where id = $1 for update', [chatId]);
  return readChatAccess(sql, chatId, userId);
}

/** To be called, under the chat's lock, by whatever changes who may do what in it. */
export const bumpAcl = (sql: Sql, chatId: string): Promise<object[]> => sql('update chats set acl_version = acl_version + 1 where id = $1', [chatId]);
