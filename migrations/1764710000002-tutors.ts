import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots that teach what they were given to read, and how far people have come. docs/BOTS.md explains the shapes. */
export class Tutors1764710000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table bot_tutors (
  bot_id uuid primary key references bots on delete cascade, subject text not null, knowledge int not null default -1, -- that of the bot from which exercises were made
  created_at timestamptz not null
);
create table tutor_exercises (
  id uuid primary key, bot_id uuid not null references bots on delete cascade, knowledge_id uuid not null references bot_knowledge on delete cascade, ord int not null,
  kind text not null check (kind in ('ANSWER', 'CHOICE', 'CLOZE')), prompt text not null, answer text not null, choices text[] not null,
  asked_model boolean not null default false,           -- whether a model was asked to word it
  rating real not null, answered int not null default 0, unique (knowledge_id, ord)
);
create index on tutor_exercises (bot_id, id);
create table tutor_learners (
  bot_id uuid not null references bots on delete cascade, user_id uuid not null references users on delete cascade,
  rating real not null, answered int not null default 0, correct int not null default 0, current_id uuid, started_at timestamptz not null, primary key (user_id, bot_id)
);
create table tutor_cards (
  bot_id uuid not null references bots on delete cascade, user_id uuid not null references users on delete cascade, exercise_id uuid not null references tutor_exercises on delete cascade,
  box int not null check (box between 1 and 5), due_at timestamptz not null, answered int not null, correct int not null, primary key (user_id, bot_id, exercise_id)
);
create index on tutor_cards (exercise_id);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tutor_cards, tutor_learners, tutor_exercises, bot_tutors');
  }
}
