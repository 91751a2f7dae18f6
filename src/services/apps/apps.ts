import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { SCOPES } from '../../policies/scopes.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import { API_KEY_COLUMNS, APP_COLUMNS, type ApiKeyRow, type AppRow } from '../loaders/apps.js';
import type { SessionService } from '../sessions.js';
import { hashOf, isApiKey, newToken } from './app-secrets.js';
import { endApp, narrowSessions } from './end-app.js';
import { lockApp } from './lock-app.js';
import { cleanPublicKeys } from './tickets.js';

const MAX_APPS = 20;
const MAX_KEYS = 20;
const MAX_REDIRECTS = 10;
const MAX_KEY_DAYS = 3_650;
const MAX_OVERLAP_HOURS = 720;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How exactly `lastUsedAt` is kept. */
const USED_MS = 60_000;

export interface NewApp {
  name: string;
  redirectUris: readonly string[];
  scopes: readonly string[];
  /** Whether it can keep a secret: a server can, a page or a program on a phone can not. */
  confidential: boolean;
  idempotencyKey: string;
}
/** What is left out, or null, stays. */
export interface AppChange {
  appId: string;
  name: string | null;
  redirectUris: readonly string[] | null;
  scopes: readonly string[] | null;
  registeredOnly: boolean | null;
  /** JWKs as JSON. */
  publicKeys: readonly string[] | null;
}
export interface NewApiKey {
  appId: string;
  name: string;
  scopes: readonly string[] | null;
  expiresInDays: number | null;
  idempotencyKey: string;
}

