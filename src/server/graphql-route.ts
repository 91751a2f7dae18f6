import { ApolloServer, HeaderMap } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { GatewayInterface } from '@apollo/server-gateway-interface';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { Authenticated, Authentication } from './authentication.js';
import type { Request } from './engine.js';
import type { GraphiQL } from './graphiql/graphiql.js';
import type { Probe } from './health.js';
import { sendError } from './http.js';
import type { Caller, Cost, Operations } from './operations.js';
import { isPreflighted, readRequest } from './read-request.js';
import type { Tracing } from './tracing.js';
import type { EventStreams } from './realtime/event-streams.js';

export interface GraphqlRouteDeps {
  log: Logger;
  operations: Operations;
  authentication: Authentication;
  streams: EventStreams;
  /** Null when it is switched off. */
  graphiql: GraphiQL | null;
  probe: Probe;
  tracing: Tracing | null;
  maxTokens: number;
  /** Length of the window that costs are counted in, seconds. */
  costWindow: number;
  costPoints: number;
}

export interface GraphqlRoute {
  stop(): Promise<void>;
  /** Requests under way. */
  readonly pending: number;
}

interface HttpCaller extends Caller {
  /** What the operation's execution leaves for its answer; an object of its own, because Apollo copies the caller. */
  told: { cost?: Cost };
}

/** Errors that were mapped before Apollo saw them, so that its formatter leaves them alone. */
const MAPPED = Symbol('mapped');

/** `/graphql`: queries and mutations by Apollo (executed by our own engine), event streams, and GraphiQL for browsers. */
export async function addGraphql(fastify: FastifyInstance, deps: GraphqlRouteDeps): Promise<GraphqlRoute> {
  const { operations, log, streams, graphiql, probe } = deps;
  const apollo = new ApolloServer<HttpCaller>({
    gateway: gatewayTo(operations),
    introspection: true, // our own rules decide
    dangerouslyDisableValidation: true, // the engine validates, once for all transports
    parseOptions: { maxTokens: deps.maxTokens },
    persistedQueries: false, // found before Apollo is asked: see Documents
    csrfPrevention: true, // so does isPreflighted, for event streams too
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    stringifyResult: (result) => JSON.stringify(result),
    // Cache control would wrap every resolver of the schema, those of subscriptions too.
    plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled()],
    formatError: (formatted, error) => (isMapped(error) ? formatted : operations.errors.map(error as GraphQLError)),
    logger: { debug: () => undefined, info: () => undefined, warn: (message) => log.warn(message), error: (message) => log.error(message) },
  });
  await apollo.start();
  let pending = 0;

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (probe.phase === 'draining') return sendError(reply.header('connection', 'close').header('retry-after', '1'), 503, 'UNAVAILABLE', 'The server restarts: try again.', { retryAfter: 1 });
    const accept = request.headers.accept ?? '';
    if (graphiql && request.method === 'GET' && wantsHtml(accept)) return graphiql.page(request, reply);
    try {
      const given = readRequest(request);
      if (!isPreflighted(request)) throw new DomainError('BAD_REQUEST', 'Send the header apollo-require-preflight, so that no page of another origin can send this unasked.');
      if (/\btext\/event-stream\b/i.test(accept)) return await streams.serve(request, reply, given);
      const info = { id: request.id, address: request.ip };
      // Asked for when it is needed, and once.
      let asked: Promise<Authenticated | null> | undefined;
      const who = () => (asked ??= deps.authentication.authenticate(request.headers.authorization));
      const received = await operations.receive(given, info, 'http', async () => (await who())?.viewer ?? null);
      if ('errors' in received) return refuse(request, reply, received.errors);
      return await answer(request, reply, received, info, who);
    } catch (error) {
      return refuse(request, reply, [operations.errors.map(error as Error)]);
    }
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply, received: Request, info: Caller['request'], who: () => Promise<Authenticated | null>): Promise<FastifyReply> => {
    const told: HttpCaller['told'] = {};
    const response = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: request.method, headers: headersOf(request), ...(request.method === 'GET' ? { body: undefined, search: searchOf(received) } : { body: received, search: '' }) },
      context: () => callerOf(who, info, told),
    });
    for (const [name, value] of response.headers) void reply.header(name, value);
    const { cost } = told;
    if (cost) void reply.header('ratelimit-policy', `"cost";q=${deps.costPoints};w=${deps.costWindow}`).header('ratelimit', `"cost";r=${cost.remaining};t=${cost.resetAfter}`);
    if (response.body.kind !== 'complete') throw new Error('Nothing here is delivered in parts.');
    // As bytes: Node would count a text's bytes, then put the headers before it, and encode the whole once more.
    return reply.code(response.status ?? 200).send(Buffer.from(response.body.string));
  };

  const callerOf = async (who: () => Promise<Authenticated | null>, info: Caller['request'], told: HttpCaller['told']): Promise<HttpCaller> => {
    try {
      const authenticated = await who();
      return { viewer: authenticated?.viewer ?? null, guest: authenticated?.guest ?? null, request: info, transport: 'http', told };
    } catch (error) {
      throw refusals([operations.errors.map(error as Error)])[0]!;
    }
  };

  const counted = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    pending++;
    try {
      const { tracing } = deps;
      if (!tracing) return await handle(request, reply);
      return await tracing.request(`${request.method} /graphql`, { 'http.request.method': request.method, 'omnitalk.request_id': request.id }, request.headers.traceparent, () => handle(request, reply));
    } finally {
      pending--;
    }
  };
  fastify.get('/graphql', counted);
  fastify.post('/graphql', counted);
  return {
    stop: () => apollo.stop(),
    get pending() {
      return pending;
    },
  };
}

