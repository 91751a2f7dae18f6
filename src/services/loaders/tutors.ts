import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { ExerciseKind } from '../../language/tutoring.js';

export interface TutorRow {
  botId: string;
  subject: string;
}
export const tutorOf: LoaderDef<string, TutorRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<TutorRow>('select bot_id as "botId", subject from bot_tutors where bot_id = any($1)', [ids]), (row) => row.botId);
  },
};

export interface ExerciseRow {
  id: string;
  botId: string;
  knowledgeId: string;
  ord: number;
  kind: ExerciseKind;
  prompt: string;
  answer: string;
  choices: string[];
  askedModel: boolean;
  rating: number;
  answered: number;
  /** Where it lies for the learner; null: it was never asked of them. */
  box: number | null;
}
/** From `tutor_exercises e` and the learner's `tutor_cards c`. */
export const EXERCISE_COLUMNS = `e.id, e.bot_id as "botId", e.knowledge_id as "knowledgeId", e.ord, e.kind, e.prompt, e.answer, e.choices, e.asked_model as "askedModel", e.rating, e.answered, c.box`;

export interface ProgressRow {
  botId: string;
  rating: number;
  answered: number;
  correct: number;
  startedAt: Date;
  exerciseCount: number;
  dueCount: number;
  /** How many lie in each box, from the first to the last. */
  boxes: number[];
  nextDueAt: Date | null;
}
/** From `tutor_learners t`; `$1` is now. */
export const PROGRESS = `select t.bot_id as "botId", t.rating, t.answered, t.correct, t.started_at as "startedAt", (select count(*)::int from tutor_exercises e where e.bot_id = t.bot_id) as "exerciseCount",
    k.due as "dueCount", k.boxes, k.next as "nextDueAt"
  from tutor_learners t, lateral (select count(*) filter (where due_at <= $1)::int as due, min(due_at) as next,
    array[count(*) filter (where box = 1), count(*) filter (where box = 2), count(*) filter (where box = 3), count(*) filter (where box = 4), count(*) filter (where box = 5)]::int[] as boxes
    from tutor_cards c where c.user_id = t.user_id and c.bot_id = t.bot_id) k`;
