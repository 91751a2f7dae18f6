import { getArgumentValues, type ExecutionResult, type GraphQLError, type GraphQLFormattedError, type OperationTypeNode } from 'graphql';
import type { Database, Sql } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import type { Spans } from '../lib/spans.js';
import { DomainError } from '../lib/errors.js';
import { RequestContext, type RequestInfo, type Viewer } from '../resolvers/context.js';
import { operationHash, type AppOperationService } from '../services/apps/app-operations.js';
import type { Guest } from '../services/calls/caller.js';
import type { Documents, OperationRequest } from './documents.js';
import type { Engine, Prepared, Request } from './engine.js';
import type { ErrorMapper } from './errors.js';
import type { Sink } from './realtime/sink.js';
import type { Subscriptions } from './realtime/subscriptions.js';

export type Transport = 'http' | 'ws' | 'sse';

export interface Caller {
  viewer: Viewer | null;
  /** Of a call, where there is no viewer. */
  guest: Guest | null;
  request: RequestInfo;
  transport: Transport;
}

/** What an operation costs, as `extensions.cost` tells it. */
export interface Cost {
  requested: number;
  /** The most that one operation may. */
  limit: number;
  /** What the caller may still spend in this window. */
  remaining: number;
  /** Seconds until the window ends. */
  resetAfter: number;
  /** Of an app: what all that it does may spend in this window, and what is left of it. */
  plan?: { name: string; budget: number; remaining: number };
}

/** Decides, before execution, whether an operation may run, and what it costs. */
export interface Limits {
  /** Counts a request of this address, whatever is in it, or so many. Throws RATE_LIMITED. */
  request(address: string, count?: number): Promise<void>;
  /** Throws QUERY_TOO_COMPLEX or RATE_LIMITED. */
  admit(prepared: Prepared, variables: Record<string, unknown>, caller: Caller): Promise<Cost>;
}

/** Hears of every operation that was answered. */
export interface OperationObserver {
  operation(done: OperationDone): void;
}

export interface OperationDone {
  caller: Caller;
  kind: OperationTypeNode | 'unknown';
  name: string | null;
  /** The code of the first error; null when there was none. */
  code: string | null;
  milliseconds: number;
}

/** An operation that may run now. */
export interface Admitted {
  prepared: Prepared;
  /** As they were given: executors coerce them themselves. */
  variables: Record<string, unknown>;
  coerced: Record<string, unknown>;
  cost: Cost;
  /** When it was admitted, by the monotonic clock. */
  since: number;
}

export interface Refused {
  errors: readonly GraphQLFormattedError[];
}

export interface ShownResult {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

export interface OperationsDeps {
  engine: Engine;
  documents: Documents;
  /** What apps have registered. */
  registered: Pick<AppOperationService, 'find'>;
  subscriptions: Subscriptions;
  limits: Limits;
  db: Database;
  clock: Clock;
  errors: ErrorMapper;
  observer: OperationObserver;
  /** Null: nobody looks at traces. */
  spans: Spans | null;
}

/** Runs one operation for one caller, over whichever transport it came. */
export class Operations {
  readonly engine: Engine;
  readonly errors: ErrorMapper;

  constructor(private readonly deps: OperationsDeps) {
    this.engine = deps.engine;
    this.errors = deps.errors;
  }

  context(caller: Caller, reads?: Sql): RequestContext {
    return new RequestContext(this.deps.db, this.deps.clock.now(), caller.request, caller.viewer, null, caller.guest, reads);
  }

