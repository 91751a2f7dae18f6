import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an edit has left to be looked at for a link, found by when it was edited: the message may be older than what `messages_to_preview` is asked for. A send writes nothing more. */
export class EditsToPreview1764900000081 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create index messages_edits_to_preview on messages (edited_at) where edited_at is not null and preview is null and deleted_at is null and kind = 'TEXT' and text like '%://%'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index messages_edits_to_preview');
  }
}
