import { nestedPages } from '../../db/nested-pages.js';

export interface AppRow {
  id: string;
  ownerId: string;
  name: string;
  redirectUris: string[];
  scopes: string[];
  /** Null: it was given none. */
  plan: string | null;
  /** Executes nothing but the operations that it has registered. */
  registeredOnly: boolean;
  /** It keeps a secret. */
  confidential: boolean;
  /** JWKs as JSON. */
  publicKeys: string[];
  createdAt: Date;
}
export const APP_COLUMNS = 'a.id, a.owner_id as "ownerId", a.name, a.redirect_uris as "redirectUris", a.scopes, a.plan, a.registered_only as "registeredOnly", a.secret_hash is not null as confidential, a.public_keys as "publicKeys", a.created_at as "createdAt"';

export interface ApiKeyRow {
  id: string;
  appId: string;
  name: string;
  hint: string;
  scopes: string[];
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}
export const API_KEY_COLUMNS = `k.id, k.app_id as "appId", k.name, k.hint, s.scopes, k.created_at as "createdAt", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt"`;

/** The keys of each app, the newest first, those that were revoked too. */
export const keysOfApp = nestedPages<string, ApiKeyRow & { ord: number }>({
  keyOf: (appId) => appId,
  cursorOf: (row) => [row.id],
  read: (keys, { sql }) =>
    sql<ApiKeyRow & { ord: number }>(
      `select p.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality p(app_id, id, most, ord)
       cross join lateral (select ${API_KEY_COLUMNS} from api_keys k join sessions s on s.id = k.session_id where k.app_id = p.app_id and (p.id is null or k.id < p.id) order by k.id desc limit p.most) x
       order by p.ord, x.id desc`,
      [keys.map(({ parent }) => parent), keys.map(({ request }) => request.from?.[0] ?? null), keys.map(({ request }) => request.limit)],
    ),
});
