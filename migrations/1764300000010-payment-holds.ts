import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments that are held first: what of them was captured, and what is wanted of the gateway next, committed before it is asked. */
export class PaymentHolds1764300000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table shops add column hold_payments boolean not null default false;
alter table payments
  add column hold boolean not null default false,
  add column captured bigint not null default 0 check (captured between 0 and amount),
  add column wanted text check (wanted in ('CAPTURE', 'VOID')),
  add column capture_amount bigint check (capture_amount between 1 and amount);
update payments set captured = amount where state = 'CAPTURED';
alter table payments add check (refunded <= captured);
drop index payments_try_at_idx;
create index on payments (try_at) where try_at is not null;
update payments set try_at = null where state not in ('CREATED', 'ACTION_REQUIRED', 'PENDING');
alter table sandbox_payments add column hold boolean not null default false, add column captured bigint not null default 0;
update sandbox_payments set captured = amount where state = 'CAPTURED';
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sandbox_payments drop column hold, drop column captured');
    await runner.query('drop index payments_try_at_idx');
    await runner.query(`create index on payments (try_at) where state in ('CREATED', 'ACTION_REQUIRED', 'PENDING')`);
    await runner.query('alter table payments drop column hold, drop column captured, drop column wanted, drop column capture_amount');
    await runner.query('alter table shops drop column hold_payments');
  }
}
