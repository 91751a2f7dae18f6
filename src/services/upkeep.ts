import type { Sql } from '../db/database.js';
import { BATCH, deleteAll } from '../db/delete-all.js';
import type { Clock } from '../lib/clock.js';

const DAY_MS = 86_400_000;
/** How long the log is kept: a client that was away for longer reads its state again. */
export const EVENTS_KEPT_DAYS = 30;
/** A retry under a key is recognised for this long. */
export const KEYS_KEPT_DAYS = 7;
const SCHEDULED_KEPT_DAYS = 30;
const CODES_KEPT_DAYS = 1;
const WEEKS_AHEAD = 3;
const BEGINNING = new Date(0);

/** Days; the settings say how many. */
export interface Kept {
  /** Of a session that has ended, its refresh tokens still answer SESSION_ENDED for so long. */
  sessions: number;
  notifications: number;
  deliveries: number;
}

/** Forgets what has had its time. */
export class UpkeepService {
  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly kept: Kept,
  ) {}

  /** Makes the log's partitions of the coming weeks, and drops those that are past. */
  async events(): Promise<void> {
    await this.sql('select ensure_event_partitions($1)', [WEEKS_AHEAD]);
    await this.sql('select drop_event_partitions($1)', [this.#daysAgo(EVENTS_KEPT_DAYS)]);
  }

  /**
   * As many as messages. Each batch goes on where the last one ended: what a batch has deleted stands in the table until it is vacuumed, and
   * the next would read all of it again. Whatever did not lie in the order of time is taken by another round.
   */
  async idempotencyKeys(): Promise<void> {
    const before = this.#daysAgo(KEYS_KEPT_DAYS);
    for (let from = BEGINNING; ; ) {
      const gone = await this.sql<{ created_at: Date }>(
        'delete from idempotency_keys where ctid = any(array(select ctid from idempotency_keys where created_at < $1 and created_at >= $2 limit $3)) returning created_at',
        [before, from, BATCH],
      );
      if (gone.length === BATCH) from = gone.reduce((latest, { created_at }) => (created_at > latest ? created_at : latest), from);
      else if (from === BEGINNING) return;
      else from = BEGINNING;
    }
  }

  /** Codes and refresh tokens that nobody can use any more, and sessions that have been over for long. */
  async codesAndTokens(): Promise<void> {
    await this.#deleteAll('delete from one_time_codes where ctid = any(array(select ctid from one_time_codes where expires_at < $1 limit $2)) returning 1', CODES_KEPT_DAYS);
    await this.#deleteAll('delete from refresh_tokens where ctid = any(array(select ctid from refresh_tokens where expires_at < $1 limit $2)) returning 1', CODES_KEPT_DAYS);
    // What an app takes a token for lasts minutes, and there may be one a request: nobody asks for these again, and those who use one late are told that it is over by its token.
    await this.#deleteAll(
      forgetSessions(`s.app_id is not null and s.expires_at < $1
         and not exists (select from api_keys k where k.session_id = s.id) and not exists (select from refresh_tokens t where t.session_id = s.id)`),
      CODES_KEPT_DAYS,
    );
    await this.#deleteAll(forgetSessions('least(s.ended_at, s.expires_at) < $1'), this.kept.sessions);
  }

  /** Old notifications, and events that a consumer of the log has set aside when the log still held them. */
  async notifications(): Promise<void> {
    await this.#deleteAll('delete from notifications where ctid = any(array(select ctid from notifications where created_at < $1 limit $2)) returning 1', this.kept.notifications);
    await this.#deleteAll('delete from log_consumer_failures where ctid = any(array(select ctid from log_consumer_failures where at < $1 limit $2)) returning 1', EVENTS_KEPT_DAYS);
  }

  /** What webhooks were sent, or could not be sent. */
  async webhookDeliveries(): Promise<void> {
    await this.#deleteAll('delete from webhook_deliveries where ctid = any(array(select ctid from webhook_deliveries where settled_at < $1 limit $2)) returning 1', this.kept.deliveries);
  }

  /** Scheduled messages that were sent, given up or cancelled; files that were kept for those alone are swept. */
  async scheduledMessages(): Promise<void> {
    await this.#deleteAll(
      `with gone as (delete from scheduled_messages where ctid = any(array(select ctid from scheduled_messages where state <> 'WAITING' and send_at < $1 limit $2)) returning id),
         untied as (delete from file_references r using gone where r.purpose = 'SCHEDULED' and r.ref_id = gone.id returning r.file_id),
         loose as (update files f set expires_at = now() from untied u where f.id = u.file_id and not exists (select from file_references r where r.file_id = f.id and r.purpose <> 'SCHEDULED'))
       select 1 from gone`,
      SCHEDULED_KEPT_DAYS,
    );
  }

  /** What held for those who left a chat, and would hold no more if they came back. */
  async absences(): Promise<void> {
    await deleteAll(this.sql, 'delete from chat_absences where ctid = any(array(select ctid from chat_absences where over_at < $1 limit $2)) returning 1', [this.clock.now()]);
  }

  #daysAgo(days: number): Date {
    return new Date(this.clock.now().getTime() - days * DAY_MS);
  }

  #deleteAll(text: string, days: number): Promise<void> {
    return deleteAll(this.sql, text, [this.#daysAgo(days)]);
  }
}

/** When its person was there by a session stays known, since accounts are kept by that: whoever never connects has nothing else that says so. What an app does by its scopes is not they who are there. */
const forgetSessions = (over: string): string =>
  `with gone as (delete from sessions where ctid = any(array(select s.ctid from sessions s where ${over} limit $2)) returning user_id, last_active_at, scopes),
     seen as (select user_id, max(last_active_at) as at from gone where scopes is null group by user_id),
     later as (select u.id, n.at from seen n join users u on u.id = n.user_id and u.kind = 'PERSON' and u.erased_at is null and (u.last_seen_at is null or u.last_seen_at < n.at) order by u.id for no key update of u),
     noted as (update users u set last_seen_at = l.at from later l where u.id = l.id)
   select from gone`;
