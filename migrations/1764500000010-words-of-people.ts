import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who says the same of themselves is found without reading everybody. */
export class WordsOfPeople1764500000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create index personalizations_interests on personalizations using gin (interests);
create index personalizations_profession on personalizations (lower(profession)) where profession is not null;
create index personalizations_place on personalizations (lower(place)) where place is not null;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index personalizations_interests, personalizations_profession, personalizations_place');
  }
}
