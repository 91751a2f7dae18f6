import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { BotSchedulePages, BotScheduleType, RemoveBotScheduleInput, RemoveBotSchedulePayload, SetBotScheduleInput, SetBotSchedulePayload } from '../schema/bot-schedule.js';
import { BotType } from '../schema/bot.js';
import { ForwardArgs } from '../schema/connection.js';
import type { BotScheduleService, ScheduleRow } from '../services/bots/schedules.js';
import type { BotRow } from '../services/loaders/bots.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => BotType)
export class BotSchedulesResolver {
  constructor(private readonly service: BotScheduleService) {}

  @ViewerDependent()
  @FieldResolver(() => BotSchedulePages.Connection, { description: 'The oldest first; for others than its owner, empty.' })
  schedules(@Root() bot: BotRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ScheduleRow>> {
    return this.service.list(context.requireViewer(), bot.id, args);
  }

  @Mutation(() => SetBotSchedulePayload, { description: 'By the bot’s owner, in a chat that they run: at most 10 a bot. It ends when one of the two leaves the chat.' })
  async setBotSchedule(@Arg('input', () => SetBotScheduleInput) given: SetBotScheduleInput, @Ctx() context: Context): Promise<object> {
    const { botId, chatId, scheduleId, hours = null, at = null, weekdays = null, timeZone = null, prompt = null, text = null, ...rest } = given;
    const schedule = scheduleId == null ? null : decodeId('BotSchedule', scheduleId, 'scheduleId');
    return { schedule: await this.service.set(context.requireViewer(), { ...rest, hours, at, weekdays, timeZone, prompt, text, scheduleId: schedule, botId: decodeId('Bot', botId, 'botId'), chatId: decodeId('Chat', chatId, 'chatId') }) };
  }

  @Mutation(() => RemoveBotSchedulePayload)
  async removeBotSchedule(@Arg('input', () => RemoveBotScheduleInput) { scheduleId }: RemoveBotScheduleInput, @Ctx() context: Context): Promise<object> {
    await this.service.remove(context.requireViewer(), decodeId('BotSchedule', scheduleId, 'scheduleId'));
    return { scheduleId };
  }
}

@Resolver(() => BotScheduleType)
export class BotScheduleResolver {
  @FieldResolver()
  id(@Root() row: ScheduleRow): string {
    return encodeId('BotSchedule', row.id);
  }
  @FieldResolver()
  chatId(@Root() row: ScheduleRow): string {
    return encodeId('Chat', row.chatId);
  }
  @FieldResolver()
  every(@Root() { rule }: ScheduleRow): string {
    return rule.every;
  }
  @FieldResolver()
  hours(@Root() { rule }: ScheduleRow): number | null {
    return rule.hours;
  }
  @FieldResolver()
  at(@Root() { rule }: ScheduleRow): string | null {
    return rule.at;
  }
  @FieldResolver()
  weekdays(@Root() { rule }: ScheduleRow): string[] {
    return rule.weekdays;
  }
  @FieldResolver()
  timeZone(@Root() { rule }: ScheduleRow): string {
    return rule.zone;
  }
}

export const BOT_SCHEDULE_RESOLVERS = [BotSchedulesResolver, BotScheduleResolver];
