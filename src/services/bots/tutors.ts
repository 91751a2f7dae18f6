import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { exercisesOf, FIRST_RATING, gradeInProcess, leitner, rated, RIGHT, UNSURE } from '../../language/tutoring.js';
import { DomainError, forbidden } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { InTurn } from '../../lib/in-turn.js';
import { checkIdempotencyKey, cleanText } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { BotRow } from '../loaders/bots.js';
import { EXERCISE_COLUMNS, PROGRESS, type ExerciseRow, type ProgressRow } from '../loaders/tutors.js';
import { lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';
import { SERVES } from './service-area.js';
import type { TutorModel } from './tutor-model.js';

const MAX_SUBJECT = 256;
const MAX_ANSWER = 2_048;
const KEPT = 10_000;

/** SQL: that somebody else than `$2` has been asked `$1`, and not answered yet. */
const HELD = 'exists (select from tutor_learners l where l.bot_id = e.bot_id and l.current_id = e.id and l.user_id <> $2)';

export interface NextExercise {
  /** Null: nothing is due, and there is nothing new. */
  exercise: ExerciseRow | null;
  progress: ProgressRow;
}
export interface AnswerInput {
  botId: string;
  exerciseId: string;
  given: string;
  idempotencyKey: string;
}
export interface Graded {
  correct: boolean;
  score: number;
  gradedBy: 'PROCESS' | 'MODEL';
  expected: string;
  dueAt: Date;
}

/** Bots that teach: exercises made of what they were given to read, and how far each learner has come with each bot. */
export class TutorService {
  /** Exercises that were shown as they are, since no model has answered. */
  readonly #plain = new LRUCache<string, true>({ max: KEPT });
  /** Of one learner to one exercise: once it is answered, no model is paid for the others. */
  readonly #answers = new InTurn();

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly model: TutorModel,
  ) {}

  /** By the bot's owner; no subject: it teaches no more, and what was learned stays with those who have. Errors: NOT_FOUND, INVALID_INPUT. */
  async set(actor: Actor, botId: string, given: string | null): Promise<BotRow> {
    const subject = given === null ? null : cleanText(given, { field: 'subject', maxBytes: MAX_SUBJECT });
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'setBotTutor' }, async (tx) => {
      const bot = await lockOwnBot(tx, actor, botId);
      const changed = subject === null
        ? await tx.sql('delete from bot_tutors where bot_id = $1 returning 1', [botId])
        : await tx.sql('insert into bot_tutors (bot_id, subject, created_at) values ($1, $2, $3) on conflict (bot_id) do update set subject = $2 where bot_tutors.subject <> $2 returning 1', [botId, subject, tx.now]);
      if (changed.length) tellOwner(tx, actor.userId, botId);
      return bot;
    });
  }

  /** What was asked and not answered yet; else what is due, the longest first; else something new, as hard as the learner is good. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (it teaches nothing). */
  async next(actor: Actor, botId: string, now: Date): Promise<NextExercise> {
    await assertTeaches(this.sql, actor, botId);
    const exercise = await this.unitOfWork.run({ actorId: actor.userId, operation: 'nextExercise' }, async (tx) => {
      await makeExercises(tx, botId);
      const [learner] = await tx.sql<{ currentId: string | null; rating: number }>(
        `insert into tutor_learners (bot_id, user_id, rating, started_at) values ($1, $2, $3, $4) on conflict (user_id, bot_id) do update set rating = tutor_learners.rating returning current_id as "currentId", rating`,
        [botId, actor.userId, FIRST_RATING.learner, tx.now],
      );
      const [chosen] = await tx.sql<ExerciseRow>(
        `select ${EXERCISE_COLUMNS} from tutor_exercises e left join tutor_cards c on c.exercise_id = e.id and c.user_id = $2 and c.bot_id = $1
         where e.bot_id = $1 and (e.id = $3 or c.box is null or c.due_at <= $4)
         order by e.id = $3 desc nulls last, c.box is null, c.due_at, abs(e.rating - $5), e.id limit 1`,
        [botId, actor.userId, learner!.currentId, tx.now, learner!.rating],
      );
      if (chosen && chosen.id !== learner!.currentId) await tx.sql('update tutor_learners set current_id = $3 where bot_id = $1 and user_id = $2', [botId, actor.userId, chosen.id]);
      return chosen ?? null;
    });
    return { exercise: exercise && (await this.#worded(exercise, actor.userId)), progress: (await this.progressWith(actor, botId, now))! };
  }

  /**
   * Grades what was asked last, once. A repeat under the same key answers the same. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (it was not asked, or was answered already), INVALID_INPUT.
   */
  async answer(actor: Actor, { botId, exerciseId, given, idempotencyKey }: AnswerInput, now: Date): Promise<Graded & { progress: ProgressRow }> {
    checkIdempotencyKey(idempotencyKey);
    const text = cleanText(given, { field: 'answer', maxBytes: MAX_ANSWER, multiline: true });
    await assertTeaches(this.sql, actor, botId);
    const [exercise] = await this.sql<ExerciseRow>(`select ${EXERCISE_COLUMNS} from tutor_exercises e left join tutor_cards c on c.exercise_id = e.id and c.user_id = $3 and c.bot_id = $2 where e.id = $1 and e.bot_id = $2`, [exerciseId, botId, actor.userId]);
    if (!exercise) throw new DomainError('NOT_FOUND', 'There is no such exercise.', { field: 'exerciseId' });
    const graded = await this.#answers.run(`${actor.userId} ${exerciseId}`, async () => {
      const [asked] = await this.sql('select from tutor_learners where bot_id = $1 and user_id = $2 and current_id = $3', [botId, actor.userId, exerciseId]);
      const grade = await this.#grade(exercise, text, asked !== undefined);
      return this.unitOfWork.run({ actorId: actor.userId, operation: 'answerExercise', idempotencyKey, input: { botId, exerciseId, text } }, (tx) => write(tx, actor, exercise, grade));
    });
    return { ...graded, dueAt: new Date(graded.dueAt), progress: (await this.progressWith(actor, botId, now))! };
  }

  /** How far the actor has come with one bot; null: they have not begun. */
  async progressWith(actor: Actor, botId: string, now: Date): Promise<ProgressRow | null> {
    const [row] = await this.sql<ProgressRow>(`${PROGRESS} where t.user_id = $2 and t.bot_id = $3`, [now, actor.userId, botId]);
    return row ?? null;
  }

  /** With all bots, the newest begun first. */
  async progress(actor: Actor, now: Date, args: PageArgs): Promise<Page<ProgressRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    const [at, id] = request.from ?? [null, null];
    const rows = await this.sql<ProgressRow>(`${PROGRESS} where t.user_id = $2 and ($3::timestamptz is null or (t.started_at, t.bot_id) < ($3, $4::uuid)) order by t.started_at desc, t.bot_id desc limit $5`, [
      now, actor.userId, at === null ? null : new Date(at as number), id, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.startedAt.getTime(), row.botId]);
  }

  /** Forgets what the actor has learned with a bot. False: there was nothing. Errors: NOT_FOUND. */
  async erase(actor: Actor, botId: string): Promise<boolean> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'eraseTutorProgress' }, async (tx) => {
      const [bot] = await tx.sql('select from bots where id = $1', [botId]);
      if (!bot) throw noBot();
      await tx.sql('delete from tutor_cards where bot_id = $1 and user_id = $2', [botId, actor.userId]);
      return (await tx.sql('delete from tutor_learners where bot_id = $1 and user_id = $2 returning 1', [botId, actor.userId])).length > 0;
    });
  }

  /** Once for each exercise that is made of a text: a model words it, where there is one; else it stays what it is. Where none has answered, it is asked another time, but not while somebody is at what was shown to them. */
  async #worded(exercise: ExerciseRow, userId: string): Promise<ExerciseRow> {
    if (exercise.kind !== 'CLOZE' || exercise.askedModel || !this.model.there) return exercise;
    const again = this.#plain.has(exercise.id) || exercise.answered > 0;
    const now = async () => ({ ...exercise, ...(await this.sql<Worded>(`select ${WORDED} from tutor_exercises e where e.id = $1`, [exercise.id]))[0] });
    const made = await this.#make(exercise, userId, again);
    if (made === undefined) {
      this.#plain.set(exercise.id, true);
      return now();
    }
    const [row] = await this.sql<Worded>(
      `update tutor_exercises e set asked_model = true, kind = case when $3::text is null then kind else 'ANSWER' end, prompt = coalesce($3, prompt), answer = coalesce($4, answer)
       where e.id = $1 and not e.asked_model and not ($5 and ${HELD}) returning ${WORDED}`,
      [exercise.id, userId, made?.question ?? null, made?.answer ?? null, again],
    );
    // Somebody else has had it worded meanwhile.
    return row ? { ...exercise, ...row } : now();
  }

  /** Undefined: not now. */
  async #make({ id, botId, knowledgeId, ord }: ExerciseRow, userId: string, again: boolean): ReturnType<TutorModel['word']> {
    if (!(await this.model.mayBeAsked(botId))) return undefined;
    if (again && (await this.sql(`select from tutor_exercises e where e.id = $1 and ${HELD}`, [id, userId])).length) return undefined;
    const [passage] = await this.sql<{ text: string }>('select text from bot_passages where knowledge_id = $1 and ord = $2', [knowledgeId, ord]);
    return passage ? this.model.word(botId, passage.text) : null;
  }

  /** By words; where those leave it open, by a model if there is one; for what was not asked, or is answered again, none is paid. */
  async #grade(exercise: ExerciseRow, given: string, asked: boolean): Promise<Grade> {
    const score = gradeInProcess(exercise, given);
    if (asked && exercise.kind === 'ANSWER' && score >= UNSURE.from && score <= UNSURE.to) {
      const right = await this.model.grade(exercise.botId, exercise.prompt, exercise.answer, given);
      if (right !== null) return { score: right ? 1 : 0, gradedBy: 'MODEL' };
    }
    return { score, gradedBy: 'PROCESS' };
  }
}

