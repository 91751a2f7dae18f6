import type { Sql } from '../../db/database.js';
import { deleteAll } from '../../db/delete-all.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { NOBODY } from '../actor.js';

const DAY_MS = 86_400_000;
/** A day is counted again until it has been over for so long: calls end, and jobs are late. */
const FINAL_AFTER_MS = 2 * DAY_MS;
/** Where it is turned on late, so much of the past is counted. */
const MAX_PAST_DAYS = 400;
/** Who was there on which day is needed for spans of 30 days and for cohorts. */
const ACTIVITY_KEPT_DAYS = 100;
export const COHORT_WEEKS = 12;

const startOf = (moment: Date): number => Math.floor(moment.getTime() / DAY_MS) * DAY_MS;

/**
 * Counts each day (UTC) anew until it is final, and then never again: what it costs goes by what is new. A day is counted in one transaction from what is there, so a
 * repeat, also by two processes, comes to the same.
 */
export class RollUp {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The job. Answers how many days were counted. */
  async run(): Promise<number> {
    const today = startOf(this.clock.now());
    let counted = 0;
    for (let day = await this.#first(today); day <= today; day += DAY_MS, counted++) await this.#count(new Date(day));
    await deleteAll(this.sql, 'delete from analytics_activity where ctid = any(array(select ctid from analytics_activity where day < $1::date limit $2)) returning 1', [dateOf(new Date(today - ACTIVITY_KEPT_DAYS * DAY_MS))]);
    return counted;
  }

  async #first(today: number): Promise<number> {
    const [row] = await this.sql<{ final: Date | null; oldest: Date | null }>(
      `select (select max(day)::timestamp at time zone 'UTC' from analytics_days where final) as final, (select min(created_at) from users where kind = 'PERSON') as oldest`,
    );
    if (row!.final) return startOf(row!.final) + DAY_MS;
    return Math.max(startOf(row!.oldest ?? new Date(today)), today - MAX_PAST_DAYS * DAY_MS);
  }

  #count(from: Date): Promise<null> {
    const until = new Date(from.getTime() + DAY_MS);
    const day = dateOf(from);
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'rollUp' }, async (tx) => {
      await tx.sql(`set local statement_timeout = '10min'`);
      // One at a time, whoever else is at it.
      await tx.sql(`select pg_advisory_xact_lock(hashtext('analytics'))`);
      await tx.sql(ACTIVITY, [day, from, until]);
      await tx.sql(DAY, [day, from, until, tx.now.getTime() - until.getTime() >= FINAL_AFTER_MS, tx.now]);
      await tx.sql(REVENUE, [day, from, until]);
      await this.#cohorts(tx, day);
      return null;
    });
  }

  /** Of those who came in a week, how many were there in the week of this day. */
  async #cohorts(tx: Tx, day: string): Promise<void> {
    await tx.sql(
      `insert into analytics_cohorts (week, age, active)
       select c.week, (w.week - c.week) / 7, count(distinct a.user_id)
       from (select date_trunc('week', $1::date)::date as week) w join analytics_activity a on a.day >= w.week and a.day < w.week + 7 join users u on u.id = a.user_id
       cross join lateral (select date_trunc('week', u.created_at at time zone 'UTC')::date as week) c
       where c.week <= w.week and w.week - c.week <= $2::int * 7 group by 1, 2
       on conflict (week, age) do update set active = excluded.active`,
      [day, COHORT_WEEKS],
    );
  }
}

export const dateOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/**
 * Whoever wrote, was in a call, bought or used a session. A session tells its last use alone, so what an earlier count of the day has seen stays. Bots and the erased are nobody.
 */
