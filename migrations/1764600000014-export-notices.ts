import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People are told when a copy of their data is ready, and when it has gone. */
export class ExportNotices1764600000014 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table data_exports add column expiry_told boolean not null default false;
update data_exports set expiry_told = true where expires_at <= now();
create index data_exports_untold on data_exports (expires_at) where not expiry_told and finished_at is not null;
alter table notifications add column data_export_id uuid references data_exports on delete set null;
create index on notifications (data_export_id) where data_export_id is not null;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table notifications drop column data_export_id; alter table data_exports drop column expiry_told');
  }
}
