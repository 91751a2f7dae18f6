import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Apps that can keep no secret have none; apps whose servers sign tickets for their own users have the keys to verify them by; each ticket is good once. */
export class KeysOfPartners1764900000050 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table apps alter column secret_hash drop not null, add column public_keys text[] not null default '{}';
alter table api_keys add column rotated_at timestamptz;
create table used_tickets (app_id uuid not null references apps on delete cascade, jti text not null, expires_at timestamptz not null, primary key (app_id, jti));
create index on used_tickets (expires_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table used_tickets; alter table api_keys drop column rotated_at; delete from apps where secret_hash is null; alter table apps drop column public_keys, alter column secret_hash set not null');
  }
}