/** Programs of others. They act for whoever owns them, or for people who have let them: by the same policies, kept to their scopes. */
export class AppService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
  ) {}

  /** The actor's, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<AppRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<AppRow>(`select ${APP_COLUMNS} from apps a where a.owner_id = $1 and ($2::uuid is null or a.id < $2) order by a.id desc limit $3`, [actor.userId, request.from?.[0] ?? null, request.limit]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** One of the actor's own, or null. */
  async find(actor: Actor, id: string): Promise<AppRow | null> {
    const [row] = await this.sql<AppRow>(`select ${APP_COLUMNS} from apps a where a.id = $1 and a.owner_id = $2`, [id, actor.userId]);
    return row ?? null;
  }

  /** Registers an app. Its secret is answered once; a repeat answers none, and one that is not confidential has none. Errors: INVALID_INPUT, LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED. */
  async create(actor: Actor, input: NewApp): Promise<{ app: AppRow; clientSecret: string | null }> {
    const name = cleanText(input.name, { field: 'name', maxBytes: 200 });
    const redirectUris = distinct(input.redirectUris, 'redirectUris', MAX_REDIRECTS).map(cleanRedirect);
    const scopes = cleanScopes(input.scopes, SCOPES);
    const { idempotencyKey, ...bound } = input;
    let clientSecret: string | null = null;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createApp', idempotencyKey, input: bound }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from apps where owner_id = $1', [actor.userId]);
      if (count!.n >= MAX_APPS) throw new DomainError('LIMIT_REACHED', `There are at most ${MAX_APPS} apps.`);
      const made = newId();
      clientSecret = input.confidential ? newToken('secret') : null;
      await tx.sql('insert into apps (id, owner_id, name, redirect_uris, scopes, secret_hash, created_at) values ($1, $2, $3, $4, $5, $6, $7)', [
        made, actor.userId, name, redirectUris, scopes, clientSecret && hashOf(clientSecret), tx.now,
      ]);
      await audit(tx, { actorId: actor.userId, action: 'APP_CREATED', subject: { type: 'App', id: made }, details: { scopes } });
      return { id: made };
    });
    return { app: await this.#read(actor, id), clientSecret };
  }

  /** Of scopes that are taken away, what the app holds for people is rid within seconds. Errors: NOT_FOUND, INVALID_INPUT. */
  async update(actor: Actor, change: AppChange): Promise<AppRow> {
    const name = change.name === null ? null : cleanText(change.name, { field: 'name', maxBytes: 200 });
    const redirectUris = change.redirectUris === null ? null : distinct(change.redirectUris, 'redirectUris', MAX_REDIRECTS).map(cleanRedirect);
    const scopes = change.scopes === null ? null : cleanScopes(change.scopes, SCOPES);
    const publicKeys = change.publicKeys === null ? null : cleanPublicKeys(change.publicKeys);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateApp' }, async (tx) => {
      await lockApp(tx, actor.userId, change.appId);
      const changed = await tx.sql(
        `update apps set name = coalesce($2, name), redirect_uris = coalesce($3, redirect_uris), scopes = coalesce($4, scopes), registered_only = coalesce($5, registered_only), public_keys = coalesce($6, public_keys)
         where id = $1 and (name, redirect_uris, scopes, registered_only, public_keys)
           is distinct from (coalesce($2, name), coalesce($3, redirect_uris), coalesce($4, scopes), coalesce($5, registered_only), coalesce($6, public_keys)) returning id`,
        [change.appId, name, redirectUris, scopes, change.registeredOnly, publicKeys],
      );
      if (!changed.length) return null;
      if (scopes) await narrowSessions(tx, this.sessions, change.appId, scopes);
      const details = { ...(scopes ? { scopes } : {}), ...(change.registeredOnly === null ? {} : { registeredOnly: change.registeredOnly }), ...(publicKeys ? { publicKeys: publicKeys.map((key) => (JSON.parse(key) as { kid: string }).kid) } : {}) };
      await audit(tx, { actorId: actor.userId, action: 'APP_UPDATED', subject: { type: 'App', id: change.appId }, details });
      return null;
    });
    return this.#read(actor, change.appId);
  }

  /** With its keys, and whatever it holds for people. Errors: NOT_FOUND. */
  async delete(actor: Actor, appId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteApp' }, async (tx) => {
      await lockApp(tx, actor.userId, appId);
      await endApp(tx, this.sessions, appId);
      await audit(tx, { actorId: actor.userId, action: 'APP_DELETED', subject: { type: 'App', id: appId } });
      return null;
    });
  }

  /** Makes a new secret; the old one is good for a day more. Errors: NOT_FOUND, STATE_CONFLICT (an app that has none). */
  async rotateSecret(actor: Actor, appId: string): Promise<{ app: AppRow; clientSecret: string }> {
    const clientSecret = newToken('secret');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'rotateAppSecret' }, async (tx) => {
      await lockApp(tx, actor.userId, appId);
      const kept = await tx.sql('update apps set old_secret_hash = secret_hash, old_secret_until = $3, secret_hash = $2 where id = $1 and secret_hash is not null returning 1', [appId, hashOf(clientSecret), new Date(tx.now.getTime() + DAY_MS)]);
      if (!kept.length) throw new DomainError('STATE_CONFLICT', 'This app keeps no secret.', { field: 'appId' });
      await audit(tx, { actorId: actor.userId, action: 'APP_SECRET_ROTATED', subject: { type: 'App', id: appId } });
      return null;
    });
    return { app: await this.#read(actor, appId), clientSecret };
  }

  /**
   * Makes a key by which the app acts for its owner, kept to scopes (the app's unless told). It is answered once; a repeat answers none.
   * Errors: NOT_FOUND, INVALID_INPUT, LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED.
   */
  async createKey(actor: Actor, input: NewApiKey): Promise<{ apiKey: ApiKeyRow; key: string | null }> {
    const name = cleanText(input.name, { field: 'name', maxBytes: 200 });
    const days = input.expiresInDays === null ? null : boundedInt(input.expiresInDays, 'expiresInDays', 1, MAX_KEY_DAYS);
    const { idempotencyKey, ...bound } = input;
    let key: string | null = null;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createApiKey', idempotencyKey, input: bound }, async (tx) => {
      const app = await lockApp(tx, actor.userId, input.appId);
      const scopes = input.scopes ? cleanScopes(input.scopes, app.scopes) : app.scopes;
      const made = await makeKey(tx, { ownerId: actor.userId, appId: app.id, name, scopes, expiresAt: days === null ? null : new Date(tx.now.getTime() + days * DAY_MS) });
      key = made.key;
      return { id: made.id };
    });
    return { apiKey: await this.#readKey(actor, id), key };
  }

  /**
   * Makes a key in place of another, for the same and as long as that was made for; the old one is good for `overlapHours` more (0: it ends now), or until its own end. The new one is answered once; a repeat answers none.
   * Errors: NOT_FOUND, INVALID_INPUT, STATE_CONFLICT (it has ended, or was rotated), LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED.
   */
  async rotateKey(actor: Actor, input: { apiKeyId: string; overlapHours: number; idempotencyKey: string }): Promise<{ apiKey: ApiKeyRow; key: string | null; previous: ApiKeyRow }> {
    boundedInt(input.overlapHours, 'overlapHours', 0, MAX_OVERLAP_HOURS);
    const { idempotencyKey, ...bound } = input;
    let key: string | null = null;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'rotateApiKey', idempotencyKey, input: bound }, async (tx) => {
      const [old] = await tx.sql<ApiKeyRow & { sessionId: string; over: boolean }>(
        `select ${API_KEY_COLUMNS}, k.session_id as "sessionId", k.rotated_at is not null or k.revoked_at is not null or s.ended_at is not null or coalesce(k.expires_at <= $3, false) as over
         from api_keys k join sessions s on s.id = k.session_id join apps a on a.id = k.app_id where k.id = $1 and a.owner_id = $2 for update of a, k, s`,
        [input.apiKeyId, actor.userId, tx.now],
      );
      if (!old) throw new DomainError('NOT_FOUND', 'There is no such key.', { field: 'apiKeyId' });
      if (old.over) throw new DomainError('STATE_CONFLICT', 'This key has ended, or another is in its place already.', { field: 'apiKeyId' });
      const lasts = old.expiresAt && old.expiresAt.getTime() - old.createdAt.getTime();
      const made = await makeKey(tx, { ownerId: actor.userId, appId: old.appId, name: old.name, scopes: old.scopes, expiresAt: lasts === null ? null : new Date(tx.now.getTime() + lasts) });
      const until = new Date(tx.now.getTime() + input.overlapHours * HOUR_MS);
      await tx.sql('update api_keys set rotated_at = $2, expires_at = least(expires_at, $3) where id = $1', [old.id, tx.now, until]);
      await tx.sql('update sessions set expires_at = least(expires_at, $2) where id = $1', [old.sessionId, until]);
      if (input.overlapHours === 0) await this.sessions.end(tx, actor.userId, [old.sessionId], 'SIGNED_OUT');
      key = made.key;
      return { id: made.id };
    });
    return { apiKey: await this.#readKey(actor, id), key, previous: await this.#readKey(actor, input.apiKeyId) };
  }

  /** Ends a key at once. One that was revoked stays so. Errors: NOT_FOUND. */
  async revokeKey(actor: Actor, id: string): Promise<ApiKeyRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'revokeApiKey' }, async (tx) => {
      const [row] = await tx.sql<{ sessionId: string; userId: string; revoked: boolean }>(
        `select k.session_id as "sessionId", a.owner_id as "userId", k.revoked_at is not null as revoked from api_keys k join apps a on a.id = k.app_id where k.id = $1 and a.owner_id = $2 for update of k`,
        [id, actor.userId],
      );
      if (!row) throw new DomainError('NOT_FOUND', 'There is no such key.', { field: 'apiKeyId' });
      if (row.revoked) return null;
      await tx.sql('update api_keys set revoked_at = $2 where id = $1', [id, tx.now]);
      await tx.sql('select from sessions where id = $1 for update', [row.sessionId]);
      await this.sessions.end(tx, row.userId, [row.sessionId], 'SIGNED_OUT');
      await audit(tx, { actorId: actor.userId, action: 'API_KEY_REVOKED', subject: { type: 'ApiKey', id } });
      return null;
    });
    return this.#readKey(actor, id);
  }

  /** Whose key this is; null: nobody's, or not good any more. */
  async verifyKey(key: string): Promise<{ userId: string; sessionId: string; expiresAt: Date | null } | null> {
    if (!isApiKey(key)) return null;
    const now = this.clock.now();
    const [row] = await this.sql<{ id: string; userId: string; sessionId: string; expiresAt: Date | null; used: Date | null }>(
      `select k.id, s.user_id as "userId", s.id as "sessionId", k.expires_at as "expiresAt", k.last_used_at as used from api_keys k join sessions s on s.id = k.session_id
       where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)`,
      [hashOf(key), now],
    );
    if (!row) return null;
    if (!row.used || now.getTime() - row.used.getTime() > USED_MS) await this.sql('update api_keys set last_used_at = $2 where id = $1', [row.id, now]);
    return { userId: row.userId, sessionId: row.sessionId, expiresAt: row.expiresAt };
  }

  async #read(actor: Actor, id: string): Promise<AppRow> {
    const row = await this.find(actor, id);
    if (!row) throw notFound('app');
    return row;
  }

  async #readKey(actor: Actor, id: string): Promise<ApiKeyRow> {
    const [row] = await this.sql<ApiKeyRow>(`select ${API_KEY_COLUMNS} from api_keys k join sessions s on s.id = k.session_id join apps a on a.id = k.app_id where k.id = $1 and a.owner_id = $2`, [id, actor.userId]);
    if (!row) throw notFound('API key');
    return row;
  }
}

