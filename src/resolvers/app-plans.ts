import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { AppPlanType, AppUsageDayType, SetAppPlanInput, SetAppPlanPayload } from '../schema/app-plans.js';
import { AppType } from '../schema/apps.js';
import { DateTime } from '../schema/scalars.js';
import type { AppPlanService, UsageDay } from '../services/apps/app-plans.js';
import type { AppRow } from '../services/loaders/apps.js';
import type { Context } from './context.js';

@Resolver(() => AppType)
export class AppPlanResolver {
  constructor(private readonly plans: AppPlanService) {}

  @Mutation(() => SetAppPlanPayload, { description: 'For administrators, of anybody’s app. In force within seconds.' })
  async setAppPlan(@Arg('input', () => SetAppPlanInput) { appId, plan }: SetAppPlanInput, @Ctx() context: Context): Promise<SetAppPlanPayload> {
    return { appId, plan: await this.plans.set(context.requireViewer(), decodeId('App', appId, 'appId'), plan) };
  }

  @FieldResolver(() => AppPlanType)
  plan(@Root() { plan }: AppRow): AppPlanType {
    return this.plans.of(plan);
  }

  @FieldResolver(() => [AppUsageDayType], { description: 'By days that had any; within seconds. At most 366 days.' })
  usage(@Arg('since', () => DateTime) since: Date, @Arg('until', () => DateTime) until: Date, @Root() { id }: AppRow): Promise<UsageDay[]> {
    return this.plans.usage(id, since, until);
  }
}