  /** Counts the request and finds its operation: its text, or why there is none that could run. `who` is asked only where an id is not the server's own. */
  async receive(given: OperationRequest, info: RequestInfo, transport: Transport, who: () => Promise<Viewer | null>): Promise<Request | Refused> {
    const since = performance.now();
    const refuse = (errors: readonly GraphQLFormattedError[]) => this.#refuse({ viewer: null, guest: null, request: info, transport }, null, errors, since);
    try {
      await this.deps.limits.request(info.address);
      const request = { query: await this.#textOf(given, who), operationName: given.operationName ?? null, variables: given.variables ?? null };
      // What a long text costs is paid before it is read, and by whoever sends it: most are refused only when they have been validated.
      const thousands = Math.floor(request.query.length / 1_000);
      if (thousands > 0 && !this.engine.knows(request)) await this.deps.limits.request(info.address, thousands);
      const prepared = this.engine.prepare(request);
      return Array.isArray(prepared) ? refuse(this.#shown(prepared as readonly GraphQLError[])) : request;
    } catch (error) {
      return refuse([this.errors.map(error as Error)]);
    }
  }

  /** The operation with its coerced variables and cost, or the errors that keep it from running. */
  async admit(request: Request, caller: Caller): Promise<Admitted | Refused> {
    const since = performance.now();
    const prepared = this.engine.prepare(request);
    if (Array.isArray(prepared)) return this.#refuse(caller, null, this.#shown(prepared as readonly GraphQLError[]), since);
    const operation = prepared as Prepared;
    const { coerced, errors } = operation.coerce(request.variables ?? {});
    if (errors) return this.#refuse(caller, operation, this.#shown(errors), since);
    try {
      await this.#assertRegistered(request.query, caller.viewer);
      const cost = await this.deps.limits.admit(operation, coerced, caller);
      return { prepared: operation, variables: request.variables ?? {}, coerced, cost, since };
    } catch (error) {
      return this.#refuse(caller, operation, [this.errors.map(error as Error)], since);
    }
  }

  /** `receive`, then `admit`. */
  async take(request: OperationRequest, caller: Caller): Promise<Admitted | Refused> {
    const received = await this.receive(request, caller.request, caller.transport, async () => caller.viewer);
    return 'errors' in received ? received : this.admit(received, caller);
  }

  /** Executes a query or mutation that was admitted. */
  async execute({ prepared, variables, cost, since }: Admitted, caller: Caller): Promise<ShownResult> {
    if (prepared.kind === 'subscription') {
      return this.#refuse(caller, prepared, [this.errors.map(new DomainError('BAD_REQUEST', 'Subscriptions go over WebSocket, or over Server-Sent Events (Accept: text/event-stream).'))], since);
    }
    const { spans } = this.deps;
    const run = async (): Promise<ExecutionResult> => prepared.execute({}, this.context(caller, prepared.kind === 'query' ? this.deps.db.replicas?.reads() : undefined), variables);
    const result = await (spans ? spans.within(operationName(prepared), attributesOf(prepared, caller), run) : run());
    const errors = result.errors ? this.#shown(result.errors) : null;
    this.#observe(caller, prepared, errors, since);
    return { ...(errors ? { errors } : {}), data: result.data, extensions: { cost: shownCost(cost) } };
  }

  /** Begins a subscription that was admitted; resolves with the function that ends it. */
  subscribe({ prepared, variables, coerced, since }: Admitted, caller: Caller, sink: Sink): Promise<() => void> {
    this.#observe(caller, prepared, null, since);
    const field = this.engine.schema.getSubscriptionType()!.getFields()[prepared.rootField!]!;
    const args = getArgumentValues(field, prepared.rootNode!, coerced);
    return this.deps.subscriptions.open(caller, caller.request, prepared, variables, args, sink);
  }

  /** Errors: those of Documents.find. */
  async #textOf(given: OperationRequest, who: () => Promise<Viewer | null>): Promise<string> {
    try {
      return this.deps.documents.find(given);
    } catch (error) {
      const id = error instanceof DomainError && error.code === 'OPERATION_NOT_FOUND' ? this.deps.documents.idOf(given) : null;
      const appId = id === null ? null : (await who())?.appId;
      const text = id !== null && appId ? await this.deps.registered.find(appId, id) : null;
      if (text === null) throw error;
      return text;
    }
  }

  /** Throws OPERATION_NOT_ALLOWED for an app that is kept to what it has registered. */
  async #assertRegistered(query: string, viewer: Viewer | null): Promise<void> {
    if (!viewer?.registeredOnly || !viewer.appId) return;
    if ((await this.deps.registered.find(viewer.appId, operationHash(query))) === null) throw new DomainError('OPERATION_NOT_ALLOWED', 'This app executes only the operations that it has registered.');
  }

  #refuse(caller: Caller, prepared: Prepared | null, errors: readonly GraphQLFormattedError[], since: number): Refused {
    this.#observe(caller, prepared, errors, since);
    return { errors };
  }

  #observe(caller: Caller, prepared: Prepared | null, errors: readonly GraphQLFormattedError[] | null, since: number): void {
    const code = errors?.[0] ? String(errors[0].extensions?.['code']) : null;
    this.deps.observer.operation({ caller, kind: prepared?.kind ?? 'unknown', name: prepared?.operation.name?.value ?? null, code, milliseconds: performance.now() - since });
  }

  #shown(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
    return errors.map((error) => this.errors.map(error));
  }
}

const operationName = ({ kind, operation }: Prepared): string => `${kind} ${operation.name?.value ?? '(anonymous)'}`;
/** By the id of its request a trace is found beside the log's lines. */
const attributesOf = ({ kind }: Prepared, { request, transport }: Caller): Record<string, string> => ({ 'graphql.operation.type': kind, 'omnitalk.transport': transport, 'omnitalk.request_id': request.id });

const shownCost = ({ requested, limit, remaining, plan }: Cost): Omit<Cost, 'resetAfter'> => ({ requested, limit, remaining, ...(plan ? { plan } : {}) });
