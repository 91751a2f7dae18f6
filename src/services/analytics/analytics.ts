import type { Sql } from '../../db/database.js';
import { invalidInput } from '../../lib/errors.js';
import { assertMay } from '../../policies/role-policy.js';
import type { Actor } from '../actor.js';
import { COHORT_WEEKS, dateOf } from './roll-up.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

export interface RevenueRow {
  currency: string;
  orders: number;
  gross: number;
  refunds: number;
  fees: number;
}
export interface DayRow {
  day: Date;
  activePeople: number;
  activePeople7: number;
  activePeople30: number;
  newPeople: number;
  messages: number;
  senders: number;
  calls: number;
  callers: number;
  callMinutes: number;
  participantMinutes: number;
  carts: number;
  orders: number;
  buyers: number;
  botMessages: number;
  botRequests: number;
  final: boolean;
  revenue: RevenueRow[];
}
export interface CohortRow {
  week: Date;
  people: number;
  active: number[];
}
export interface Figures {
  days: DayRow[];
  cohorts: CohortRow[];
  rolledUpAt: Date | null;
}

/** What the roll-up has counted, for those who may read it. */
export class AnalyticsService {
  constructor(private readonly sql: Sql) {}

  /** Days (UTC) from that of `since` up to and without that of `until`. Errors: FORBIDDEN, INVALID_INPUT (a span that is empty, or longer than 366 days). */
  async figures(actor: Actor, since: Date, until: Date): Promise<Figures> {
    assertMay(actor, 'READ_ANALYTICS');
    if (until <= since) throw invalidInput('until', 'until is after since.');
    if (until.getTime() - since.getTime() > MAX_DAYS * DAY_MS) throw invalidInput('until', `At most ${MAX_DAYS} days are read at once.`);
    const span = [dateOf(since), dateOf(new Date(until.getTime() - 1))];
    const [days, cohorts, [last]] = await Promise.all([this.sql<DayRow>(DAYS, span), this.sql<CohortRow>(COHORTS, [...span, COHORT_WEEKS]), this.sql<{ at: Date | null }>('select max(rolled_at) as at from analytics_days')]);
    return { days, cohorts, rolledUpAt: last!.at };
  }
}

const DAYS = `
  select d.day::timestamp at time zone 'UTC' as day, d.active as "activePeople", d.active_7 as "activePeople7", d.active_30 as "activePeople30", d.new_people as "newPeople", d.messages, d.senders,
    d.calls, d.callers, d.call_ms / 60000.0::float8 as "callMinutes", d.participant_ms / 60000.0::float8 as "participantMinutes", d.carts, d.orders, d.buyers, d.bot_messages as "botMessages",
    d.bot_requests as "botRequests", d.final,
    coalesce((select jsonb_agg(jsonb_build_object('currency', r.currency, 'orders', r.orders, 'gross', r.gross, 'refunds', r.refunds, 'fees', r.fees) order by r.currency) from analytics_revenue r where r.day = d.day), '[]') as revenue
  from analytics_days d where d.day between $1::date and $2::date order by d.day`;

/** Those who came in a week that the span touches: how many they were, and how many of them were there in that week, the next, and so on. */
const COHORTS = `
  select w.week::timestamp at time zone 'UTC' as week, p.n as people,
    array(select coalesce(c.active, 0) from generate_series(0, least($3::int, (date_trunc('week', $2::date)::date - w.week) / 7)) age left join analytics_cohorts c on c.week = w.week and c.age = age.age order by age.age) as active
  from (select week::date as week from generate_series(date_trunc('week', $1::date), $2::date, '7 days') week) w
  cross join lateral (select coalesce(sum(new_people), 0)::int as n from analytics_days where day >= w.week and day < w.week + 7) p
  where p.n > 0 order by w.week`;
