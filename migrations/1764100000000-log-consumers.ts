import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Durable consumers of the log: how far each has come, and what it could not take. docs/ARCHITECTURE.md explains them. */
export class LogConsumers1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table log_consumers (
  name text primary key,
  xid xid8 not null, stream text not null default '', pos bigint not null default 0, -- the last event that was taken, in the order of reading
  ahead jsonb not null default '{}',                   -- what was taken before its transaction's turn: { stream: [offset, transaction] }
  holder uuid, lease_until timestamptz not null default '-infinity', -- the process that works for it
  stumbles int not null default 0                      -- how often the event behind the position has failed, or was being taken when its process died
) with (fillfactor = 50);
create table log_consumer_failures (                   -- events that were set aside, so that they hold up nobody
  consumer text not null, stream text not null, pos bigint not null, kind text not null, error text not null, at timestamptz not null default now(),
  primary key (consumer, stream, pos)
);
create index on log_consumer_failures (at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table log_consumer_failures, log_consumers');
  }
}
