import type { Tx } from '../../db/unit-of-work.js';
import type { SessionService } from '../sessions.js';
import { hashOf, newToken } from './app-secrets.js';

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

/**
 * An account has another owner than whoever made it: what apps hold for it ends, and so does what its own apps could come in by. Of these nothing else is lost: their owner makes new
 * keys and secrets. Its endpoints are told of nothing until they are made active again. The caller has locked the person's row.
 */
export async function unlinkApps(tx: Tx, sessions: SessionService, userId: string): Promise<void> {
  await tx.sql('delete from oauth_codes where user_id = $1', [userId]);
  await tx.sql('select from apps where owner_id = $1 order by id for update', [userId]);
  await tx.sql('update api_keys set revoked_at = $2 where revoked_at is null and app_id in (select id from apps where owner_id = $1)', [userId, tx.now]);
  await tx.sql(`update apps set secret_hash = case when secret_hash is not null then $2::bytea end, old_secret_hash = null, old_secret_until = null, public_keys = '{}' where owner_id = $1`, [userId, hashOf(newToken('secret'))]);
  const held = await tx.sql<{ id: string }>('select id from sessions where user_id = $1 and app_id is not null and ended_at is null order by id for update', [userId]);
  await sessions.end(tx, userId, held.map(({ id }) => id), 'PASSWORD_CHANGED');
  await tx.sql(`update webhooks set state = 'PAUSED', next_at = null where owner_id = $1 and state = 'ACTIVE'`, [userId]);
}
