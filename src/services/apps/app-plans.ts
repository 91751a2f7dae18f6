import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { planOf, type AppPlans } from '../../policies/app-plans.js';
import { assertMay } from '../../policies/role-policy.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;

export interface UsageDay {
  day: Date;
  operations: number;
  refused: number;
  cost: number;
}

/** What apps may spend, and what they have asked for. */
export class AppPlanService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly plans: AppPlans,
  ) {}

  of(plan: string | null): { name: string; budget: number } {
    return planOf(this.plans, plan);
  }

  /** For administrators; in force within seconds. Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT. */
  async set(actor: Actor, appId: string, plan: string): Promise<{ name: string; budget: number }> {
    assertMay(actor, 'SET_PLANS');
    if (!this.plans.has(plan)) throw invalidInput('plan', `There are the plans ${[...this.plans.keys()].join(', ')}.`);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'setAppPlan' }, async (tx) => {
      const [app] = await tx.sql<{ plan: string | null }>('select plan from apps where id = $1 for update', [appId]);
      if (!app) throw new DomainError('NOT_FOUND', 'There is no such app.', { field: 'appId' });
      if (app.plan === plan) return null;
      await tx.sql('update apps set plan = $2 where id = $1', [appId, plan]);
      await audit(tx, { actorId: actor.userId, action: 'APP_PLAN_SET', subject: { type: 'App', id: appId }, details: { before: this.of(app.plan).name, after: plan } });
      return null;
    });
    return this.of(plan);
  }

  /** Of an app that the caller has been given: by day (UTC), within seconds. Days without any are left out. Errors: INVALID_INPUT. */
  async usage(appId: string, since: Date, until: Date): Promise<UsageDay[]> {
    if (until <= since) throw invalidInput('until', 'until is after since.');
    if (until.getTime() - since.getTime() > MAX_DAYS * DAY_MS) throw invalidInput('until', `At most ${MAX_DAYS} days are read at once.`);
    return this.sql<UsageDay>(
      `select day::timestamp at time zone 'UTC' as day, operations::float8 as operations, refused::float8 as refused, cost::float8 as cost from app_usage
       where app_id = $1 and day >= ($2::timestamptz at time zone 'UTC')::date and day < ($3::timestamptz at time zone 'UTC') order by day`,
      [appId, since, until],
    );
  }
}
