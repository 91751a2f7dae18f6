import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { GatewayInterface } from '@apollo/server-gateway-interface';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Config } from '../config.js';
import type { Logger } from '../lib/logger.js';
import type { Authentication } from './authentication.js';
import type { Caller, Operations } from './operations.js';

export interface HttpDeps {
  config: Config;
  log: Logger;
  operations: Operations;
  authentication: Authentication;
  maxBodyBytes: number;
}

/** Errors that were mapped before Apollo saw them, so that its formatter leaves them alone. */
const MAPPED = Symbol('mapped');

/** The HTTP side: GraphQL by Apollo, executed by our own engine. */
export async function createHttp({ config, log, operations, authentication, maxBodyBytes }: HttpDeps): Promise<{ fastify: FastifyInstance; apollo: ApolloServer<Caller> }> {
  const fastify = Fastify({ logger: false, trustProxy: config.TRUST_PROXY, bodyLimit: maxBodyBytes, genReqId: () => randomUUID(), forceCloseConnections: 'idle' });
  const apollo = new ApolloServer<Caller>({
    gateway: gatewayTo(operations),
    introspection: config.INTROSPECTION,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    stringifyResult: (result) => JSON.stringify(result),
    // Cache control would wrap every resolver of the schema, those of subscriptions too.
    plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled(), fastifyApolloDrainPlugin(fastify)],
    formatError: (formatted, error) => (isMapped(error) ? formatted : operations.errors.map(error as GraphQLError)),
    logger: { debug: () => undefined, info: () => undefined, warn: (message) => log.warn(message), error: (message) => log.error(message) },
  });
  await apollo.start();
  const context = async (request: FastifyRequest): Promise<Caller> => {
    try {
      const authenticated = await authentication.authenticate(request.headers.authorization);
      return { viewer: authenticated?.viewer ?? null, request: { id: request.id, address: request.ip } };
    } catch (error) {
      const { message, extensions } = operations.errors.map(error as Error);
      throw mapped(new GraphQLError(message, { extensions: { ...extensions, http: { status: 401, headers: new HeaderMap() } } }));
    }
  };
  fastify.post('/graphql', fastifyApolloHandler(apollo, { context }));
  return { fastify, apollo };
}

/** Apollo hands whole operations to a gateway: ours is the engine, which keeps its own cache of prepared documents. */
function gatewayTo(operations: Operations): GatewayInterface {
  const { schema } = operations.engine;
  return {
    load: async () => ({
      executor: async ({ request, operationName, context, source }) => {
        const caller = context as Caller;
        const admitted = await operations.admit({ query: source, operationName, variables: (request.variables ?? null) as Record<string, unknown> | null }, caller);
        if ('errors' in admitted) return { errors: admitted.errors.map(asMapped) };
        const { errors, ...result } = await operations.execute(admitted, caller);
        return { ...(result as { data?: Record<string, unknown>; extensions?: Record<string, unknown> }), ...(errors ? { errors: errors.map(asMapped) } : {}) };
      },
    }),
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    stop: async () => undefined,
  };
}

function asMapped({ message, path, extensions }: GraphQLFormattedError): GraphQLError {
  return mapped(new GraphQLError(message, { ...(path ? { path } : {}), ...(extensions ? { extensions } : {}) }));
}
function mapped(error: GraphQLError): GraphQLError {
  return Object.assign(error, { [MAPPED]: true });
}
const isMapped = (error: unknown): boolean => (error as { [MAPPED]?: boolean })[MAPPED] === true;

/** The client's address of a raw request, as Fastify would tell it. */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim();
  return first || (request.socket.remoteAddress ?? '');
}
