import type { Sql } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, forbidden, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import type { Actor } from './actor.js';
import { userById, type UserRow } from './loaders/users.js';
import { LOST_ANSWER_MS, type RefreshTokens } from './refresh-tokens.js';
import { endDevices } from './mls/device-ends.js';
import type { SessionGate } from './session-gate.js';
import type { AccessTokens } from './tokens.js';

/** A person has at most so many sessions; the one that was not used for the longest gives way. */
export const MAX_SESSIONS = 50;
/** That one app holds for one person: each is a yes of theirs. */
const MAX_OF_AN_APP = 10;

export interface SessionRow {
  id: string;
  userId: string;
  device: string | null;
  createdAt: Date;
  lastActiveAt: Date;
}
const SESSION_COLUMNS = 's.id, s.user_id as "userId", s.device, s.created_at as "createdAt", s.last_active_at as "lastActiveAt"';

export type EndReason = 'SIGNED_OUT' | 'TOKEN_REUSED' | 'PASSWORD_CHANGED' | 'TOO_MANY' | 'SUSPENDED';

/** A session that was just opened or refreshed, with the token to refresh it by. As JSON it would hold a secret: keep it out of idempotency keys. */
export interface OpenedSession {
  session: SessionRow;
  role: Actor['role'];
  refreshToken: string;
}

/** What whoever signs in is answered. */
export interface Grant {
  accessToken: string;
  accessTokenExpiresAt: Date;
  refreshToken: string;
  user: UserRow;
  session: SessionRow & { current: true };
}

export interface SignOut {
  /** One of one's own; the session that asks when left out. */
  sessionId?: string | null;
  /** Every session but the one that asks. */
  allOthers?: boolean | null;
}

type Refreshed = OpenedSession | 'unknown' | 'ended';

