import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One call over several media nodes: docs/adr/0012. Processes of before know nothing of it, write no place and have no capacity: their calls stay where they are. */
export class SpreadCalls1764900000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
-- Where the seat's media is; null until it is taken. calls.media_node is the call's home: who is near it, or near nothing, sits there.
alter table call_participants add column media_node uuid;
create index on call_participants (media_node) where media_node is not null;
-- Somebody has sat elsewhere than at home since it began.
alter table calls add column spread boolean not null default false;
-- Seats of one call before the next ones go to another node; 0: it shares no calls.
alter table call_nodes add column capacity int not null default 0;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table call_participants drop column media_node; alter table calls drop column spread; alter table call_nodes drop column capacity');
  }
}
