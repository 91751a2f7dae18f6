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

/** An app may be given less than before: what it holds is kept to that, and what is left with nothing ends. Within seconds everywhere. */
export async function narrowSessions(tx: Tx, sessions: SessionService, appId: string, scopes: readonly string[]): Promise<void> {
  const held = await tx.sql<{ id: string; userId: string; scopes: string[] }>(
    'select id, user_id as "userId", scopes from sessions where app_id = $1 and ended_at is null and scopes is not null and not scopes <@ $2::text[] order by id for update',
    [appId, scopes],
  );
  for (const session of held) {
    const left = session.scopes.filter((scope) => scopes.includes(scope));
    if (left.length) await tx.sql('update sessions set scopes = $2 where id = $1', [session.id, left]);
    else await sessions.end(tx, session.userId, [session.id], 'SIGNED_OUT');
  }
}
