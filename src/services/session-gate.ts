import { LRUCache } from 'lru-cache';
import type { Bus } from '../events/bus.js';
import type { Sql } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';
import { InFlight } from '../lib/in-flight.js';
import type { Actor } from './actor.js';

/** A session that has ended is refused at once where its end was heard of, and after this long everywhere. */
const TRUST_MS = 5_000;
const KEPT = 50_000;
export const SESSIONS_TOPIC = 'sessions';

export interface SessionEnded {
  sessionIds: string[];
}

/** What a session is good for. */
interface Standing {
  role: Actor['role'];
  appId: string | null;
  plan: string | null;
  registeredOnly: boolean;
  scopes: string[] | null;
}

/** Somebody who came in by a session, for as long as they are connected. */
export interface Connected {
  readonly viewer: Actor;
  /** The session has ended. */
  end(): void;
  /** It is good for something else now: whoever comes back is what they are now. */
  restart(): void;
}

/** Whether sessions still stand. Ends are told over the bus; what was not heard is found out by asking again. */
export class SessionGate {
  readonly #standing = new LRUCache<string, Standing>({ max: KEPT, ttl: TRUST_MS });
  readonly #asking = new InFlight<Standing | null>();
  readonly #listeners = new Set<(sessionIds: string[]) => void>();
  /** How many ends were heard of: an answer that was asked for before the last of them is not kept. */
  #heard = 0;

  constructor(
    private readonly sql: Sql,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  async start(): Promise<void> {
    await this.bus.subscribe(SESSIONS_TOPIC, (message) => {
      const { sessionIds } = message as SessionEnded;
      this.#heard++;
      for (const id of sessionIds) this.#standing.delete(id);
      for (const listener of this.#listeners) listener(sessionIds);
    });
  }

  /** Tells every process that sessions have ended: call it after commit. */
  ended(sessionIds: string[]): void {
    if (sessionIds.length) this.bus.publish(SESSIONS_TOPIC, { sessionIds } satisfies SessionEnded);
  }

  /** Called with the ids of sessions that have ended, wherever that happened. */
  onEnded(listener: (sessionIds: string[]) => void): void {
    this.#listeners.add(listener);
  }

  /** The actor with the role, and the scopes of an app, as they are now. An app whose owner is suspended acts for nobody. Throws `SESSION_ENDED`. */
  async check(actor: Actor): Promise<Actor> {
    const known = this.#standing.get(actor.sessionId) ?? (await this.#asking.run(actor.sessionId, () => this.#ask(actor.sessionId)));
    if (!known) throw new DomainError('SESSION_ENDED', 'This session has ended: sign in again.');
    return known.role === actor.role && known.appId === null ? actor : { ...actor, ...known };
  }

  async #ask(sessionId: string): Promise<Standing | null> {
    const heard = this.#heard;
    const [row] = await this.sql<Standing>(
      'select u.role, s.app_id as "appId", s.scopes, a.plan, coalesce(a.registered_only, false) as "registeredOnly" from sessions s join users u on u.id = s.user_id left join apps a on a.id = s.app_id left join users o on o.id = a.owner_id where s.id = $1 and s.ended_at is null and (s.app_id is null or s.expires_at > $2) and u.suspended_at is null and o.suspended_at is null',
      [sessionId, this.clock.now()],
    );
    if (row && heard === this.#heard) this.#standing.set(sessionId, row);
    return row ?? null;
  }

  /**
   * Compares whoever is connected with the database: the answer to whatever was not heard of. A session may have ended; or it stands, and is good for something else than when the
   * connection came in by it (a role, scopes, a plan).
   */
  async reconcile(connected: readonly Connected[]): Promise<void> {
    const came = new Map<string, Connected[]>();
    for (const one of connected) {
      const key = `${one.viewer.sessionId} ${goodFor(one.viewer)}`;
      const known = came.get(key);
      if (known) known.push(one);
      else came.set(key, [one]);
    }
    if (!came.size) return;
    const rows = await this.sql<{ key: string; id: string; ended: boolean }>(FATES, [[...came.keys()], this.clock.now()]);
    for (const { key, id, ended } of rows) {
      this.#standing.delete(id);
      for (const one of came.get(key)!) one[ended ? 'end' : 'restart']();
    }
  }
}

/** What a session is good for, as one text. */
const goodFor = ({ role, appId, plan, registeredOnly, scopes }: Actor): string => [role, appId ?? '', plan ?? '', registeredOnly ? 't' : 'f', scopes?.join(',') ?? '*'].join(' ');
/** That a session is over. What an app holds may be given an earlier end than its connections were told of, as a key that another takes the place of. */
const IS_OVER = 's.id is null or s.ended_at is not null or (s.app_id is not null and s.expires_at <= $2) or u.suspended_at is not null or o.suspended_at is not null';
/** The same, by the database; only of those for whom it is another one. A session whose app was deleted is gone with it. */
const FATES = `select c.key, c.id, ${IS_OVER} as ended
  from (select key, split_part(key, ' ', 1)::uuid as id from unnest($1::text[]) as given (key)) c
    left join sessions s on s.id = c.id left join users u on u.id = s.user_id left join apps a on a.id = s.app_id left join users o on o.id = a.owner_id
  where ${IS_OVER}
    or c.key is distinct from concat_ws(' ', s.id, u.role, coalesce(s.app_id::text, ''), coalesce(a.plan, ''), coalesce(a.registered_only, false), coalesce(array_to_string(s.scopes, ','), '*'))`;
