import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Refunds that a bank takes back after they were done, and what of a refund goes onto the gift cards that have paid. */
export class RefundEnds1764300000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table refunds drop constraint refunds_state_check, add constraint refunds_state_check check (state in ('CREATED', 'DONE', 'REFUSED', 'RETURNED'))`);
    await runner.query('alter table refunds drop constraint refunds_amount_check, add column gift bigint not null default 0 check (gift >= 0), add constraint refunds_amount_check check (amount >= 0 and amount + gift > 0)');
    await runner.query('alter table order_gift_cards add column refunded bigint not null default 0 check (refunded between 0 and amount)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table order_gift_cards drop column refunded');
    await runner.query('alter table refunds drop constraint refunds_amount_check, drop column gift, add constraint refunds_amount_check check (amount > 0) not valid');
    await runner.query(`alter table refunds drop constraint refunds_state_check, add constraint refunds_state_check check (state in ('CREATED', 'DONE', 'REFUSED')) not valid`);
  }
}
