import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Products that are alike are found when they are asked for, those that came since the training too: a training keeps none any more. The column stays for processes of the release before. */
export class ProductsAlike1764900000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table learned_products alter column similar_ids set default '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table learned_products alter column similar_ids drop default');
  }
}
