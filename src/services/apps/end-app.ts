import type { Tx } from '../../db/unit-of-work.js';
import type { SessionService } from '../sessions.js';

/** Takes an app away, with its keys and whatever it holds for people: they are heard to end by whoever listens. The caller has asked who may. */
export async function endApp(tx: Tx, sessions: SessionService, appId: string): Promise<void> {
  await tx.sql('select from apps where id = $1 for update', [appId]);
  const held = await tx.sql<{ id: string; userId: string }>('select id, user_id as "userId" from sessions where app_id = $1 and ended_at is null order by id for update', [appId]);
  const people = new Set(held.map(({ userId }) => userId));
  for (const userId of people) await sessions.end(tx, userId, held.filter((session) => session.userId === userId).map(({ id }) => id), 'SIGNED_OUT');
  await tx.sql('delete from apps where id = $1', [appId]);
}
