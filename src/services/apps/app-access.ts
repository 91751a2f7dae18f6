import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import type { SessionService } from '../sessions.js';
import { cleanScopes } from './apps.js';

/** What a person must know before they say yes. */
export interface AppAsking {
  id: string;
  name: string;
  ownerId: string;
  scopes: string[];
}

/** An app that somebody has let act for them: as long as it holds a session of theirs by it. */
export interface AuthorizedAppRow {
  id: string;
  name: string;
  scopes: string[];
  authorizedAt: Date;
  lastActiveAt: Date;
}

/** A session that came of a person's yes: those of keys and of an app's own credentials have no token to refresh by. */
const BY_CONSENT = `s.user_id = $1 and s.app_id is not null and s.scopes is not null and s.ended_at is null and exists (select from refresh_tokens t where t.session_id = s.id)`;

/** What people have let the programs of others do, and how they take it back. */
export class AppAccessService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
  ) {}

  /** Who asks, for the page on which a person says yes: exactly what `authorizeApp` would take. Errors: NOT_FOUND (no such app), INVALID_INPUT (another redirect, scopes that it may not have). */
  async asking(input: { appId: string; redirectUri: string; scopes: readonly string[] }): Promise<AppAsking> {
    const [app] = await this.sql<AppAsking & { redirectUris: string[] }>('select id, name, owner_id as "ownerId", redirect_uris as "redirectUris", scopes from apps where id = $1', [input.appId]);
    if (!app) throw new DomainError('NOT_FOUND', 'There is no such app.', { field: 'clientId' });
    if (!app.redirectUris.some((registered) => isRedirect(registered, input.redirectUri))) throw invalidInput('redirectUri', 'redirectUri is none of those that the app has registered.');
    return { ...app, scopes: cleanScopes(input.scopes, app.scopes) };
  }

  /** The newest app first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<AuthorizedAppRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<AuthorizedAppRow>(
      `select a.id, a.name, array(select distinct unnest(s2.scopes) from sessions s2 where s2.id = any(array_agg(s.id)) order by 1) as scopes, min(s.created_at) as "authorizedAt", max(s.last_active_at) as "lastActiveAt"
       from sessions s join apps a on a.id = s.app_id where ${BY_CONSENT} and s.expires_at > $2 and ($3::uuid is null or a.id < $3) group by a.id order by a.id desc limit $4`,
      [actor.userId, this.clock.now(), request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /**
   * Takes back what an app was let do: at once it acts for the person no more, nor are the endpoints told that it has made for them. What it holds of its own owner by keys and
   * credentials stays: those have verbs of their own. Errors: NOT_FOUND (the actor has not let it).
   */
  async revoke(actor: Actor, appId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'revokeAppAccess' }, async (tx) => {
      // Codes first: one that is being exchanged at this moment is waited for, and what it got is then among the sessions.
      const codes = await tx.sql('delete from oauth_codes where user_id = $1 and app_id = $2 and used_at is null returning 1', [actor.userId, appId]);
      const held = await tx.sql<{ id: string }>(`select s.id from sessions s where ${BY_CONSENT} and s.app_id = $2 order by s.id for update`, [actor.userId, appId]);
      if (!held.length && !codes.length) throw new DomainError('NOT_FOUND', 'You have not let such an app act for you.', { field: 'appId' });
      await this.sessions.end(tx, actor.userId, held.map(({ id }) => id), 'SIGNED_OUT');
      await tx.sql('delete from webhooks w using apps a where w.owner_id = $1 and w.app_id = $2 and a.id = w.app_id and a.owner_id <> $1', [actor.userId, appId]);
      await audit(tx, { actorId: actor.userId, action: 'APP_ACCESS_REVOKED', subject: { type: 'App', id: appId } });
      return null;
    });
  }
}

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d{1,5})?(?=[/?]|$)/;

/** Letter by letter (RFC 9700); only the port of a loopback address may be another, since a program on somebody's machine takes whichever is free (RFC 8252, 7.3). */
function isRedirect(registered: string, given: string): boolean {
  if (registered === given) return true;
  const [known, asked] = [LOOPBACK.exec(registered), LOOPBACK.exec(given)];
  return known !== null && asked !== null && URL.canParse(given) && known[1] === asked[1] && registered.slice(known[0].length) === given.slice(asked[0].length);
}