const wantsHtml = (accept: string): boolean => /^\s*text\/html\b/i.test(accept);

function headersOf(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, [value].flat().join(', '));
  return headers;
}

function searchOf({ query, operationName, variables }: Request): string {
  return `?${new URLSearchParams({ query, ...(operationName ? { operationName } : {}), ...(variables ? { variables: JSON.stringify(variables) } : {}) }).toString()}`;
}

/** Apollo hands whole operations to a gateway: ours is the engine, which keeps its own cache of prepared documents. */
function gatewayTo(operations: Operations): GatewayInterface {
  const { schema } = operations.engine;
  return {
    load: async () => ({
      executor: async ({ request, operationName, context, source }) => {
        const caller = context as HttpCaller;
        const admitted = await operations.admit({ query: source, operationName, variables: (request.variables ?? null) as Record<string, unknown> | null }, caller);
        if ('errors' in admitted) return { errors: refusals(admitted.errors) };
        caller.told.cost = admitted.cost;
        const { errors, data, extensions } = await operations.execute(admitted, caller);
        if (data === undefined && errors) return { errors: refusals(errors) };
        return { data: data as Record<string, unknown> | null, ...(extensions ? { extensions } : {}), ...(errors ? { errors: errors.map(asMapped) } : {}) };
      },
    }),
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    stop: async () => undefined,
  };
}

/** An operation that was not executed is answered with the status of its first error. */
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  SESSION_ENDED: 401,
  OPERATION_NOT_ALLOWED: 403,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
};
const statusOf = ({ extensions, message }: GraphQLFormattedError): number =>
  // Clients that ask by hash expect this answer to be a success, and then send the text.
  message === 'PersistedQueryNotFound' ? 200 : (STATUS[String(extensions?.['code'])] ?? 400);
const retryAfterOf = ({ extensions }: GraphQLFormattedError): number | undefined => extensions?.['retryAfter'] as number | undefined;

function refuse(request: FastifyRequest, reply: FastifyReply, errors: readonly GraphQLFormattedError[]): FastifyReply {
  const [first] = errors;
  const retryAfter = retryAfterOf(first!);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  const type = /application\/graphql-response\+json/i.test(request.headers.accept ?? '') ? 'application/graphql-response+json' : 'application/json';
  return reply.code(statusOf(first!)).type(`${type}; charset=utf-8`).send(JSON.stringify({ errors }));
}

function refusals(errors: readonly GraphQLFormattedError[]): GraphQLError[] {
  return errors.map((error, index) => {
    if (index > 0) return asMapped(error);
    const retryAfter = retryAfterOf(error);
    const http = { status: statusOf(error), headers: new HeaderMap(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)]]) };
    return asMapped({ ...error, extensions: { ...error.extensions, http } });
  });
}

function asMapped({ message, path, extensions, locations }: GraphQLFormattedError): GraphQLError {
  const error = new GraphQLError(message, { ...(path ? { path } : {}), ...(extensions ? { extensions } : {}) });
  // Where in the document it is: an error made anew has no node to tell it by.
  if (locations) Object.defineProperty(error, 'locations', { value: locations, enumerable: true });
  return Object.assign(error, { [MAPPED]: true });
}
const isMapped = (error: unknown): boolean => (error as { [MAPPED]?: boolean })[MAPPED] === true;
