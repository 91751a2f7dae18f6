import type { ApolloServer } from '@apollo/server';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Container } from '../container.js';
import { LoaderScope } from '../db/loaders.js';
import { Authentication } from './authentication.js';
import { Engine } from './engine.js';
import { ErrorMapper } from './errors.js';
import { addressOf, createHttp } from './http.js';
import { Operations, type Caller, type Limits } from './operations.js';
import { Channels } from './realtime/channels.js';
import { ChatSource } from './realtime/chat-source.js';
import { InboxSource } from './realtime/inbox-source.js';
import { Subscriptions } from './realtime/subscriptions.js';
import { WsServer } from './realtime/ws-server.js';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 256 * 1024;
const INIT_TIMEOUT_MS = 5_000;
const MAX_TOKENS = 10_000;

export interface Serving {
  fastify: FastifyInstance;
  apollo: ApolloServer<Caller>;
  sockets: WsServer;
  channels: Channels;
  subscriptions: Subscriptions;
  close(): Promise<void>;
}

/** Wires the schema to its transports and listens. */
export async function serve(container: Container, schema: GraphQLSchema): Promise<Serving> {
  const { config, log, clock, db, hub, recent, sessions, tokens } = container;
  const errors = new ErrorMapper(log);
  const engine = new Engine(schema, { rules: [], maxTokens: MAX_TOKENS });
  const limits: Limits = { admit: async () => ({ cost: 1, limit: config.MAX_QUERY_COST }) };
  const onError = (error: unknown, stream: string) => log.error({ stream, error: (error as Error).message }, 'an event could not be delivered');
  const scope = (): LoaderScope => subscriptions.sharedScope();
  const channels = new Channels(hub, { log: hub.log, recent, scope, onError });
  const subscriptions: Subscriptions = new Subscriptions(
    { chatEvents: new ChatSource(channels, scope), inboxEvents: new InboxSource(channels, db.sql, onError) },
    db,
    clock,
    errors,
  );
  const operations = new Operations(engine, subscriptions, limits, db, clock, errors);
  const authentication = new Authentication(tokens, sessions);
  const { fastify, apollo } = await createHttp({ config, log, operations, authentication, maxBodyBytes: MAX_BODY_BYTES });
  const sockets = new WsServer(fastify.server, operations, authentication, sessions, { connected: () => undefined, disconnected: () => undefined }, {
    path: '/graphql',
    maxSockets: config.MAX_SOCKETS,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBuffered: config.MAX_BUFFERED,
    maxSubscriptions: config.MAX_SUBSCRIPTIONS,
    initTimeoutMs: INIT_TIMEOUT_MS,
    heartbeatMs: config.HEARTBEAT * 1000,
    allowOrigin: () => true,
    addressOf: (request) => addressOf(request, config.TRUST_PROXY),
  });
  const reconcile = setInterval(() => {
    sockets.reconcileSessions().catch((error: Error) => log.warn({ error: error.message }, 'could not compare sessions with the database'));
  }, config.RECONCILE * 1000);
  reconcile.unref();
  await fastify.listen({ host: config.HOST, port: config.PORT });
  return {
    fastify, apollo, sockets, channels, subscriptions,
    async close() {
      clearInterval(reconcile);
      sockets.drain();
      await apollo.stop();
      await fastify.close();
      sockets.close();
      channels.close();
    },
  };
}
