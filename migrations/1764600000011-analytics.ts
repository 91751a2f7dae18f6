import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What goes on in the place, rolled up by day (UTC): asked for without looking through what is rolled up. */
export class Analytics1764600000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table analytics_days (
  day date primary key,
  active int not null, active_7 int not null, active_30 int not null, new_people int not null,
  messages int not null, senders int not null,
  calls int not null, callers int not null, call_ms bigint not null, participant_ms bigint not null,
  carts int not null, orders int not null, buyers int not null,
  bot_messages int not null, bot_requests int not null,
  final boolean not null, rolled_at timestamptz not null -- final: nothing that belongs to it can still come
);
create table analytics_revenue (day date not null, currency text not null, orders int not null, gross bigint not null, refunds bigint not null, fees bigint not null, primary key (day, currency));
create table analytics_activity (day date not null, user_id uuid not null, primary key (day, user_id)); -- who was there: for spans of days, and cohorts
create table analytics_cohorts (week date not null, age int not null, active int not null, primary key (week, age));

-- Rows come in the order of time, so a few bytes for each megabyte find a day.
create index messages_days on messages using brin (created_at);
create index orders_days on orders using brin (created_at);
create index carts_days on carts using brin (created_at);
create index calls_days on calls using brin (started_at);
create index ledger_days on ledger_transactions using brin (created_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index messages_days, orders_days, carts_days, calls_days, ledger_days; drop table analytics_cohorts, analytics_activity, analytics_revenue, analytics_days');
  }
}