type Worded = Pick<ExerciseRow, 'kind' | 'prompt' | 'answer'>;
const WORDED = 'e.kind, e.prompt, e.answer';

type Grade = Pick<Graded, 'score' | 'gradedBy'>;

const noBot = (): DomainError => new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });

/** A bot teaches whom it answers: its owner, and those with whom it is in a chat in which it works. */
async function assertTeaches(sql: Sql, actor: Actor, botId: string): Promise<void> {
  const [bot] = await sql<{ teaches: boolean; serves: boolean }>(
    `select exists (select from bot_tutors t where t.bot_id = b.id) as teaches, b.owner_id = $2 or exists (
       select from chat_members me join chat_members it on it.chat_id = me.chat_id and it.user_id = b.id join chats c on c.id = me.chat_id where me.user_id = $2 and ${SERVES}) as serves
     from bots b join users u on u.id = b.id and u.suspended_at is null where b.id = $1`,
    [botId, actor.userId],
  );
  if (!bot) throw noBot();
  if (!bot.teaches) throw new DomainError('STATE_CONFLICT', 'This bot teaches nothing.', { field: 'botId' });
  if (!bot.serves) throw forbidden('It teaches those whom it answers: install it first.');
}

/** Makes exercises of what the bot has been given to read since they were made last; those of what it was given no more have gone with it. */
async function makeExercises(tx: Tx, botId: string): Promise<void> {
  const [tutor] = await tx.sql<{ made: number; knowledge: number }>('select t.knowledge as made, b.knowledge from bot_tutors t join bots b on b.id = t.bot_id where t.bot_id = $1', [botId]);
  if (!tutor || tutor.made === tutor.knowledge) return;
  await tx.sql('select from bot_tutors where bot_id = $1 for update', [botId]);
  const passages = await tx.sql<{ knowledgeId: string; ord: number; question: string | null; text: string }>(
    'select p.knowledge_id as "knowledgeId", p.ord, p.question, p.text from bot_knowledge k join bot_passages p on p.knowledge_id = k.id where k.bot_id = $1 order by k.id, p.ord', [botId],
  );
  const made = exercisesOf(passages).flatMap((exercise, at) => (exercise ? [{ id: newId(), knowledgeId: passages[at]!.knowledgeId, ord: passages[at]!.ord, ...exercise }] : []));
  await tx.sql(
    `insert into tutor_exercises (id, bot_id, knowledge_id, ord, kind, prompt, answer, choices, rating)
     select m.id, $2, m."knowledgeId", m.ord, m.kind, m.prompt, m.answer, m.choices, $3 from jsonb_to_recordset($1) m(id uuid, "knowledgeId" uuid, ord int, kind text, prompt text, answer text, choices text[]) on conflict (knowledge_id, ord) do nothing`,
    [JSON.stringify(made), botId, FIRST_RATING.exercise],
  );
  await tx.sql('update bot_tutors set knowledge = $2 where bot_id = $1', [botId, tutor.knowledge]);
}

