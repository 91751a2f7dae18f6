import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `send_messages` keeps the plans of its statements. PostgreSQL would plan each of them anew at every call, since it takes a list that is a parameter for longer than
 * most batches are: for a send by itself that costs more than the send. A plan is kept from when a table was small, and reading the whole of it was best:
 * there is always an index, so that is ruled out.
 */
export class PlansOfSends1764900000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter function send_messages set plan_cache_mode = force_generic_plan set enable_seqscan = off');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter function send_messages reset all');
  }
}
