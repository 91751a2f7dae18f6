import { randomBytes, createHash } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import type { UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { cleanText } from '../lib/validate.js';
import { userById } from './loaders/users.js';
import type { Sql } from '../db/database.js';
import type { AccessTokens } from './tokens.js';

export interface SignUp {
  email: string;
  password: string;
  handle: string;
  displayName: string;
  device?: string | null;
}

/** People and their sessions. */
export class AccountService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: AccessTokens,
    private readonly refreshTtlSeconds: number,
  ) {}

  async signUp(input: SignUp, _address: string): Promise<object> {
    const email = input.email.trim().toLowerCase();
    if (!/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(email)) throw invalidInput('email', 'This is not an e-mail address.');
    if (input.password.length < 8 || input.password.length > 256) throw invalidInput('password', 'A password has 8 to 256 characters.');
    if (!/^[a-z0-9_.]{3,32}$/i.test(input.handle)) throw invalidInput('handle', 'A handle has 3 to 32 of a–z, 0–9, _ and .');
    const displayName = cleanText(input.displayName, { field: 'displayName', maxBytes: 128 });
    const device = input.device == null ? null : cleanText(input.device, { field: 'device', maxBytes: 128 });
    const passwordHash = await hash(input.password);
    const userId = newId();
    const sessionId = newId();
    const refreshToken = randomBytes(32).toString('base64url');
    const session = await this.unitOfWork.run({ actorId: userId, operation: 'signUp' }, async (tx) => {
      const made = await tx.sql(
        `insert into users (id, handle, handle_key, display_name, email, password_hash, created_at) values ($1, $2, lower($2), $3, $4, $5, $6) on conflict do nothing returning id`,
        [userId, input.handle, displayName, email, passwordHash, tx.now],
      );
      if (!made.length) {
        const [taken] = await tx.sql('select from users where email = $1', [email]);
        throw taken ? new DomainError('EMAIL_TAKEN', 'There is an account with this e-mail address.', { field: 'email' }) : new DomainError('HANDLE_TAKEN', 'This handle is taken.', { field: 'handle' });
      }
      await tx.sql('insert into sessions (id, user_id, device, created_at, last_active_at) values ($1, $2, $3, $4, $4)', [sessionId, userId, device, tx.now]);
      await tx.sql('insert into refresh_tokens (hash, session_id, created_at, expires_at) values ($1, $2, $3, $3::timestamptz + make_interval(secs => $4))', [
        createHash('sha256').update(refreshToken).digest(), sessionId, tx.now, this.refreshTtlSeconds,
      ]);
      return { id: sessionId, device, createdAt: tx.now, lastActiveAt: tx.now };
    });
    const [user] = await userById.batch([userId], { sql: this.sql, viewerId: userId, now: session.createdAt });
    return { ...this.tokens.sign({ userId, sessionId, role: 'USER' }), refreshToken, user, session };
  }
}