/** What follows from an answer: where the card lies, when it comes again, and what learner and exercise are rated. */
async function write(tx: Tx, actor: Actor, exercise: ExerciseRow, { score, gradedBy }: Grade): Promise<Omit<Graded, 'dueAt'> & { dueAt: string }> {
  const { id, botId, answer, choices } = exercise;
  const [learner] = await tx.sql<{ currentId: string | null; rating: number; answered: number }>('select current_id as "currentId", rating, answered from tutor_learners where bot_id = $1 and user_id = $2 for update', [botId, actor.userId]);
  if (learner?.currentId !== id) throw new DomainError('STATE_CONFLICT', 'It was not asked, or has been answered.', { field: 'exerciseId' });
  const [now] = await tx.sql<{ rating: number; answered: number; box: number | null }>(
    'select e.rating, e.answered, (select c.box from tutor_cards c where c.exercise_id = e.id and c.user_id = $2 and c.bot_id = e.bot_id) as box from tutor_exercises e where e.id = $1 for no key update of e', [id, actor.userId],
  );
  if (!now) throw new DomainError('NOT_FOUND', 'There is no such exercise.', { field: 'exerciseId' });
  const correct = score >= RIGHT;
  const { box, waitMs } = leitner(now.box, correct);
  const dueAt = new Date(tx.now.getTime() + waitMs);
  const ratings = rated(learner, { ...now, choices: choices.length }, score);
  await tx.sql('update tutor_learners set rating = $3, answered = answered + 1, correct = correct + $4, current_id = null where bot_id = $1 and user_id = $2', [botId, actor.userId, ratings.learner, correct ? 1 : 0]);
  await tx.sql('update tutor_exercises set rating = $2, answered = answered + 1 where id = $1', [id, ratings.exercise]);
  await tx.sql(
    `insert into tutor_cards as c (bot_id, user_id, exercise_id, box, due_at, answered, correct) values ($1, $2, $3, $4, $5, 1, $6)
     on conflict (user_id, bot_id, exercise_id) do update set box = $4, due_at = $5, answered = c.answered + 1, correct = c.correct + $6`,
    [botId, actor.userId, id, box, dueAt, correct ? 1 : 0],
  );
  return { correct, score, gradedBy, expected: answer, dueAt: dueAt.toISOString() };
}
