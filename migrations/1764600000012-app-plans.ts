import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an app may spend goes by its plan, and what it has asked for is counted by day. */
export class AppPlans1764600000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table apps add column plan text;                 -- null: the first plan of the settings
create table app_usage (
  app_id uuid not null references apps on delete cascade, day date not null,
  operations bigint not null, refused bigint not null, cost bigint not null, primary key (app_id, day)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table app_usage; alter table apps drop column plan');
  }
}
