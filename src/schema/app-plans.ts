import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { DateTime } from './scalars.js';

@ObjectType('AppPlan')
export class AppPlanType {
  @Field(() => String) name: string;
  @Field(() => Int, { description: 'The cost that the app may spend a minute, whoever it acts for.' }) budget: number;
}

@ObjectType('AppUsageDay', { description: 'What an app has asked for on a day (UTC).' })
export class AppUsageDayType {
  @Field(() => DateTime, { description: 'Its first moment.' }) day: Date;
  @Field(() => Float, { description: 'Operations that were executed.' }) operations: number;
  @Field(() => Float, { description: 'Those that were not: too dear, past a budget, or past its scopes.' }) refused: number;
  @Field(() => Float) cost: number;
}

@InputType('SetAppPlanInput')
export class SetAppPlanInput {
  @Field(() => ID) appId: string;
  @Field(() => String, { description: 'One of APP_PLANS.' }) plan: string;
}
@ObjectType('SetAppPlanPayload')
export class SetAppPlanPayload {
  @Field(() => ID) appId: string;
  @Field(() => AppPlanType) plan: AppPlanType;
}