/** The sessions of people: one a device, each a family of refresh tokens of which the newest is good. */
export class SessionService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly gate: SessionGate,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly ttlSeconds: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens a session for a person whose row this transaction has made, or has locked with `lockForSignIn`. Errors: FORBIDDEN (suspended).
   */
  async open(tx: Tx, person: { id: string; role: Actor['role']; suspended: boolean }, device: string | null): Promise<OpenedSession> {
    if (person.suspended) throw forbidden('This account is suspended.');
    const rest = await tx.sql<{ id: string }>(
      `select s.id from sessions s where s.id in (
         select id from sessions where user_id = $1 and ended_at is null and app_id is null and expires_at > $2 order by last_active_at desc, id desc offset $3
       ) order by s.id for update`,
      [person.id, tx.now, MAX_SESSIONS - 1],
    );
    await this.end(tx, person.id, rest.map((row) => row.id), 'TOO_MANY');
    const session: SessionRow = { id: newId(), userId: person.id, device, createdAt: tx.now, lastActiveAt: tx.now };
    const refreshToken = this.refreshTokens.first();
    await tx.sql(
      'insert into sessions (id, user_id, device, created_at, last_active_at, expires_at) values ($1, $2, $3, $4, $4, $4::timestamptz + make_interval(secs => $5))',
      [session.id, person.id, device, tx.now, this.ttlSeconds],
    );
    await this.#keep(tx, session.id, refreshToken);
    tx.append(userStream(person.id), { kind: 'sessions.changed', sessionId: session.id });
    return { session, role: person.role, refreshToken };
  }

  /** Opens a session that an app holds for a person who has let it, kept to scopes. The person's own devices do not give way to it; the app's own, of the same person, do. */
  async openForApp(tx: Tx, { userId, role, appId, scopes }: { userId: string; role: Actor['role']; appId: string; scopes: readonly string[] }): Promise<OpenedSession> {
    const rest = await tx.sql<{ id: string }>(
      `select s.id from sessions s where s.id in (
         select id from sessions h where user_id = $1 and app_id = $2 and ended_at is null and expires_at > $3 and exists (select from refresh_tokens t where t.session_id = h.id) order by last_active_at desc, id desc offset $4
       ) order by s.id for update`,
      [userId, appId, tx.now, MAX_OF_AN_APP - 1],
    );
    await this.end(tx, userId, rest.map((row) => row.id), 'TOO_MANY');
    const session: SessionRow = { id: newId(), userId, device: null, createdAt: tx.now, lastActiveAt: tx.now };
    const refreshToken = this.refreshTokens.first();
    await tx.sql(
      'insert into sessions (id, user_id, app_id, scopes, created_at, last_active_at, expires_at) values ($1, $2, $3, $4, $5, $5, $5::timestamptz + make_interval(secs => $6))',
      [session.id, userId, appId, scopes, tx.now, this.ttlSeconds],
    );
    await this.#keep(tx, session.id, refreshToken);
    return { session, role, refreshToken };
  }

  /** What the session of a refresh token is kept to, if this app holds it; else null. */
  async scopesFor(refreshToken: string, appId: string): Promise<string[] | null> {
    if (!this.refreshTokens.isWellFormed(refreshToken)) return null;
    const [row] = await this.sql<{ scopes: string[] | null }>('select s.scopes from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1 and s.app_id = $2', [this.refreshTokens.hash(refreshToken), appId]);
    return row?.scopes ?? null;
  }

  /** What the owner of an opened session is answered, once it is committed. */
  async grant({ session, role, refreshToken }: OpenedSession): Promise<Grant> {
    const [user] = await userById.batch([session.userId], { sql: this.sql, viewerId: session.userId, now: this.clock.now() });
    const access = this.accessTokens.sign({ userId: session.userId, sessionId: session.id, role });
    return { ...access, refreshToken, user: user!, session: { ...session, current: true } };
  }

  /**
   * Answers new tokens for a refresh token, which is good once. Asked again within 30 s, as after a lost answer, it answers the
   * same successor, until that is used; any other use of a spent token ends the session, since two hold what one should.
   * What an app holds is refreshed by that app, which has shown who it is, and by nobody else (RFC 6749, section 6). Errors: UNAUTHENTICATED (not one of ours, or of another), SESSION_ENDED.
   */
  async refresh(token: string, appId: string | null = null): Promise<Grant> {
    const refreshed = this.refreshTokens.isWellFormed(token) ? await this.#refresh(token, appId) : 'unknown';
    if (refreshed === 'unknown') throw new DomainError('UNAUTHENTICATED', 'The refresh token is not valid.', { field: 'refreshToken' });
    if (refreshed === 'ended') throw new DomainError('SESSION_ENDED', 'This session has ended: sign in again.');
    return this.grant(refreshed);
  }

  #refresh(token: string, appId: string | null): Promise<Refreshed> {
    const hash = this.refreshTokens.hash(token);
    return this.unitOfWork.run<Refreshed>({ actorId: newId(), operation: 'refreshSession' }, async (tx) => {
      // The session's row is locked, so that whoever uses a token of the family does it alone.
      const [session] = await tx.sql<SessionRow & { role: Actor['role']; over: boolean }>(
        `select ${SESSION_COLUMNS}, u.role, s.ended_at is not null or u.suspended_at is not null as over
         from sessions s join users u on u.id = s.user_id where s.id = (select session_id from refresh_tokens where hash = $1) and s.app_id is not distinct from $2 for update of s`,
        [hash, appId],
      );
      if (!session) return 'unknown';
      const { role, over, ...row } = session;
      if (over) return 'ended';
      const successor = this.refreshTokens.successor(token);
      const [asked] = await tx.sql<{ expired: boolean; rotatedAt: Date | null; followed: boolean }>(
        `select t.expires_at <= $3 as expired, t.rotated_at as "rotatedAt", coalesce((select next.rotated_at is not null from refresh_tokens next where next.hash = $2), true) as followed
         from refresh_tokens t where t.hash = $1`,
        [hash, this.refreshTokens.hash(successor), tx.now],
      );
      if (!asked) return 'unknown';
      if (asked.rotatedAt !== null) {
        const repeated = !asked.followed && tx.now.getTime() - asked.rotatedAt.getTime() <= LOST_ANSWER_MS;
        if (!repeated) await this.end(tx, row.userId, [row.id], 'TOKEN_REUSED');
        return repeated ? { session: row, role, refreshToken: successor } : 'ended';
      }
      if (asked.expired) return 'ended';
      await tx.sql('update refresh_tokens set rotated_at = $2 where hash = $1', [hash, tx.now]);
      await this.#keep(tx, row.id, successor);
      await tx.sql('update sessions set last_active_at = $2, expires_at = $2::timestamptz + make_interval(secs => $3) where id = $1', [row.id, tx.now, this.ttlSeconds]);
      return { session: { ...row, lastActiveAt: tx.now }, role, refreshToken: successor };
    });
  }

  /**
   * Ends this session, a given one of one's own, or all others; answers the ids of those that ended by it. A session that has ended
   * already is none of them. Errors: NOT_FOUND (not one's own), INVALID_INPUT (both ways at once).
   */
  async signOut(actor: Actor, { sessionId, allOthers }: SignOut): Promise<string[]> {
    if (sessionId != null && allOthers) throw invalidInput('allOthers', 'sessionId and allOthers do not go together.');
    const { ended } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'signOut' }, async (tx) => {
      if (allOthers) return { ended: await this.endAll(tx, actor.userId, 'SIGNED_OUT', actor.sessionId) };
      const id = sessionId ?? actor.sessionId;
      const [own] = await tx.sql('select from sessions where id = $1 and user_id = $2 for update', [id, actor.userId]);
      if (!own) throw notFound('session');
      return { ended: await this.end(tx, actor.userId, [id], 'SIGNED_OUT') };
    });
    return ended;
  }

  /** Ends every session of a person, one perhaps excepted, and those that apps hold only with the person's own right to be here. Answers the ids of those that ended by it. */
  async endAll(tx: Tx, userId: string, reason: EndReason, except: string | null = null): Promise<string[]> {
    const rows = await tx.sql<{ id: string }>(`select id from sessions where user_id = $1 and ended_at is null and id is distinct from $2 and (app_id is null or $3 = 'SUSPENDED') order by id for update`, [userId, except, reason]);
    return this.end(tx, userId, rows.map((row) => row.id), reason);
  }

  /** Ends sessions whose rows this transaction has locked. Requests, connections and the person's other devices hear of it after commit. */
  async end(tx: Tx, userId: string, ids: readonly string[], reason: EndReason): Promise<string[]> {
    if (!ids.length) return [];
    const rows = await tx.sql<{ id: string }>('update sessions set ended_at = $2, end_reason = $3 where id = any($1) and ended_at is null returning id', [ids, tx.now, reason]);
    const ended = rows.map((row) => row.id);
    for (const id of ended) tx.append(userStream(userId), { kind: 'sessions.changed', sessionId: id });
    await endDevices(tx, userId, ended);
    tx.afterCommit.push(() => this.gate.ended(ended));
    return ended;
  }

  /** The actor's sessions that still stand, the newest first. */
  async list(userId: string, args: PageArgs): Promise<Page<SessionRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<SessionRow>(
      `select ${SESSION_COLUMNS} from sessions s where s.user_id = $1 and s.app_id is null and s.ended_at is null and s.expires_at > $2
         and s.id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') order by s.id desc limit $4`,
      [userId, this.clock.now(), request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** The session that asks. */
  async own(actor: Actor): Promise<SessionRow> {
    const [row] = await this.sql<SessionRow>(`select ${SESSION_COLUMNS} from sessions s where s.id = $1`, [actor.sessionId]);
    return row!;
  }

  #keep(tx: Tx, sessionId: string, refreshToken: string): Promise<unknown> {
    return tx.sql('insert into refresh_tokens (hash, session_id, created_at, expires_at) values ($1, $2, $3, $3::timestamptz + make_interval(secs => $4))', [
      this.refreshTokens.hash(refreshToken), sessionId, tx.now, this.ttlSeconds,
    ]);
  }
}