/** A session that an app holds for somebody: none of the devices that the person sees among their own. `scopes` null: all that the person may. */
export async function openAppSession(tx: Tx, session: { userId: string; appId: string; scopes: readonly string[] | null; device: string | null; expiresAt: Date | null }): Promise<string> {
  const id = newId();
  await tx.sql(`insert into sessions (id, user_id, app_id, scopes, device, created_at, last_active_at, expires_at) values ($1, $2, $3, $4, $5, $6, $6, coalesce($7::timestamptz, 'infinity'))`, [
    id, session.userId, session.appId, session.scopes, session.device, tx.now, session.expiresAt,
  ]);
  return id;
}

/** A key of an app whose row is locked. Of those that have ended, or were ended, none counts. Errors: LIMIT_REACHED. */
async function makeKey(tx: Tx, { ownerId, appId, name, scopes, expiresAt }: { ownerId: string; appId: string; name: string; scopes: readonly string[]; expiresAt: Date | null }): Promise<{ id: string; key: string }> {
  const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from api_keys where app_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)', [appId, tx.now]);
  if (count!.n >= MAX_KEYS) throw new DomainError('LIMIT_REACHED', `An app has at most ${MAX_KEYS} keys.`);
  const [id, key] = [newId(), newToken('key')];
  const sessionId = await openAppSession(tx, { userId: ownerId, appId, scopes, device: `API key ${name}`.slice(0, 60), expiresAt });
  await tx.sql('insert into api_keys (id, app_id, session_id, name, hash, hint, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
    id, appId, sessionId, name, hashOf(key), `${key.slice(0, 8)}…${key.slice(-4)}`, tx.now, expiresAt,
  ]);
  await audit(tx, { actorId: ownerId, action: 'API_KEY_CREATED', subject: { type: 'ApiKey', id }, details: { scopes } });
  return { id, key };
}

export function cleanScopes(given: readonly string[], allowed: readonly string[], field = 'scopes'): string[] {
  const scopes = distinct(given, field, 100);
  const unknown = scopes.find((scope) => !allowed.includes(scope));
  if (unknown !== undefined) throw invalidInput(field, `${field} holds what this app can’t be given: ${allowed.join(', ')}.`);
  if (!scopes.length) throw invalidInput(field, `${field} is empty.`);
  return scopes;
}

/** Exactly what it is compared with later (RFC 9700): https, or a loopback address or own scheme of an app on a device; no fragment. */
function cleanRedirect(given: string): string {
  const text = cleanText(given, { field: 'redirectUris', maxBytes: 2_048 });
  const url = URL.canParse(text) ? new URL(text) : null;
  const good = url && !url.hash && !url.username && (url.protocol === 'https:' || (url.protocol === 'http:' && /^(127\.0\.0\.1|\[::1\]|localhost)$/.test(url.hostname)) || /^[a-z][a-z0-9]*(\.[a-z0-9-]+)+:$/.test(url.protocol));
  if (!good) throw invalidInput('redirectUris', 'redirectUris are https addresses, loopback addresses, or schemes of one’s own as com.example.app:/done.');
  return text;
}
