import { createHash, createHmac } from 'node:crypto';
import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { boundedInt } from '../lib/validate.js';
import { assertIsGroupChat } from '../policies/chat-policy.js';
import { assertRunsGroup, isGroupMember } from '../policies/group-policy.js';
import { assertRuns, runs } from '../policies/member-policy.js';
import type { Actor, Reading } from './actor.js';
import { lockChat } from './chat-access.js';
import { admitByInvite, lockChatInGroup, readGroupAccess } from './group-membership.js';
import { CHAT_COLUMNS, viewerMembership, type ChatRow } from './loaders/chats.js';
import { admitMembers, someAreBanned } from './membership.js';

const MAX_LINKS = 100;
const MAX_USES = 100_000;

export interface InviteLinkRow {
  id: string;
  chatId: string;
  createdBy: string;
  maxUses: number | null;
  uses: number;
  expiresAt: Date | null;
  revokedAt: Date | null;
  createdAt: Date;
}
const LINK_COLUMNS = `l.id, l.chat_id as "chatId", l.created_by as "createdBy", l.max_uses as "maxUses", l.uses, l.expires_at as "expiresAt", l.revoked_at as "revokedAt", l.created_at as "createdAt"`;

export interface CreateInviteLink {
  chatId: string;
  maxUses?: number | null;
  expiresAt?: Date | null;
  idempotencyKey: string;
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Invite links, and coming into a chat by oneself. */
export class InviteService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly secret: string,
  ) {}

  /**
   * Makes a link for a group chat. Its token is derived from its id, so that a repeat of the call can answer it though
   * only its hash is kept. Errors: NOT_FOUND, FORBIDDEN, LIMIT_REACHED, STATE_CONFLICT (direct), INVALID_INPUT.
   */
  async create(actor: Actor, { idempotencyKey, ...input }: CreateInviteLink): Promise<{ inviteLink: InviteLinkRow; token: string }> {
    const maxUses = input.maxUses == null ? null : boundedInt(input.maxUses, 'maxUses', 1, MAX_USES);
    const { linkId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createInviteLink', idempotencyKey, input }, async (tx) => {
      if (input.expiresAt && input.expiresAt <= tx.now) throw invalidInput('expiresAt', 'expiresAt is in the past.');
      const { access, groupId } = await lockChatInGroup(tx, input.chatId, actor.userId);
      assertIsGroupChat(access);
      assertRuns(access.member.role, 'chat');
      // Who comes by the link comes into the group too: that is for those who run it to offer.
      if (groupId) assertRunsGroup(await readGroupAccess(tx.sql, groupId, actor.userId));
      const [standing] = await tx.sql<{ n: number }>('select count(*)::int as n from invite_links where chat_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)', [input.chatId, tx.now]);
      if (standing!.n >= MAX_LINKS) throw new DomainError('LIMIT_REACHED', `A chat has at most ${MAX_LINKS} invite links.`);
      const id = newId();
      await tx.sql('insert into invite_links (id, token_hash, chat_id, created_by, max_uses, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $7)', [
        id, hashOf(this.#token(id)), input.chatId, actor.userId, maxUses, input.expiresAt ?? null, tx.now,
      ]);
      return { linkId: id };
    });
    return { inviteLink: (await this.#find(linkId))!, token: this.#token(linkId) };
  }

  /** Ends a link; a repeat changes nothing. Errors: NOT_FOUND, FORBIDDEN. */
  async revoke(actor: Actor, linkId: string): Promise<InviteLinkRow> {
    const link = await this.#find(linkId);
    if (!link) throw notFound('invite link');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'revokeInviteLink' }, async (tx) => {
      const access = await lockChat(tx.sql, link.chatId, actor.userId);
      if (!access?.member) throw notFound('invite link');
      assertRuns(access.member.role, 'chat');
      await tx.sql('update invite_links set revoked_at = $2 where id = $1 and revoked_at is null', [linkId, tx.now]);
    });
    return (await this.#find(linkId))!;
  }

  /** The links of a chat that were not revoked, newest first; null for those who don't run it. */
  async list(reading: Reading, chatId: string, args: PageArgs): Promise<Page<InviteLinkRow> | null> {
    const request = pageRequest(args, ['uuid']);
    const member = await reading.load(viewerMembership, chatId);
    if (!runs(member?.role)) return null;
    if (!request.size) return emptyPage();
    const rows = await this.sql<InviteLinkRow>(
      `select ${LINK_COLUMNS} from invite_links l where l.chat_id = $1 and l.revoked_at is null and ($2::uuid is null or l.id < $2) order by l.id desc limit $3`,
      [chatId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /**
   * Comes in by an invite link's token, or, for a member of a group, by the id of a chat of that group. Who is in already
   * stays in. Errors: NOT_FOUND, EXPIRED, LIMIT_REACHED (the link is used up, the chat is full), INVALID_INPUT.
   */
  async join(actor: Actor, input: { token?: string | null; chatId?: string | null }): Promise<ChatRow> {
    if ((input.token == null) === (input.chatId == null)) throw invalidInput('token', 'Give either token or chatId.');
    const chatId = input.chatId ?? (await this.#chatOf(input.token!));
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'joinChat' }, async (tx) => {
      const { access, groupId } = await lockChatInGroup(tx, chatId, actor.userId);
      if (access?.member) return;
      if (await someAreBanned(tx, chatId, [actor.userId])) throw notFound(input.token == null ? 'chat' : 'invite link');
      if (input.token == null) {
        const group = groupId ? await readGroupAccess(tx.sql, groupId, actor.userId) : null;
        if (!isGroupMember(group)) throw notFound('chat');
      } else {
        await useLink(tx, hashOf(input.token));
        if (groupId) await admitByInvite(tx, groupId, actor.userId);
      }
      await admitMembers(tx, chatId, actor.userId, [actor.userId]);
    });
    const [chat] = await this.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.id = $1`, [chatId]);
    return chat!;
  }

  async #chatOf(token: string): Promise<string> {
    const [link] = await this.sql<{ chat_id: string }>('select chat_id from invite_links where token_hash = $1', [hashOf(token)]);
    if (!link) throw notFound('invite link');
    return link.chat_id;
  }

  async #find(id: string): Promise<InviteLinkRow | null> {
    const [row] = await this.sql<InviteLinkRow>(`select ${LINK_COLUMNS} from invite_links l where l.id = $1`, [id]);
    return row ?? null;
  }

  #token(linkId: string): string {
    return createHmac('sha256', this.secret).update(`invite ${linkId}`).digest('base64url');
  }
}

/** Counts a use, under the chat's lock, or says why there is none. */
async function useLink(tx: Tx, hash: Buffer): Promise<void> {
  const [link] = await tx.sql<InviteLinkRow>(`select ${LINK_COLUMNS} from invite_links l where l.token_hash = $1 for update`, [hash]);
  if (!link || link.revokedAt) throw notFound('invite link');
  if (link.expiresAt && link.expiresAt <= tx.now) throw new DomainError('EXPIRED', 'This invite link has expired.');
  if (link.maxUses !== null && link.uses >= link.maxUses) throw new DomainError('LIMIT_REACHED', 'This invite link has been used as often as it may be.');
  await tx.sql('update invite_links set uses = uses + 1 where id = $1', [link.id]);
}
