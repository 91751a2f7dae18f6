import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { LEVELS } from '../policies/learner-level.js';
import { BotType } from './bot.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';

export const ExerciseKind = enumOf('ExerciseKind', ['ANSWER', 'CHOICE', 'CLOZE'], 'ANSWER: in one’s own words. CHOICE: one of the choices, word for word. CLOZE: the word that is missing.');
export const LearnerLevel = enumOf('LearnerLevel', LEVELS);
export const GradedBy = enumOf('GradedBy', ['PROCESS', 'MODEL']);

@ObjectType('BotTutor', { description: 'What a bot teaches.' })
export class BotTutorType {
  @Field(() => String) subject: string;
}

@ObjectType('Exercise', { description: 'Of what a bot was given to read.' })
export class ExerciseType {
  @Field(() => ID) id: string;
  @Field(() => ExerciseKind) kind: string;
  @Field(() => String) prompt: string;
  @Field(() => [String], { description: 'Of a CHOICE.' }) choices: string[];
  @Field(() => Int, { nullable: true, description: 'Where it lies for the learner, 1 to 5. Null: it is new.' }) box: number | null;
}

@ObjectType('TutorProgress', { description: 'How far the viewer has come with a bot: nobody else reads it.' })
export class TutorProgressType {
  @Field(() => BotType) bot: object;
  @Field(() => LearnerLevel) level: string;
  @Field(() => Float, { description: 'As in chess: 900 to begin with.' }) rating: number;
  @Field(() => Int) answered: number;
  @Field(() => Int) correct: number;
  @Field(() => Int, { description: 'How many exercises there are.' }) exerciseCount: number;
  @Field(() => Int, { description: 'How many are to be asked again by now.' }) dueCount: number;
  @Field(() => [Int], { description: 'How many lie in each of the five boxes.' }) boxes: number[];
  @Field(() => DateTime, { nullable: true }) nextDueAt: Date | null;
  @Field(() => DateTime) startedAt: Date;
}
export const TutorProgressPages = connectionOf('TutorProgress', () => TutorProgressType);

@InputType('SetBotTutorInput')
export class SetBotTutorInput {
  @Field(() => ID) botId: string;
  @Field(() => String, { nullable: true, description: 'What it teaches. Up to 256 bytes. None: it teaches no more.' }) subject?: string | null;
}
@ObjectType('SetBotTutorPayload')
export class SetBotTutorPayload {
  @Field(() => BotType) bot: object;
}
@InputType('NextExerciseInput')
export class NextExerciseInput {
  @Field(() => ID) botId: string;
}
@ObjectType('NextExercisePayload')
export class NextExercisePayload {
  @Field(() => ExerciseType, { nullable: true, description: 'Null: nothing is due before `progress.nextDueAt`, and nothing is new.' }) exercise: object | null;
  @Field(() => TutorProgressType) progress: object;
}
@InputType('AnswerExerciseInput')
export class AnswerExerciseInput {
  @Field(() => ID) botId: string;
  @Field(() => ID) exerciseId: string;
  @Field(() => String, { description: 'Up to 2 KiB.' }) answer: string;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('AnswerExercisePayload')
export class AnswerExercisePayload {
  @Field(() => Boolean) correct: boolean;
  @Field(() => Float, { description: '0 to 1.' }) score: number;
  @Field(() => GradedBy) gradedBy: string;
  @Field(() => String) expected: string;
  @Field(() => DateTime, { description: 'When it is asked again.' }) dueAt: Date;
  @Field(() => TutorProgressType) progress: object;
}
@InputType('EraseTutorProgressInput')
export class EraseTutorProgressInput {
  @Field(() => ID) botId: string;
}
@ObjectType('EraseTutorProgressPayload')
export class EraseTutorProgressPayload {
  @Field(() => Boolean) erased: boolean;
}
