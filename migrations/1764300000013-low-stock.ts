import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From when on little is left, and of what that was told. */
export class LowStock1764300000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table shops add column low_stock_at int default 5 check (low_stock_at >= 0)');
    await runner.query('alter table product_variants add column low_told_at timestamptz');
    await runner.query('alter table notifications add column product_id uuid references products on delete cascade');
    await runner.query('create index on notifications (product_id) where product_id is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table notifications drop column product_id');
    await runner.query('alter table product_variants drop column low_told_at');
    await runner.query('alter table shops drop column low_stock_at');
  }
}
