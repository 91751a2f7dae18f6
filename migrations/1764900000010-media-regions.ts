import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where processes that carry calls are, and how much they can carry, so that a call goes to the one with the most room where its people are. */
export class MediaRegions1764900000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table call_nodes add column region text not null default '', add column workers int not null default 1 check (workers > 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table call_nodes drop column region, drop column workers');
  }
}
