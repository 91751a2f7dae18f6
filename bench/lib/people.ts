import type pg from 'pg';
import { newId } from '../../src/lib/ids.js';
import { systemClock } from '../../src/lib/clock.js';
import { AccessTokens } from '../../src/services/tokens.js';

export const TOKEN_SECRET = 'a secret for benchmarks, of no use elsewhere';
const TOKEN_SECONDS = 86_400;

export interface BenchPerson {
  userId: string;
  token: string;
}

/** People who are signed in, made by SQL: hashing a password for each would take longer than the run. */
export async function makePeople(sql: pg.Pool, count: number, role: 'USER' | 'ADMIN' = 'USER'): Promise<BenchPerson[]> {
  const tokens = new AccessTokens(TOKEN_SECRET, TOKEN_SECONDS, systemClock);
  const ids = Array.from({ length: count }, () => ({ userId: newId(), sessionId: newId() }));
  const users = ids.map((id) => id.userId);
  await sql.query(
    `insert into users (id, handle, handle_key, display_name, password_hash, role) select id, 'p' || replace(id::text, '-', ''), 'p' || replace(id::text, '-', ''), 'Person ' || n, '-', $2
     from unnest($1::uuid[]) with ordinality u(id, n)`,
    [users, role],
  );
  await sql.query(`insert into sessions (id, user_id, device) select s, u, 'bench' from unnest($1::uuid[], $2::uuid[]) t(s, u)`, [ids.map((id) => id.sessionId), users]);
  return ids.map(({ userId, sessionId }) => ({ userId, token: tokens.sign({ userId, sessionId, role }).accessToken }));
}
