import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { AnalyticsDayType, AnalyticsRevenueType, AnalyticsType } from '../schema/analytics.js';
import { DateTime } from '../schema/scalars.js';
import type { AnalyticsService, DayRow, Figures, RevenueRow } from '../services/analytics/analytics.js';
import type { Context } from './context.js';

interface Amount {
  amount: number;
  currency: string;
}

@Resolver()
export class AnalyticsResolver {
  constructor(private readonly service: AnalyticsService) {}

  @Query(() => AnalyticsType, { description: 'For analysts and administrators: what goes on, by day, as it was last rolled up. At most 366 days.' })
  analytics(@Arg('since', () => DateTime) since: Date, @Arg('until', () => DateTime) until: Date, @Ctx() context: Context): Promise<Figures> {
    return this.service.figures(context.requireViewer(), since, until);
  }
}

@Resolver(() => AnalyticsDayType)
export class AnalyticsDayResolver {
  @FieldResolver()
  conversion(@Root() { buyers, activePeople }: DayRow): number {
    return activePeople ? buyers / activePeople : 0;
  }
}

@Resolver(() => AnalyticsRevenueType)
export class AnalyticsRevenueResolver {
  @FieldResolver()
  gross(@Root() { gross: amount, currency }: RevenueRow): Amount {
    return { amount, currency };
  }

  @FieldResolver()
  refunds(@Root() { refunds: amount, currency }: RevenueRow): Amount {
    return { amount, currency };
  }

  @FieldResolver()
  fees(@Root() { fees: amount, currency }: RevenueRow): Amount {
    return { amount, currency };
  }
}

export const ANALYTICS_RESOLVERS = [AnalyticsResolver, AnalyticsDayResolver, AnalyticsRevenueResolver];
