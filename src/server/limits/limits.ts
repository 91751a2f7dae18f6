import type { GraphQLSchema } from 'graphql';
import type { Config } from '../../config.js';
import { planOf } from '../../policies/app-plans.js';
import { DomainError } from '../../lib/errors.js';
import type { Prepared } from '../engine.js';
import type { AppUsage } from '../../services/apps/app-usage.js';
import type { Caller, Cost, Limits } from '../operations.js';
import { countCost } from './cost.js';
import { Scopes } from './scopes.js';
import { addressKey, type Limiter, type Rates } from './rates.js';

export const COST_WINDOW = 60;
const ADDRESS_WINDOW = 60;

/** Bounds each operation by its cost, and each person and address by what they spend. */
export class RequestLimits implements Limits {
  readonly #scopes: Scopes;
  readonly #person: Limiter;
  readonly #address: Limiter;
  readonly #plans: ReadonlyMap<string, Limiter>;
  readonly #constant = new WeakMap<Prepared, number>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly config: Pick<Config, 'MAX_QUERY_COST' | 'RATE_LIMIT_COST' | 'RATE_LIMIT_ADDRESS' | 'APP_PLANS'>,
    rates: Rates,
    private readonly usage: Pick<AppUsage, 'note'>,
  ) {
    this.#scopes = new Scopes(schema);
    this.#person = rates.limiter('cost', { points: config.RATE_LIMIT_COST, seconds: COST_WINDOW });
    this.#plans = new Map([...config.APP_PLANS].map(([name, points]) => [name, rates.limiter(`plan:${name}`, { points, seconds: COST_WINDOW })]));
    this.#address = rates.limiter('address', { points: config.RATE_LIMIT_ADDRESS, seconds: ADDRESS_WINDOW });
  }

  async request(address: string, count = 1): Promise<void> {
    await this.#address.spend(addressKey(address), count);
  }

  async admit(prepared: Prepared, variables: Record<string, unknown>, caller: Caller): Promise<Cost> {
    const { viewer } = caller;
    if (!viewer?.scopes || !viewer.appId) return this.#admit(prepared, variables, caller);
    try {
      const cost = await this.#admit(prepared, variables, caller);
      const { name, budget } = planOf(this.config.APP_PLANS, viewer.plan ?? null);
      const { remaining, resetAfter } = await this.#plans.get(name)!.spend(viewer.appId, Math.max(1, cost.requested));
      this.usage.note(viewer.appId, cost.requested);
      return { ...cost, resetAfter: Math.max(cost.resetAfter, resetAfter), plan: { name, budget, remaining } };
    } catch (error) {
      this.usage.note(viewer.appId, null);
      throw error;
    }
  }

  async #admit(prepared: Prepared, variables: Record<string, unknown>, { viewer, guest, request }: Caller): Promise<Cost> {
    this.#scopes.assert(prepared, viewer?.scopes);
    const requested = this.#cost(prepared, variables);
    const limit = this.config.MAX_QUERY_COST;
    if (requested > limit) {
      throw new DomainError('QUERY_TOO_COMPLEX', `The operation may cost ${requested}; ${limit} is the most.`, { cost: { requested, limit } });
    }
    const who = viewer?.scopes ? `app:${viewer.appId}:${viewer.userId}` : viewer ? `person:${viewer.userId}` : guest ? `guest:${guest.tokenId}` : `address:${addressKey(request.address)}`;
    const { remaining, resetAfter } = await this.#person.spend(who, Math.max(1, requested));
    return { requested, limit, remaining, resetAfter };
  }

  #cost(prepared: Prepared, variables: Record<string, unknown>): number {
    const known = this.#constant.get(prepared);
    if (known !== undefined) return known;
    const { cost, byVariables } = countCost(this.schema, prepared.document, prepared.operation, variables);
    if (!byVariables) this.#constant.set(prepared, cost);
    return cost;
  }
}
