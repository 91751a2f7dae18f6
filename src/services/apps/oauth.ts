import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { decodeAnyId, encodeId, newId } from '../../lib/ids.js';
import type { Actor } from '../actor.js';
import { lockForSignIn } from '../accounts.js';
import { audit } from '../audit.js';
import type { SessionService } from '../sessions.js';
import type { AccessTokens } from '../tokens.js';
import { challengeOf, hashOf, newToken, sameHash } from './app-secrets.js';
import type { AppAccessService } from './app-access.js';
import { openAppSession } from './apps.js';

const CODE_MS = 60_000;
/** A code that was used is known for so long: used again, it ends what the first use got. */
const CODE_KEPT_HOURS = 24;
const SWEPT_AT_ONCE = 1_000;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const CHALLENGE = /^[\w-]{43}$/;
const VERIFIER = /^[\w.~-]{43,128}$/;

/** What RFC 6749 calls an error of the token endpoint. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  constructor(
    readonly code: 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'invalid_scope' | 'unsupported_grant_type',
    message: string,
  ) {
    super(message);
  }
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  scope: string;
  refresh_token?: string;
}

/** What is told of a token that is good (RFC 7662); of any other, and of those of other apps, only that it is not. */
export type Introspection = { active: false } | { active: true; scope: string; client_id: string; sub: string; exp?: number; token_type: 'Bearer' };

/** What an app holds by a token. */
interface Held {
  sessionId: string;
  userId: string;
  scopes: string[] | null;
  expiresAt: Date | null;
}

interface Client {
  id: string;
  ownerId: string;
}

