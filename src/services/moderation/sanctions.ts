import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { UserRole } from '../../entities/user.js';
import { chatStream } from '../../events/catalogue.js';
import { DomainError, forbidden, notFound } from '../../lib/errors.js';
import { encodeId, newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import type { ChatAccess } from '../../policies/chat-policy.js';
import { assertCanRemove, type MemberRole } from '../../policies/member-policy.js';
import { moderates } from '../../policies/moderation-policy.js';
import { may } from '../../policies/role-policy.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import { bumpAcl, lockChat, readChatAccess } from '../chat-access.js';
import { FOREVER } from '../chat-settings.js';
import { takeOut } from '../membership.js';

export const MAX_SANCTION_SECONDS = 365 * 86_400;
export const MAX_NOTE_BYTES = 2_048;
const STRIKE_DAYS = 90;

export interface BanRow {
  chatId: string;
  userId: string;
  until: Date;
  reason: string;
  createdAt: Date;
}

/** Who decides: somebody, or (null) the rules themselves. */
export interface Judge {
  userId: string | null;
  role: UserRole;
}

/** A member may send nothing for a while, or is kept out. */
export class SanctionService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** 0 seconds: the member is heard again. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (direct), INVALID_INPUT. */
  async silence(actor: Actor, { chatId, userId, seconds, reason }: { chatId: string; userId: string; seconds: number; reason: string }): Promise<void> {
    boundedInt(seconds, 'seconds', 0, MAX_SANCTION_SECONDS);
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_NOTE_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'silenceMember' }, async (tx) => {
      assertModeratesHere(actor, await lockChat(tx.sql, chatId, actor.userId));
      await silenceIn(tx, actor, { chatId, userId, seconds, reason: why });
      return null;
    });
  }

  /** Takes somebody out of a chat, and keeps them out: for `seconds`, or for good. Who is not in is kept out all the same. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (direct), INVALID_INPUT. */
  async ban(actor: Actor, { chatId, userId, seconds, reason }: { chatId: string; userId: string; seconds: number | null; reason: string }): Promise<BanRow> {
    if (seconds !== null) boundedInt(seconds, 'seconds', 1, MAX_SANCTION_SECONDS);
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_NOTE_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'banFromChat' }, async (tx) => {
      assertModeratesHere(actor, await lockChat(tx.sql, chatId, actor.userId));
      await banIn(tx, actor, { chatId, userId, seconds, reason: why });
      return null;
    });
    const [row] = await this.sql<BanRow>(`select ${BAN_COLUMNS} from chat_bans b where b.chat_id = $1 and b.user_id = $2`, [chatId, userId]);
    return row!;
  }

  /** Of whom is not banned nothing changes. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (direct). */
  async lift(actor: Actor, chatId: string, userId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'liftChatBan' }, async (tx) => {
      assertModeratesHere(actor, await lockChat(tx.sql, chatId, actor.userId));
      await assertPersonExists(tx, userId);
      const gone = await tx.sql('delete from chat_bans where chat_id = $1 and user_id = $2 returning 1', [chatId, userId]);
      if (gone.length) await audit(tx, { actorId: actor.userId, action: 'BAN_LIFTED', subject: { type: 'User', id: userId }, details: { chatId: encodeId('Chat', chatId) } });
      return null;
    });
  }

  /** Bans that stand, by whom they are of. Errors: as those of banning. */
  async bans(actor: Actor, chatId: string, args: PageArgs, now: Date): Promise<Page<BanRow>> {
    const request = pageRequest(args, ['uuid']);
    assertModeratesHere(actor, await readChatAccess(this.sql, chatId, actor.userId));
    const rows = await this.sql<BanRow>(`select ${BAN_COLUMNS} from chat_bans b where b.chat_id = $1 and b.until > $2 and ($3::uuid is null or b.user_id > $3) order by b.user_id limit $4`, [
      chatId, now, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.userId]);
  }
}

const BAN_COLUMNS = `b.chat_id as "chatId", b.user_id as "userId", b.until, b.reason, b.created_at as "createdAt"`;

/** Those who run a group chat, and moderators of the place. */
export function assertModeratesHere(actor: Actor, access: ChatAccess | null): asserts access is ChatAccess {
  if (!access || (!access.member && !may(actor, 'MODERATE'))) throw notFound('chat');
  if (access.chat.kind === 'DIRECT') throw new DomainError('STATE_CONFLICT', 'A direct chat has nobody who moderates it: block them instead.');
  if (!moderates(actor, access)) throw forbidden('Only those who run the chat may do this.');
}

async function assertPersonExists(tx: Tx, userId: string): Promise<void> {
  const [person] = await tx.sql('select from users where id = $1', [userId]);
  if (!person) throw new DomainError('NOT_FOUND', 'There is no such person.', { field: 'userId' });
}

