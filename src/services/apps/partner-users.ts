import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { forbidden } from '../../lib/errors.js';
import { cleanText } from '../../lib/validate.js';
import { cleanDisplayName } from '../account-input.js';
import { lockForSignIn } from '../accounts.js';
import { NOBODY, type Actor } from '../actor.js';
import { makePerson } from '../new-person.js';
import type { AccessTokens } from '../tokens.js';
import { openAppSession } from './apps.js';
import { verifyTicket } from './tickets.js';

const MAX_EXTERNAL_BYTES = 200;
const SWEPT_AT_ONCE = 1_000;

export interface UserToken {
  userId: string;
  accessToken: string;
  accessTokenExpiresAt: Date;
}

/** A partner's own users, who come in without a second account: each is known by the partner's id of them, and is somebody else's with every other app. */
export class PartnerUsers {
  static readonly DUE = 'exists (select from used_tickets where expires_at <= $1)';

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: AccessTokens,
    private readonly clock: Clock,
  ) {}

  /**
   * Signs one in, asked by the partner's server, for as long as an access token lives: the first time it makes the person, with a handle like their name. For a key or token by which an
   * app with the scope users:issue acts for its owner. A token that was issued here has an app, too, and no scopes to be kept to; and one of a person who lets the app act for them has
   * those that they were asked for: neither speaks for the partner, and each would sign in as anybody. Errors: FORBIDDEN, INVALID_INPUT.
   */
  async issue(actor: Actor, input: { externalId: string; displayName: string | null }): Promise<UserToken> {
    const { appId, userId, scopes } = actor;
    if (appId == null || !scopes?.includes('users:issue') || !(await this.#owns(userId, appId))) throw forbidden('Ask by a key of an app, or by its own token.');
    const externalId = cleanText(input.externalId, { field: 'externalId', maxBytes: MAX_EXTERNAL_BYTES });
    const displayName = input.displayName === null ? null : cleanDisplayName(input.displayName);
    return this.#answer(await this.unitOfWork.run({ actorId: actor.userId, operation: 'issueUserToken' }, (tx) => this.#open(tx, appId, externalId, displayName)));
  }

  /**
   * Signs in whoever brings a ticket that the partner's server has signed for them: nobody here is asked before, and each ticket is good once. Null: it is not good, or was used.
   * Errors: FORBIDDEN (the account is suspended, or has a role here), INVALID_INPUT (a name that can be none here).
   */
  async byTicket(app: { id: string; publicKeys: readonly string[] }, given: string, expected: { issuer: string; audience: string[] }): Promise<UserToken | null> {
    const ticket = await verifyTicket(given, { ...expected, publicKeys: app.publicKeys, now: this.clock.now() });
    if (!ticket) return null;
    const externalId = cleanText(ticket.externalId, { field: 'sub', maxBytes: MAX_EXTERNAL_BYTES });
    const displayName = ticket.displayName === null ? null : cleanDisplayName(ticket.displayName, 'name');
    const opened = await this.unitOfWork.run({ actorId: NOBODY, operation: 'useTicket' }, async (tx) => {
      const first = await tx.sql('insert into used_tickets (app_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing returning 1', [app.id, ticket.id, ticket.expiresAt]);
      return first.length ? this.#open(tx, app.id, externalId, displayName) : null;
    });
    return opened && this.#answer(opened);
  }

  /** One round of forgetting tickets that would be refused by their end now; true when there may be more. */
  async sweep(): Promise<boolean> {
    const gone = await this.sql('delete from used_tickets where ctid = any(array(select ctid from used_tickets where expires_at <= $1 limit $2)) returning 1', [this.clock.now(), SWEPT_AT_ONCE]);
    return gone.length === SWEPT_AT_ONCE;
  }

  async #owns(userId: string, appId: string): Promise<boolean> {
    return (await this.sql('select from apps where id = $1 and owner_id = $2', [appId, userId])).length > 0;
  }

  async #open(tx: Tx, appId: string, externalId: string, displayName: string | null): Promise<{ userId: string; role: Actor['role']; sessionId: string }> {
    const issuer = `app:${appId}`;
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('identity ' || $1 || ' ' || $2, 0))`, [issuer, externalId]);
    const [known] = await tx.sql<{ userId: string }>('select user_id as "userId" from identities where issuer = $1 and subject = $2', [issuer, externalId]);
    const userId = known?.userId ?? (await makePerson(tx, { like: displayName ?? externalId, displayName }));
    if (!known) await tx.sql('insert into identities (issuer, subject, user_id, created_at) values ($1, $2, $3, $4)', [issuer, externalId, userId, tx.now]);
    const person = (await lockForSignIn(tx, userId))!;
    if (person.suspended) throw forbidden('This account is suspended.');
    // Who runs the place comes in by what is their own, not by a key of somebody else’s.
    if (person.role !== 'USER') throw forbidden('Those who have a role here sign in by themselves.');
    const expiresAt = new Date(tx.now.getTime() + this.tokens.ttlSeconds * 1000);
    return { userId, role: person.role, sessionId: await openAppSession(tx, { userId, appId, scopes: null, device: null, expiresAt }) };
  }

  #answer(opened: { userId: string; role: Actor['role']; sessionId: string }): UserToken {
    return { userId: opened.userId, ...this.tokens.sign(opened) };
  }
}
