import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links to products in messages, and pictures of products and variants that are files of ours. */
export class ProductLinks1764300000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table link_previews add column product_id uuid references products on delete cascade');
    // An address elsewhere, or file: and the id of a file.
    await runner.query('alter table products rename column media_urls to media');
    await runner.query('alter table product_variants add column picture text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table product_variants drop column picture');
    await runner.query('alter table products rename column media to media_urls');
    await runner.query('alter table link_previews drop column product_id');
  }
}