const ACTIVITY = `
  insert into analytics_activity (day, user_id)
  select $1::date, u.id from users u where u.kind = 'PERSON' and u.erased_at is null and u.id in (
    select sender_id from messages where created_at >= $2 and created_at < $3 and kind <> 'SYSTEM'
    union select p.user_id from call_participants p join calls c on c.id = p.call_id where c.started_at >= $2 and c.started_at < $3 and p.joined_at is not null
    union select buyer_id from orders where created_at >= $2 and created_at < $3
    union select user_id from sessions where last_active_at >= $2 and last_active_at < $3 and app_id is null)
  on conflict do nothing`;

const DAY = `
  insert into analytics_days (day, active, active_7, active_30, new_people, messages, senders, calls, callers, call_ms, participant_ms, carts, orders, buyers, bot_messages, bot_requests, final, rolled_at)
  select $1::date, a.n, a7.n, a30.n, p.n, m.n, m.people, c.n, t.people, c.ms, t.ms, k.n, o.n, o.people, m.bots, b.n, $4, $5
  from (select count(*) as n from analytics_activity where day = $1::date) a,
    (select count(distinct user_id) as n from analytics_activity where day > $1::date - 7 and day <= $1::date) a7,
    (select count(distinct user_id) as n from analytics_activity where day > $1::date - 30 and day <= $1::date) a30,
    (select count(*) as n from users where kind = 'PERSON' and created_at >= $2 and created_at < $3) p,
    (select count(*) filter (where u.kind = 'PERSON') as n, count(distinct u.id) filter (where u.kind = 'PERSON') as people, count(*) filter (where u.kind = 'BOT') as bots
     from messages x join users u on u.id = x.sender_id where x.created_at >= $2 and x.created_at < $3 and x.kind <> 'SYSTEM') m,
    (select count(*) as n, coalesce(sum(extract(epoch from ended_at - answered_at) * 1000), 0)::bigint as ms from calls where started_at >= $2 and started_at < $3 and answered_at is not null) c,
    (select count(distinct x.user_id) as people, coalesce(sum(x.talked_ms), 0) as ms from call_participants x join calls y on y.id = x.call_id where y.started_at >= $2 and y.started_at < $3 and y.answered_at is not null and x.joined_at is not null) t,
    (select count(*) as n from carts where created_at >= $2 and created_at < $3) k,
    (select count(*) as n, count(distinct buyer_id) as people from orders where created_at >= $2 and created_at < $3 and state in ('CONFIRMED', 'COMPLETED')) o,
    (select coalesce(sum(requests), 0) as n from bot_spending where day = $1::date) b
  on conflict (day) do update set active = excluded.active, active_7 = excluded.active_7, active_30 = excluded.active_30, new_people = excluded.new_people, messages = excluded.messages,
    senders = excluded.senders, calls = excluded.calls, callers = excluded.callers, call_ms = excluded.call_ms, participant_ms = excluded.participant_ms, carts = excluded.carts, orders = excluded.orders,
    buyers = excluded.buyers, bot_messages = excluded.bot_messages, bot_requests = excluded.bot_requests, final = excluded.final, rolled_at = excluded.rolled_at`;

/** By what was booked on the day: what the ledger has is never changed. A sale is what the shop and the platform got of it. */
const REVENUE = `
  insert into analytics_revenue (day, currency, orders, gross, refunds, fees)
  select $1::date, e.currency, count(distinct t.id) filter (where t.kind = 'SALE') - count(distinct t.id) filter (where t.kind = 'SALE_UNDONE'),
    coalesce(sum(e.amount) filter (where t.kind in ('SALE', 'SALE_UNDONE')), 0), coalesce(-sum(e.amount) filter (where t.kind = 'REFUND'), 0), coalesce(sum(e.amount) filter (where e.account = 'fees'), 0)
  from ledger_transactions t join ledger_entries e on e.transaction_id = t.id and (e.account = 'fees' or e.account like 'shop:%')
  where t.created_at >= $2 and t.created_at < $3 and t.kind in ('SALE', 'SALE_UNDONE', 'REFUND') group by e.currency
  on conflict (day, currency) do update set orders = excluded.orders, gross = excluded.gross, refunds = excluded.refunds, fees = excluded.fees`;
