import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Further roles, and a log of what those who have one do, to which rows can be added and nothing else done. */
export class Audit1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table users drop constraint users_role_check, add constraint users_role_check check (role in ('USER', 'MODERATOR', 'SUPPORT', 'ANALYST', 'ADMIN'));

create table audit_log (                               -- no foreign keys: it outlives whom it tells of
  id uuid primary key, at timestamptz not null, actor_id uuid, action text not null,
  subject_type text not null, subject_id uuid not null, subject_seq int, details jsonb not null
);
create index on audit_log (subject_id, id desc);
create index on audit_log (actor_id, id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_log_is_append_only before update or delete or truncate on audit_log for each statement execute function refuse_change();
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
drop table audit_log;
drop function refuse_change();
update users set role = 'USER' where role in ('SUPPORT', 'ANALYST');
alter table users drop constraint users_role_check, add constraint users_role_check check (role in ('USER', 'MODERATOR', 'ADMIN'));
`);
  }
}
