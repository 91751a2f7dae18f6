import { randomBytes } from 'node:crypto';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Actor } from '../actor.js';
import { avatarFileId } from '../files/avatars.js';
import { releaseFiles } from '../files/file-claims.js';
import { USERS } from '../loaders/users.js';
import type { SessionService } from '../sessions.js';
import { lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';
import { leaveCase } from './support-cases.js';

/** What hangs on a bot, and goes with it. */
const OF_BOT = [
  'bot_hand_overs', 'bot_installs', 'bot_ratings', 'bot_listings', 'bot_versions', 'bot_knowledge', 'bot_memories', 'bot_summaries', 'bot_callbacks', 'bot_schedules',
  'tutor_cards', 'tutor_learners', 'tutor_exercises', 'bot_tutors',
] as const;

/** The job: it leaves its groups, one after another. */
export interface RetirementJob {
  botId: string;
}

/** The end of a bot, by its owner. */
export class BotRetirement {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
  ) {}

  /** At once it is nobody's, its token is void, and what it knew is gone; what it has said stays. It can't be taken back. Errors: NOT_FOUND. */
  async delete(actor: Actor, botId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteBot' }, async (tx) => {
      await lockOwnBot(tx, actor, botId);
      await retireBot(tx, this.sessions, botId);
      tellOwner(tx, actor.userId, botId);
      await tx.enqueue('retire-bot', { botId } satisfies RetirementJob, { key: `retire-bot ${botId}` });
      return null;
    });
  }
}

/** Takes from a bot its name, its ways in, and all that it knows and was to do. */
export async function retireBot(tx: Tx, sessions: SessionService, botId: string): Promise<void> {
  const [user] = await tx.sql<{ avatarUrl: string | null }>('select avatar_url as "avatarUrl" from users where id = $1 for no key update', [botId]);
  if (avatarFileId(user!.avatarUrl)) await releaseFiles(tx, 'USER_AVATAR', [{ id: botId }]);
  // Whoever waits for a person is told that none comes.
  const cases = await tx.sql<{ id: string; askerId: string }>(`select id, asker_id as "askerId" from support_cases where bot_id = $1 and state in ('OPEN', 'ASSIGNED') order by id for update`, [botId]);
  for (const { id, askerId } of cases) await leaveCase(tx, id, askerId);
  for (const table of OF_BOT) await tx.sql(`delete from ${table} where bot_id = $1`, [botId]);
  await tx.sql('delete from webhooks where owner_id = $1', [botId]);
  await tx.sql(`update bot_replies set state = 'FAILED' where bot_id = $1 and state = 'WAITING'`, [botId]);
  await tx.sql(`update bots set instructions = '', tools = '{}', languages = '{}', commands = '[]', deleted_at = coalesce(deleted_at, $2) where id = $1`, [botId, tx.now]);
  await tx.sql(
    `update users set handle = $2, handle_key = $2, display_name = 'Deleted account', about = null, avatar_url = null, discoverable = false, presence_privacy = 'NOBODY', last_seen_at = null,
       suspended_at = coalesce(suspended_at, $3), erased_at = coalesce(erased_at, $3), version = version + 1 where id = $1 and erased_at is null`,
    [botId, `deleted_${randomBytes(6).toString('hex')}`, tx.now],
  );
  tx.changed(USERS, botId);
  await sessions.endAll(tx, botId, 'SUSPENDED');
}
