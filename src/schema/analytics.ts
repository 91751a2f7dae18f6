import { Field, Float, Int, ObjectType } from 'type-graphql';
import { MoneyType } from './money.js';
import { DateTime } from './scalars.js';

@ObjectType('AnalyticsRevenue', { description: 'What was booked on a day, in one currency.' })
export class AnalyticsRevenueType {
  @Field(() => Int, { description: 'Sales.' }) orders: number;
  @Field(() => MoneyType) gross: object;
  @Field(() => MoneyType, { description: 'What went back on that day, whenever it was sold.' }) refunds: object;
  @Field(() => MoneyType, { description: 'Of it the platform kept so much.' }) fees: object;
}

@ObjectType('AnalyticsDay', { description: 'A day (UTC). People are counted once, bots never.' })
export class AnalyticsDayType {
  @Field(() => DateTime, { description: 'Its first moment.' }) day: Date;
  @Field(() => Int, { description: 'Who wrote, was in a call, bought, or used the app.' }) activePeople: number;
  @Field(() => Int, { description: 'In the seven days that end with it.' }) activePeople7: number;
  @Field(() => Int, { description: 'In the thirty days that end with it.' }) activePeople30: number;
  @Field(() => Int) newPeople: number;
  @Field(() => Int, { description: 'Of people; deleted ones too.' }) messages: number;
  @Field(() => Int) senders: number;
  @Field(() => Int, { description: 'Begun on that day, and answered.' }) calls: number;
  @Field(() => Int) callers: number;
  @Field(() => Float, { description: 'From answer to end.' }) callMinutes: number;
  @Field(() => Float, { description: 'Of everybody who was in them.' }) participantMinutes: number;
  @Field(() => Int) carts: number;
  @Field(() => Int, { description: 'Placed on that day, and standing.' }) orders: number;
  @Field(() => Int) buyers: number;
  @Field(() => Float, { description: 'buyers ÷ activePeople; 0 where nobody was active.' }) conversion: number;
  @Field(() => Int) botMessages: number;
  @Field(() => Int, { description: 'Asked of language models.' }) botRequests: number;
  @Field(() => [AnalyticsRevenueType]) revenue: object[];
  @Field(() => Boolean, { description: 'It is not counted again.' }) final: boolean;
}

@ObjectType('AnalyticsCohort', { description: 'Those who came in one week.' })
export class AnalyticsCohortType {
  @Field(() => DateTime, { description: 'Its Monday.' }) week: Date;
  @Field(() => Int) people: number;
  @Field(() => [Int], { description: 'How many of them were active in that week, in the next, and so on; thirteen at most.' }) active: number[];
}

@ObjectType('Analytics')
export class AnalyticsType {
  @Field(() => [AnalyticsDayType]) days: object[];
  @Field(() => [AnalyticsCohortType]) cohorts: object[];
  @Field(() => DateTime, { nullable: true, description: 'Of when the newest figures are.' }) rolledUpAt: Date | null;
}
