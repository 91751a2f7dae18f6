import { getArgumentValues, type ExecutionResult, type GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Database } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import { RequestContext, type RequestInfo, type Viewer } from '../resolvers/context.js';
import type { Engine, Prepared, Request } from './engine.js';
import type { ErrorMapper } from './errors.js';
import type { Sink } from './realtime/sink.js';
import type { Subscriptions } from './realtime/subscriptions.js';

export interface Caller {
  viewer: Viewer | null;
  request: RequestInfo;
}

/** Decides, before execution, whether an operation may run, and what it costs. */
export interface Limits {
  /** Throws QUERY_TOO_COMPLEX or RATE_LIMITED. Returns what `extensions` tells of the cost. */
  admit(prepared: Prepared, variables: Record<string, unknown>, caller: Caller): Promise<{ cost: number; limit: number }>;
}

/** An operation that may run now. */
export interface Admitted {
  prepared: Prepared;
  /** As they were given: executors coerce them themselves. */
  variables: Record<string, unknown>;
  coerced: Record<string, unknown>;
  cost: { cost: number; limit: number };
}

export interface ShownResult {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/** Runs one operation for one caller, over whichever transport it came. */
export class Operations {
  constructor(
    readonly engine: Engine,
    private readonly subscriptions: Subscriptions,
    private readonly limits: Limits,
    private readonly db: Database,
    private readonly clock: Clock,
    readonly errors: ErrorMapper,
  ) {}

  context(caller: Caller): RequestContext {
    return new RequestContext(this.db, this.clock.now(), caller.request, caller.viewer);
  }

  /** The operation with its coerced variables and cost, or the errors that keep it from running. */
  async admit(request: Request, caller: Caller): Promise<Admitted | { errors: readonly GraphQLFormattedError[] }> {
    const prepared = this.engine.prepare(request);
    if (Array.isArray(prepared)) return { errors: this.#shown(prepared as readonly GraphQLError[]) };
    const operation = prepared as Prepared;
    const { coerced, errors } = this.engine.coerce(operation, request.variables ?? {});
    if (errors) return { errors: this.#shown(errors) };
    try {
      const cost = await this.limits.admit(operation, coerced!, caller);
      return { prepared: operation, variables: request.variables ?? {}, coerced: coerced!, cost };
    } catch (error) {
      return { errors: [this.errors.map(error as Error)] };
    }
  }

  /** Executes a query or mutation that was admitted. */
  async execute({ prepared, variables, cost }: Admitted, caller: Caller): Promise<ShownResult> {
    const result: ExecutionResult = await prepared.execute({}, this.context(caller), variables);
    return { ...(result.errors ? { errors: this.#shown(result.errors) } : {}), data: result.data, extensions: { cost } };
  }

  /** Begins a subscription that was admitted; resolves with the function that ends it. */
  subscribe({ prepared, variables, coerced }: Admitted, caller: Caller, sink: Sink): Promise<() => void> {
    const field = this.engine.schema.getSubscriptionType()!.getFields()[prepared.rootField!]!;
    const [node] = prepared.operation.selectionSet.selections;
    const args = getArgumentValues(field, node as never, coerced);
    return this.subscriptions.open(caller.viewer, caller.request, prepared, variables, args, sink);
  }

  #shown(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
    return errors.map((error) => this.errors.map(error));
  }
}