/** Under the chat's lock. A moderator of the place reaches whoever an owner does; the rules reach members alone. */
async function assertReaches(tx: Tx, judge: Judge, chatId: string, userId: string): Promise<MemberRole | null> {
  const rows = await tx.sql<{ id: string; role: MemberRole }>('select user_id as id, role from chat_members where chat_id = $1 and user_id in ($2, $3)', [chatId, userId, judge.userId ?? userId]);
  const roleOf = (id: string | null) => rows.find((row) => row.id === id)?.role ?? null;
  const role = roleOf(userId);
  if (role) assertCanRemove(may(judge, 'MODERATE') ? 'OWNER' : judge.userId === null ? 'ADMIN' : (roleOf(judge.userId) ?? 'MEMBER'), role, userId === judge.userId);
  else if (userId === judge.userId) throw new DomainError('STATE_CONFLICT', 'Nobody bans themself.');
  return role;
}

/** Under the chat's lock. */
export async function silenceIn(tx: Tx, judge: Judge, { chatId, userId, seconds, reason }: { chatId: string; userId: string; seconds: number; reason: string }): Promise<void> {
  if (!(await assertReaches(tx, judge, chatId, userId))) throw new DomainError('NOT_FOUND', 'There is no such member.', { field: 'userId' });
  const until = seconds ? new Date(tx.now.getTime() + seconds * 1000) : null;
  const moved = await tx.sql('update chat_members set silenced_until = $3 where chat_id = $1 and user_id = $2 and silenced_until is distinct from $3 returning 1', [chatId, userId, until]);
  if (!moved.length) return;
  await bumpAcl(tx.sql, chatId);
  tx.append(chatStream(chatId), { kind: 'member.updated', userId });
  const details = { chatId: encodeId('Chat', chatId), seconds, reason };
  await audit(tx, { actorId: judge.userId, action: until ? 'MEMBER_SILENCED' : 'MEMBER_HEARD_AGAIN', subject: { type: 'User', id: userId }, details });
}

/** Under the chat's lock. */
export async function banIn(tx: Tx, judge: Judge & { userId: string }, { chatId, userId, seconds, reason }: { chatId: string; userId: string; seconds: number | null; reason: string }): Promise<void> {
  await assertPersonExists(tx, userId);
  await assertReaches(tx, judge, chatId, userId);
  const until = seconds === null ? FOREVER : new Date(tx.now.getTime() + seconds * 1000);
  await tx.sql(
    `insert into chat_bans (chat_id, user_id, until, reason, banned_by, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (chat_id, user_id) do update set until = $3, reason = $4, banned_by = $5, created_at = $6`,
    [chatId, userId, until, reason, judge.userId, tx.now],
  );
  await takeOut(tx, chatId, userId, judge.userId);
  await audit(tx, { actorId: judge.userId, action: 'MEMBER_BANNED', subject: { type: 'User', id: userId }, details: { chatId: encodeId('Chat', chatId), seconds, reason } });
}

/** Under the chat's lock: counts against somebody for 90 days. At each so many that the rules name, they are silenced. */
export async function strikeIn(tx: Tx, judge: Judge & { userId: string }, { chatId, userId, caseId }: { chatId: string; userId: string; caseId: string }, access: ChatAccess): Promise<void> {
  const made = await tx.sql('insert into moderation_strikes (id, user_id, chat_id, case_id, created_at, expires_at) values ($1, $2, $3, $4, $5, $6) on conflict (case_id) do nothing returning 1', [
    newId(), userId, chatId, caseId, tx.now, new Date(tx.now.getTime() + STRIKE_DAYS * 86_400_000),
  ]);
  if (!made.length) return;
  const [standing] = await tx.sql<{ n: number }>('select count(*)::int as n from moderation_strikes where chat_id = $1 and user_id = $2 and expires_at > $3', [chatId, userId, tx.now]);
  const details = { chatId: encodeId('Chat', chatId), caseId: encodeId('ModerationCase', caseId), strikes: standing!.n };
  await audit(tx, { actorId: judge.userId, action: 'STRIKE_GIVEN', subject: { type: 'User', id: userId }, details });
  const limits = access.chat.rules.flatMap(({ strikes }) => (strikes && standing!.n % strikes.limit === 0 ? [strikes.muteSeconds] : []));
  const [member] = await tx.sql<{ role: MemberRole }>('select role from chat_members where chat_id = $1 and user_id = $2', [chatId, userId]);
  if (limits.length && member?.role === 'MEMBER') await silenceIn(tx, { userId: null, role: 'USER' }, { chatId, userId, seconds: Math.max(...limits), reason: `${standing!.n} strikes` });
}
