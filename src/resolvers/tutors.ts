import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { levelOf } from '../policies/learner-level.js';
import { BotType } from '../schema/bot.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  AnswerExerciseInput, AnswerExercisePayload, BotTutorType, EraseTutorProgressInput, EraseTutorProgressPayload, ExerciseType, NextExerciseInput, NextExercisePayload, SetBotTutorInput, SetBotTutorPayload,
  TutorProgressPages, TutorProgressType,
} from '../schema/tutor.js';
import { ViewerType } from '../schema/viewer.js';
import type { TutorService } from '../services/bots/tutors.js';
import { botById, type BotRow } from '../services/loaders/bots.js';
import { tutorOf, type ExerciseRow, type ProgressRow, type TutorRow } from '../services/loaders/tutors.js';
import type { Context } from './context.js';

@Resolver(() => BotType)
export class BotTutorResolver {
  @FieldResolver(() => BotTutorType, { nullable: true, description: 'Null: it teaches nothing.' })
  tutor(@Root() bot: BotRow, @Ctx() context: Context): Promise<TutorRow | null> {
    return context.load(tutorOf, bot.id);
  }
}

@Resolver()
export class TutorVerbsResolver {
  constructor(private readonly tutors: TutorService) {}

  @Mutation(() => SetBotTutorPayload, { description: 'For the bot’s owner.' })
  async setBotTutor(@Arg('input', () => SetBotTutorInput) { botId, subject }: SetBotTutorInput, @Ctx() context: Context): Promise<object> {
    const bot = await this.tutors.set(context.requireViewer(), decodeId('Bot', botId, 'botId'), subject ?? null);
    context.forget();
    return { bot };
  }

  @Mutation(() => NextExercisePayload, { description: 'What was asked and not answered yet; else what is due; else something new, as hard as one is good. It teaches whom it answers.' })
  nextExercise(@Arg('input', () => NextExerciseInput) { botId }: NextExerciseInput, @Ctx() context: Context): Promise<object> {
    return this.tutors.next(context.requireViewer(), decodeId('Bot', botId, 'botId'), context.now);
  }

  @Mutation(() => AnswerExercisePayload, { description: 'To what was asked last, once.' })
  answerExercise(@Arg('input', () => AnswerExerciseInput) { botId, exerciseId, answer, idempotencyKey }: AnswerExerciseInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return this.tutors.answer(viewer, { botId: decodeId('Bot', botId, 'botId'), exerciseId: decodeId('Exercise', exerciseId, 'exerciseId'), given: answer, idempotencyKey }, context.now);
  }

  @Mutation(() => EraseTutorProgressPayload, { description: 'Forgets how far one has come with a bot.' })
  async eraseTutorProgress(@Arg('input', () => EraseTutorProgressInput) { botId }: EraseTutorProgressInput, @Ctx() context: Context): Promise<object> {
    return { erased: await this.tutors.erase(context.requireViewer(), decodeId('Bot', botId, 'botId')) };
  }
}

@Resolver(() => ViewerType)
export class ViewerTutorsResolver {
  constructor(private readonly tutors: TutorService) {}

  @FieldResolver(() => TutorProgressPages.Connection, { description: 'What one learns with bots, the newest begun first.' })
  tutorProgress(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ProgressRow>> {
    return this.tutors.progress(context.requireViewer(), context.now, args);
  }
}

@Resolver(() => ExerciseType)
export class ExerciseResolver {
  @FieldResolver()
  id(@Root() { id }: ExerciseRow): string {
    return encodeId('Exercise', id);
  }
}

@Resolver(() => TutorProgressType)
export class TutorProgressResolver {
  @FieldResolver(() => BotType)
  bot(@Root() { botId }: ProgressRow, @Ctx() context: Context): Promise<BotRow | null> {
    return context.load(botById, botId);
  }

  @FieldResolver()
  level(@Root() { rating }: ProgressRow): string {
    return levelOf(rating);
  }
}

export const TUTOR_RESOLVERS = [BotTutorResolver, TutorVerbsResolver, ViewerTutorsResolver, ExerciseResolver, TutorProgressResolver];
