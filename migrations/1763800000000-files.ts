import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Files that people upload, and what shows them. The bytes stand in the store under `files/<id>/…`. */
export class Files1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table files (
  id uuid primary key, owner_id uuid not null,
  state text not null check (state in ('UPLOADING', 'PROCESSING', 'READY', 'REJECTED', 'DELETED')),
  failure text,                                        -- why it was rejected
  kind text not null check (kind in ('IMAGE', 'VIDEO', 'AUDIO', 'VOICE', 'OTHER')),
  name text not null, content_type text not null,      -- as was declared; once it is READY the real type
  bytes bigint not null, sha256 text,                  -- as was declared; once it is READY those of what is served
  key text,                                            -- of what is served
  part_bytes int, upload_id text,                      -- sent in parts of so many bytes, and the store's name for that
  width int, height int, duration_ms int, blurhash text, waveform bytea,
  variants jsonb,                                      -- { thumbnail: { key, contentType, bytes, width, height }, … }
  created_at timestamptz not null, expires_at timestamptz -- when it is swept: not finished by then, or shown nowhere; null while something shows it
);
create index on files (owner_id, id);
create index on files (expires_at) where expires_at is not null;

create table file_references (                         -- what shows a file, and so decides who may have it
  purpose text not null, ref_id uuid not null, ref_seq int not null default 0, file_id uuid not null references files on delete cascade,
  primary key (purpose, ref_id, ref_seq, file_id)
);
create index on file_references (file_id);
comment on column messages.card is '{ type: "files", files } too: what is attached';
comment on column users.avatar_url is 'or file:<id>';
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table file_references, files');
  }
}