/** OAuth 2.1 as far as apps need it: the authorisation code with PKCE, client credentials, and refreshing (RFC 6749, 7636, 9700). */
export class OAuthService {
  static readonly DUE = `exists (select from oauth_codes where expires_at <= $1::timestamptz - interval '${CODE_KEPT_HOURS} hours')`;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly access: AppAccessService,
    private readonly tokens: AccessTokens,
    private readonly clock: Clock,
  ) {}

  /**
   * A person lets an app act for them: answers where to send them, with a code that is good for a minute, once. Errors: NOT_FOUND (no such app), INVALID_INPUT (another redirect, scopes that it may not have).
   */
  async authorize(actor: Actor, input: { appId: string; redirectUri: string; scopes: readonly string[]; codeChallenge: string; state: string | null }): Promise<string> {
    if (!CHALLENGE.test(input.codeChallenge)) throw invalidInput('codeChallenge', 'codeChallenge is the SHA-256 of the verifier, base64url (S256).');
    if (input.state !== null && (input.state.length > 1_024 || !input.state.isWellFormed())) throw invalidInput('state', 'state is longer than 1,024 characters.');
    const { scopes } = await this.access.asking(input);
    const code = newToken('code');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'authorizeApp' }, async (tx) => {
      await tx.sql('insert into oauth_codes (hash, app_id, user_id, redirect_uri, scopes, challenge, expires_at) values ($1, $2, $3, $4, $5, $6, $7)', [
        hashOf(code), input.appId, actor.userId, input.redirectUri, scopes, input.codeChallenge, new Date(tx.now.getTime() + CODE_MS),
      ]);
      await audit(tx, { actorId: actor.userId, action: 'APP_AUTHORIZED', subject: { type: 'App', id: input.appId }, details: { scopes } });
      return null;
    });
    const to = new URL(input.redirectUri);
    to.searchParams.set('code', code);
    if (input.state !== null) to.searchParams.set('state', input.state);
    return to.href;
  }

  /** The token endpoint. `basic`: client and secret by HTTP Basic. Throws an OAuthError. */
  async token(form: Readonly<Record<string, string>>, basic: { id: string; secret: string } | null): Promise<TokenAnswer> {
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    switch (form['grant_type']) {
      case 'authorization_code':
        return this.#byCode(client, form);
      case 'client_credentials':
        return this.#byCredentials(client, form['scope']);
      case 'refresh_token':
        return this.#byRefresh(client, form['refresh_token'] ?? '');
      default:
        throw new OAuthError('unsupported_grant_type', 'authorization_code, client_credentials and refresh_token are supported.');
    }
  }

  /** Revocation (RFC 7009): ends the session that the app holds by an access or refresh token. Of what is not its own, or no token at all, nothing is said. Throws an OAuthError. */
  async revoke(form: Readonly<Record<string, string>>, basic: { id: string; secret: string } | null): Promise<void> {
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    const held = await this.#held(client, form['token'] ?? '');
    if (!held) return;
    await this.unitOfWork.run({ actorId: held.userId, operation: 'revokeToken' }, async (tx) => {
      await tx.sql('select from sessions where id = $1 for update', [held.sessionId]);
      await this.sessions.end(tx, held.userId, [held.sessionId], 'SIGNED_OUT');
      return null;
    });
  }

  /** Introspection (RFC 7662), for the app whose token it is. Throws an OAuthError. */
  async introspect(form: Readonly<Record<string, string>>, basic: { id: string; secret: string } | null): Promise<Introspection> {
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    const held = await this.#held(client, form['token'] ?? '');
    if (!held) return { active: false };
    const exp = held.expiresAt && { exp: Math.floor(held.expiresAt.getTime() / 1000) };
    return { active: true, scope: (held.scopes ?? []).join(' '), client_id: encodeId('App', client.id), sub: encodeId('User', held.userId), ...exp, token_type: 'Bearer' };
  }

  /** One round of forgetting codes that were used, or never were; true when there may be more. */
  async sweep(): Promise<boolean> {
    const gone = await this.sql(`delete from oauth_codes where hash = any(array(select hash from oauth_codes where expires_at <= $1::timestamptz - interval '${CODE_KEPT_HOURS} hours' limit $2)) returning 1`, [this.clock.now(), SWEPT_AT_ONCE]);
    return gone.length === SWEPT_AT_ONCE;
  }

  /** What an access token, a refresh token that was not used, or a key stands for, if it is this app’s and good. */
  async #held(client: Client, token: string): Promise<Held | null> {
    if (!token || token.length > 4_096) return null;
    const [where, key, expiresAt] = JWT.test(token) ? this.#byAccessToken(token) : ['s.id = (select t.session_id from refresh_tokens t where t.hash = $1 and t.rotated_at is null and t.expires_at > $3)', hashOf(token), null];
    if (key === null) return null;
    const [row] = await this.sql<Omit<Held, 'expiresAt'>>(
      `select s.id as "sessionId", s.user_id as "userId", s.scopes from sessions s join users u on u.id = s.user_id
       where ${where} and s.app_id = $2 and s.ended_at is null and s.expires_at > $3 and u.suspended_at is null`,
      [key, client.id, this.clock.now()],
    );
    return row ? { ...row, expiresAt } : null;
  }

  #byAccessToken(token: string): [where: string, key: string | null, expiresAt: Date | null] {
    try {
      const { actor, expiresAt } = this.tokens.verify(token);
      return ['s.id = $1', actor?.sessionId ?? null, expiresAt];
    } catch (error) {
      if (error instanceof DomainError) return ['s.id = $1', null, null];
      throw error;
    }
  }

  async #client(id: string | undefined, secret: string | undefined): Promise<Client> {
    const refused = new OAuthError('invalid_client', 'The client is not known, or its secret is another.');
    if (!id || !secret || secret.length > 200) throw refused;
    let uuid: string;
    try {
      const decoded = decodeAnyId(id);
      if (decoded.type !== 'App') throw refused;
      uuid = decoded.uuid;
    } catch {
      throw refused;
    }
    const [app] = await this.sql<Client & { hash: Buffer; old: Buffer | null }>(
      `select a.id, a.owner_id as "ownerId", a.secret_hash as hash, case when a.old_secret_until > $2 then a.old_secret_hash end as old from apps a join users o on o.id = a.owner_id where a.id = $1 and o.suspended_at is null`,
      [uuid, this.clock.now()],
    );
    const given = hashOf(secret);
    if (!app || !(sameHash(given, app.hash) || sameHash(given, app.old))) throw refused;
    return app;
  }

  async #byCode(client: Client, { code = '', code_verifier: verifier = '', redirect_uri: redirectUri = '' }: Readonly<Record<string, string>>): Promise<TokenAnswer> {
    const refused = new OAuthError('invalid_grant', 'The code is not good: it was used, has expired, or was given for another client, redirect or verifier.');
    if (!VERIFIER.test(verifier)) throw new OAuthError('invalid_request', 'code_verifier is 43 to 128 characters.');
    const opened = await this.unitOfWork.run({ actorId: newId(), operation: 'exchangeCode' }, async (tx) => {
      const [row] = await tx.sql<{ userId: string; redirectUri: string; scopes: string[]; challenge: string; expired: boolean; used: boolean; sessionId: string | null }>(
        `select user_id as "userId", redirect_uri as "redirectUri", scopes, challenge, expires_at <= $3 as expired, used_at is not null as used, session_id as "sessionId" from oauth_codes where hash = $1 and app_id = $2 for update`,
        [hashOf(code), client.id, tx.now],
      );
      if (!row) return null;
      if (row.used) {
        // Two hold what one should: what the first got ends.
        if (row.sessionId) {
          await tx.sql('select from sessions where id = $1 for update', [row.sessionId]);
          await this.sessions.end(tx, row.userId, [row.sessionId], 'TOKEN_REUSED');
        }
        return null;
      }
      if (row.expired || row.redirectUri !== redirectUri || row.challenge !== challengeOf(verifier)) return null;
      const person = await lockForSignIn(tx, row.userId);
      if (!person || person.suspended) return null;
      // Of what it was given a moment ago some may have been taken from it since.
      const allowed = await allowedNow(tx, client.id);
      const scopes = row.scopes.filter((scope) => allowed.includes(scope));
      if (!scopes.length) return null;
      const made = await this.sessions.openForApp(tx, { userId: row.userId, role: person.role, appId: client.id, scopes });
      await tx.sql('update oauth_codes set used_at = $2, session_id = $3 where hash = $1', [hashOf(code), tx.now, made.session.id]);
      return { opened: made, scopes };
    });
    if (!opened) throw refused;
    const grant = await this.sessions.grant(opened.opened);
    return { ...this.#answer(grant, opened.scopes), refresh_token: grant.refreshToken };
  }

  async #byCredentials(client: Client, asked: string | undefined): Promise<TokenAnswer> {
    const wanted = asked?.split(' ').filter(Boolean) ?? [];
    const opened = await this.unitOfWork.run({ actorId: client.ownerId, operation: 'clientCredentials' }, async (tx) => {
      const person = await lockForSignIn(tx, client.ownerId);
      if (!person || person.suspended) return null;
      const allowed = await allowedNow(tx, client.id);
      if (wanted.some((scope) => !allowed.includes(scope))) throw new OAuthError('invalid_scope', `This app may have: ${allowed.join(' ')}.`);
      const scopes = wanted.length ? [...new Set(wanted)] : allowed;
      const expiresAt = new Date(tx.now.getTime() + this.tokens.ttlSeconds * 1000);
      return { scopes, userId: person.id, role: person.role, sessionId: await openAppSession(tx, { userId: person.id, appId: client.id, scopes, device: null, expiresAt }) };
    });
    if (!opened) throw new OAuthError('invalid_client', 'The owner of this app is suspended.');
    return this.#answer(this.tokens.sign(opened), opened.scopes);
  }

  async #byRefresh(client: Client, token: string): Promise<TokenAnswer> {
    const scopes = await this.sessions.scopesFor(token, client.id);
    if (!scopes) throw new OAuthError('invalid_grant', 'The refresh token is not good.');
    try {
      const grant = await this.sessions.refresh(token);
      return { ...this.#answer(grant, scopes), refresh_token: grant.refreshToken };
    } catch (error) {
      if (error instanceof DomainError) throw new OAuthError('invalid_grant', error.message);
      throw error;
    }
  }

  #answer({ accessToken, accessTokenExpiresAt }: { accessToken: string; accessTokenExpiresAt: Date }, scopes: readonly string[]): TokenAnswer {
    const expires = Math.max(1, Math.round((accessTokenExpiresAt.getTime() - this.clock.now().getTime()) / 1000));
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expires, scope: scopes.join(' ') };
  }
}

/** What an app may have at the most, until this transaction ends: whoever takes something from it waits, and finds what this gives it. */
async function allowedNow(tx: Tx, appId: string): Promise<string[]> {
  const [app] = await tx.sql<{ scopes: string[] }>('select scopes from apps where id = $1 for share', [appId]);
  if (!app) throw new OAuthError('invalid_client', 'The client is gone.');
  return app.scopes;
}
