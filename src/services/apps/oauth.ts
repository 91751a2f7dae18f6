import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { decodeId, encodeId, newId } from '../../lib/ids.js';
import { sameHash, sameSecret } from '../../lib/secrets.js';
import type { Actor } from '../actor.js';
import { lockForSignIn } from '../accounts.js';
import { audit } from '../audit.js';
import type { SessionService } from '../sessions.js';
import type { AccessTokens } from '../tokens.js';
import { challengeOf, hashOf, newToken } from './app-secrets.js';
import type { AppAccessService } from './app-access.js';
import { openAppSession } from './apps.js';
import type { PartnerUsers } from './partner-users.js';
import { issuerOf } from './tickets.js';

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
    readonly code: 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'invalid_scope' | 'unauthorized_client' | 'unsupported_grant_type',
    message: string,
  ) {
    super(message);
  }
}

export interface TokenAnswer {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  /** Left out for a partner's own user, who acts as a person. */
  scope?: string;
  refresh_token?: string;
}

/** A partner's server signs for its own user: RFC 7523, as a grant. */
export const TICKET_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

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
  /** It keeps a secret, and has shown it; else it has told its name, and nothing more. */
  confidential: boolean;
  scopes: string[];
  publicKeys: string[];
}

type Form = Readonly<Record<string, string>>;
type Basic = { id: string; secret: string } | null;

/** OAuth 2.1 as far as apps need it: the authorisation code with PKCE, client credentials, refreshing, and tickets for a partner's own users (RFC 6749, 7636, 7523, 9700). */
export class OAuthService {
  static readonly DUE = `exists (select from oauth_codes where expires_at <= $1::timestamptz - interval '${CODE_KEPT_HOURS} hours')`;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly access: AppAccessService,
    private readonly users: PartnerUsers,
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

  /** The token endpoint. `basic`: client and secret by HTTP Basic; `audience`: what this server is called in tickets. Throws an OAuthError. */
  async token(form: Form, basic: Basic, audience: string[]): Promise<TokenAnswer> {
    const grant = form['grant_type'];
    if (grant === TICKET_GRANT) return this.#byTicket(form, basic, audience);
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    switch (grant) {
      case 'authorization_code':
        return this.#byCode(client, form);
      case 'client_credentials':
        if (!client.confidential) throw new OAuthError('unauthorized_client', 'This app keeps no secret, so it has no credentials of its own.');
        return this.#byCredentials(client, form['scope']);
      case 'refresh_token':
        return this.#byRefresh(client, form['refresh_token'] ?? '');
      default:
        throw new OAuthError('unsupported_grant_type', `authorization_code, client_credentials, refresh_token and ${TICKET_GRANT} are supported.`);
    }
  }

  /** Revocation (RFC 7009): ends the session that the app holds by an access or refresh token. Of what is not its own, or no token at all, nothing is said. Throws an OAuthError. */
  async revoke(form: Form, basic: Basic): Promise<void> {
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    const held = await this.#held(client, form['token'] ?? '');
    if (!held) return;
    await this.unitOfWork.run({ actorId: held.userId, operation: 'revokeToken' }, async (tx) => {
      await tx.sql('select from sessions where id = $1 for update', [held.sessionId]);
      await this.sessions.end(tx, held.userId, [held.sessionId], 'SIGNED_OUT');
      return null;
    });
  }

  /** Introspection (RFC 7662), for the app whose token it is, and which keeps a secret. Throws an OAuthError. */
  async introspect(form: Form, basic: Basic): Promise<Introspection> {
    const client = await this.#client(basic?.id ?? form['client_id'], basic?.secret ?? form['client_secret']);
    if (!client.confidential) throw new OAuthError('invalid_client', 'Who asks what a token is good for shows a secret.');
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

  /** An app that keeps a secret must show it; one that keeps none must show none. */
  async #client(id: string | undefined, secret: string | undefined): Promise<Client> {
    const refused = new OAuthError('invalid_client', 'The client is not known, or its secret is another.');
    const client = id ? await this.#find(id) : null;
    if (!client || (secret?.length ?? 0) > 200) throw refused;
    const { hash, old, ...known } = client;
    if (hash === null ? secret : !secret || !(sameHash(hashOf(secret), hash) || sameHash(hashOf(secret), old))) throw refused;
    return { ...known, confidential: hash !== null };
  }

  /** An app by what it calls itself, if its owner may act. */
  async #find(id: string): Promise<(Omit<Client, 'confidential'> & { hash: Buffer | null; old: Buffer | null }) | null> {
    let uuid: string;
    try {
      uuid = decodeId('App', id);
    } catch {
      return null;
    }
    const [app] = await this.sql<Omit<Client, 'confidential'> & { hash: Buffer | null; old: Buffer | null }>(
      `select a.id, a.owner_id as "ownerId", a.scopes, a.public_keys as "publicKeys", a.secret_hash as hash, case when a.old_secret_until > $2 then a.old_secret_hash end as old
       from apps a join users o on o.id = a.owner_id where a.id = $1 and o.suspended_at is null`,
      [uuid, this.clock.now()],
    );
    return app ?? null;
  }

  /** By what the partner's server has signed the app is known; a client that names itself all the same is held to it. */
  async #byTicket(form: Form, basic: Basic, audience: string[]): Promise<TokenAnswer> {
    const ticket = form['assertion'] ?? '';
    const refused = new OAuthError('invalid_grant', 'The ticket is not good: it was used, has ended, is of another app, for another server, or signed by a key that the app has not registered.');
    const issuer = issuerOf(ticket);
    const app = issuer === null ? null : await this.#find(issuer);
    const named = basic?.id ?? form['client_id'];
    if (named !== undefined && (await this.#client(named, basic?.secret ?? form['client_secret'])).id !== app?.id) throw refused;
    if (!app || issuer === null) throw refused;
    if (!app.scopes.includes('users:issue')) throw new OAuthError('unauthorized_client', 'This app was not given users:issue.');
    try {
      const token = await this.users.byTicket(app, ticket, { issuer, audience });
      if (token) return this.#answer(token, null);
    } catch (error) {
      if (error instanceof DomainError && (error.code === 'FORBIDDEN' || error.code === 'INVALID_INPUT')) throw new OAuthError('invalid_grant', error.message);
      throw error;
    }
    throw refused;
  }

  async #byCode(client: Client, { code = '', code_verifier: verifier = '', redirect_uri: redirectUri = '' }: Form): Promise<TokenAnswer> {
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
      if (row.expired || row.redirectUri !== redirectUri || !sameSecret(challengeOf(verifier), row.challenge)) return null;
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
      const grant = await this.sessions.refresh(token, client.id);
      return { ...this.#answer(grant, scopes), refresh_token: grant.refreshToken };
    } catch (error) {
      if (error instanceof DomainError) throw new OAuthError('invalid_grant', error.message);
      throw error;
    }
  }

  #answer({ accessToken, accessTokenExpiresAt }: { accessToken: string; accessTokenExpiresAt: Date }, scopes: readonly string[] | null): TokenAnswer {
    const expires = Math.max(1, Math.round((accessTokenExpiresAt.getTime() - this.clock.now().getTime()) / 1000));
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expires, ...(scopes && { scope: scopes.join(' ') }) };
  }
}

/** What an app may have at the most, until this transaction ends: whoever takes something from it waits, and finds what this gives it. */
async function allowedNow(tx: Tx, appId: string): Promise<string[]> {
  const [app] = await tx.sql<{ scopes: string[] }>('select scopes from apps where id = $1 for share', [appId]);
  if (!app) throw new OAuthError('invalid_client', 'The client is gone.');
  return app.scopes;
}
