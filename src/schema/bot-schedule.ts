import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { SCHEDULE_STEPS, WEEKDAYS, type ScheduleRule, type Weekday as Day } from '../policies/schedule-rule.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';

export const ScheduleStep = enumOf('ScheduleStep', SCHEDULE_STEPS);
export const Weekday = enumOf('Weekday', WEEKDAYS);

@ObjectType('BotSchedule', { description: 'When a bot speaks by itself in a chat.' })
export class BotScheduleType {
  @Field(() => ID) id: string;
  @Field(() => ID) chatId: string;
  @Field(() => ScheduleStep) every: string;
  @Field(() => Int, { nullable: true, description: 'By HOURS: so many.' }) hours: number | null;
  @Field(() => String, { nullable: true, description: 'By DAY and WEEK, as 09:30.' }) at: string | null;
  @Field(() => [Weekday], { description: 'By WEEK.' }) weekdays: Day[];
  @Field(() => String, { description: 'As Europe/Zurich.' }) timeZone: string;
  @Field(() => String, { nullable: true, description: 'What it is asked each time.' }) prompt: string | null;
  @Field(() => String, { nullable: true, description: 'What it says, as it stands.' }) text: string | null;
  @Field(() => DateTime) nextAt: Date;
  @Field(() => DateTime, { nullable: true }) lastAt: Date | null;
}
export const BotSchedulePages = connectionOf('BotSchedule', () => BotScheduleType);

@InputType('SetBotScheduleInput', { description: 'One of prompt and text. Times that clocks skip in spring are so much later, those that they show twice are the first.' })
export class SetBotScheduleInput {
  @Field(() => ID) botId: string;
  @Field(() => ID, { description: 'In which the bot is, and which one runs.' }) chatId: string;
  @Field(() => ID, { nullable: true, description: 'Replaces this one.' }) scheduleId?: string | null;
  @Field(() => ScheduleStep) every: ScheduleRule['every'];
  @Field(() => Int, { nullable: true, description: 'By HOURS: 1 to 168, from now.' }) hours?: number | null;
  @Field(() => String, { nullable: true, description: 'By DAY and WEEK, as 09:30.' }) at?: string | null;
  @Field(() => [Weekday], { nullable: true, description: 'By WEEK.' }) weekdays?: Day[] | null;
  @Field(() => String, { nullable: true, description: 'As Europe/Zurich; none: UTC.' }) timeZone?: string | null;
  @Field(() => String, { nullable: true, description: 'What it is asked each time, as by its owner: up to 2 KiB. Not of an EXTERNAL bot.' }) prompt?: string | null;
  @Field(() => String, { nullable: true, description: 'What it says, as it stands: up to 16 KiB.' }) text?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('SetBotSchedulePayload')
export class SetBotSchedulePayload {
  @Field(() => BotScheduleType) schedule: object;
}
@InputType('RemoveBotScheduleInput')
export class RemoveBotScheduleInput {
  @Field(() => ID) scheduleId: string;
}
@ObjectType('RemoveBotSchedulePayload')
export class RemoveBotSchedulePayload {
  @Field(() => ID) scheduleId: string;
}
