import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The app that has made an endpoint: it is told no more than the app may read, and goes with it. */
export class WebhooksOfApps1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table webhooks add column app_id uuid references apps on delete cascade; -- null: its owner has made it
create index on webhooks (app_id) where app_id is not null;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table webhooks drop column app_id');
  }
}
