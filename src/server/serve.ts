import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../config.js';
import type { Container } from '../container.js';
import { isUnavailable, tookTooLong } from '../db/failures.js';
import { LoaderScope } from '../db/loaders.js';
import { PresenceReader } from '../services/presence-reader.js';
import { Authentication } from './authentication.js';
import { Documents, loadPersistedOperations } from './documents.js';
import { Engine } from './engine.js';
import { ErrorMapper } from './errors.js';
import { FilesServer } from './files/files-server.js';
import { GraphiQL } from './graphiql/graphiql.js';
import { DASHBOARD } from './admin/dashboard.js';
import { CONSENT } from './consent/consent.js';
import { addGraphql } from './graphql-route.js';
import { addProbes, type Probe } from './health.js';
import { addressOf, createHttp } from './http.js';
import { maxDepth } from './limits/depth.js';
import { noIntrospection } from './limits/introspection.js';
import { COST_WINDOW, RequestLimits } from './limits/limits.js';
import { Metrics } from './metrics.js';
import { addOAuth } from './oauth-route.js';
import { OperationLog } from './operation-log.js';
import { Operations } from './operations.js';
import { servePage } from './own-page.js';
import { addSecurityTxt } from './security-txt.js';
import { Origins } from './origins.js';
import { BotReplySource } from './realtime/bot-reply-source.js';
import { addPaymentHooks } from './payment-hooks.js';
import { WebhookEvents } from './webhook-renderer.js';
import { CallRooms } from './realtime/call-rooms.js';
import { CallSource } from './realtime/call-source.js';
import { CartSource } from './realtime/cart-source.js';
import { Channels } from './realtime/channels.js';
import { ChatSource } from './realtime/chat-source.js';
import { DocumentSource } from './realtime/document-source.js';
import { EventStreams } from './realtime/event-streams.js';
import { InboxSource } from './realtime/inbox-source.js';
import { Deliveries } from './realtime/sink.js';
import { NewsSource } from './realtime/news-source.js';
import { Places } from './realtime/places.js';
import { PresenceSource } from './realtime/presence-source.js';
import { ProductSource } from './realtime/product-source.js';
import { Subscriptions } from './realtime/subscriptions.js';
import { TypingSource } from './realtime/typing-source.js';
import { VoiceServer } from './realtime/voice-server.js';
import { WsServer } from './realtime/ws-server.js';

const MAX_BODY_BYTES = 1024 * 1024;
/** A body of that size takes a slow telephone this long. */
const REQUEST_MS = 60_000;
/** An answer has as long, and for each of its bytes what the slowest reader that is served takes: 10 KB a second. */
const ANSWER_MS_A_BYTE = 0.1;
/** Room for the cursors of 5,000 streams, by which an inbox resumes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const INIT_TIMEOUT_MS = 5_000;
const MAX_TOKENS = 10_000;
/** Connections that wait to be accepted: a crowd that comes back at once. The kernel may allow fewer (net.core.somaxconn). */
const BACKLOG = 4_096;
const LOOK_AGAIN_MS = 20;

export interface Serving {
  fastify: FastifyInstance;
  /** Of the port of files. */
  filesPort: number;
  sockets: WsServer;
  streams: EventStreams;
  channels: Channels;
  subscriptions: Subscriptions;
  metrics: Metrics;
  close(): Promise<void>;
}

/** As it stands in an address. */
export const hostOf = ({ HOST }: Pick<Config, 'HOST'>): string => (HOST.includes(':') ? `[${HOST}]` : HOST);

/** Wires the schema to its transports and listens; `marked` is the same schema with marks (see viewer-parts.ts). Throws a ConfigError when the persisted operations are not valid. */
export async function serve(container: Container, schema: GraphQLSchema, marked: GraphQLSchema, filesAt: number): Promise<Serving> {
  const { config, log, clock, db, bus, calls, files, hub, presence, recent, sessions, tokens, rates } = container;
  const heartbeatMs = config.HEARTBEAT * 1000;
  const errors = new ErrorMapper(log);
  const rules = [maxDepth(config.MAX_QUERY_DEPTH), ...(config.INTROSPECTION ? [] : [noIntrospection])];
  const engine = new Engine(schema, { marked, rules, maxTokens: MAX_TOKENS, suggest: config.INTROSPECTION });
  const documents = new Documents(config.PERSISTED_OPERATIONS ? await loadPersistedOperations(config.PERSISTED_OPERATIONS, engine) : {}, config.PERSISTED_ONLY);
  container.webhooks.queue.renderWith(new WebhookEvents(engine, db, clock, errors));
  const limits = new RequestLimits(schema, config, rates, container.apps.usage);
  container.apps.operations.checkWith({
    mistakesIn(query) {
      const prepared = engine.prepare({ query, operationName: null });
      return Array.isArray(prepared) ? (prepared as readonly Error[]).map(({ message }) => message) : [];
    },
    async charge(address, documents) {
      const thousands = Math.floor(documents.reduce((sum, query) => sum + (engine.knows({ query, operationName: null }) ? 0 : query.length), 0) / 1_000);
      if (thousands > 0) await limits.request(address, thousands);
    },
  });
  const onError = (error: unknown, stream: string) => log.error({ stream, error: (error as Error).message }, 'an event could not be delivered');
  const scope = (): LoaderScope => subscriptions.sharedScope();
  const isPassing = (error: unknown) => isUnavailable(error) || tookTooLong(error);
  const channels = new Channels(hub, { log: hub.log, recent, scope, receipts: container.receipts, clock, keepLinksMs: files.urls.keepMs, isPassing, onError });
  const presenceEvents = new PresenceSource(bus, new PresenceReader(db.sql, clock), onError, heartbeatMs);
  const productEvents = new ProductSource(hub, db.sql, onError, heartbeatMs);
  const botReply = new BotReplySource(bus, db.sql, onError, config.RECONCILE * 1000);
  const typingEvents = new TypingSource(bus, db.sql, clock, onError, config.RECONCILE * 1000);
  const documentUpdates = new DocumentSource({ bus, sql: db.sql, clock, logger: log, replicas: container.replicas, onError, askAgainMs: config.RECONCILE * 1000 });
  const callRooms = new CallRooms(bus);
  const callEvents = new CallSource(channels, db.sql, calls.links, callRooms, onError);
  const subscriptions: Subscriptions = new Subscriptions(
    { chatEvents: new ChatSource(channels, scope), inboxEvents: new InboxSource(channels, db.sql, onError), newsPublished: new NewsSource(channels, db.sql, onError), presenceEvents, typingEvents, botReply, documentUpdates, callEvents, cartEvents: new CartSource(channels, db.sql), productEvents },
    db,
    clock,
    errors,
  );
  const deliveries = new Deliveries();
  const metrics: Metrics = new Metrics(container, {
    sockets: () => sockets.connections,
    eventStreams: () => streams.connections,
    subscriptions: () => sockets.subscriptions + streams.connections,
    groups: () => subscriptions.groups,
    deliveries: () => deliveries,
    redisReady: () => rates.redisReady,
  });
  const observer = new OperationLog(log, metrics, config.SLOW_OPERATION);
  const operations = new Operations({ engine, documents, registered: container.apps.operations, subscriptions, limits, db, clock, errors, observer, spans: container.tracing });
  const authentication = new Authentication(tokens, sessions, container.apps.service, () => clock.now());
  const origins = new Origins(config.CORS_ORIGINS);
  const hasRoom = () => sockets.connections + streams.connections + voices.connections < config.MAX_SOCKETS;
  const places = new Places(config.MAX_SOCKETS_EACH);
  const probe: Probe = { phase: 'starting' };

  const fastify = await createHttp({ config, log, metrics, errors, origins, maxBodyBytes: MAX_BODY_BYTES, requestMs: REQUEST_MS, answerMs: (bytes) => REQUEST_MS + bytes * ANSWER_MS_A_BYTE });
  const streams: EventStreams = new EventStreams(operations, authentication, sessions, clock, presence, { maxBuffered: config.MAX_BUFFERED, heartbeatMs, deliveries, hasRoom, places });
  const voices = new VoiceServer({ authentication, sessions, voices: calls.voices, errors, now: () => clock.now(), heartbeatMs });
  const sockets: WsServer = new WsServer(fastify.server, operations, authentication, sessions, presence, {
    path: '/graphql',
    others: { '/voice': voices },
    hasRoom,
    places,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBuffered: config.MAX_BUFFERED,
    maxSubscriptions: config.MAX_SUBSCRIPTIONS,
    initTimeoutMs: INIT_TIMEOUT_MS,
    heartbeatMs,
    deliveries,
    allowOrigin: (origin, host) => origins.allowsSocket(origin, host),
    addressOf: (request) => addressOf(request, config.TRUST_PROXY),
    limits,
  });
  const graphiql = config.GRAPHIQL ? new GraphiQL(fastify) : null;
  const route = await addGraphql(fastify, { log, operations, authentication, streams, graphiql, probe, tracing: container.tracing, maxTokens: MAX_TOKENS, costWindow: COST_WINDOW, costPoints: config.RATE_LIMIT_COST });
  if (config.DASHBOARD) servePage(fastify, '/admin', DASHBOARD);
  if (!config.PUBLIC_URL) servePage(fastify, '/authorize', CONSENT);
  await addOAuth(fastify, { oauth: container.apps.oauth, errors, publicUrl: config.PUBLIC_URL ?? null, apiUrl: config.API_URL ?? null, limit: (address) => limits.request(address) });
  if (config.SECURITY_CONTACT) addSecurityTxt(fastify, config.SECURITY_CONTACT, clock);
  addProbes(fastify, container, schema, metrics, probe);
  await addPaymentHooks(fastify, container.paymentHooks);
  const reconcile = setInterval(() => {
    sessions.reconcile([sockets, streams, voices].flatMap((server) => server.connected())).catch((error: Error) => log.warn({ error: error.message }, 'could not compare sessions with the database'));
  }, config.RECONCILE * 1000);
  reconcile.unref();
  // Of several processes the system gives each its share of connections: docs/adr/0008 says why.
  const listening: FastifyListenOptions & { reusePort: boolean } = { host: config.HOST, port: config.PORT, backlog: BACKLOG, reusePort: container.box !== null };
  await fastify.listen(listening);
  const filesServer = new FilesServer({ ...files, clock, errors, log, trustProxy: config.TRUST_PROXY, limits: { most: config.FILE_TRANSFERS, each: config.FILE_TRANSFERS_EACH } });
  const filesPort = await filesServer.listen({ ...listening, port: filesAt });
  const everywhere = config.HOST === '0.0.0.0' || config.HOST === '::';
  if (everywhere && config.FILES_URL === undefined) log.warn('links to files work on this machine alone: set FILES_URL to how clients reach FILES_PORT');
  files.urls.servedAt(`http://${everywhere ? '127.0.0.1' : hostOf(config)}:${filesPort}`);
  probe.phase = 'ready';

  /** Waits for the requests under way, DRAIN seconds at the most. */
  const drained = async () => {
    const deadline = Date.now() + config.DRAIN * 1000;
    while ((route.pending > 0 || filesServer.pending > 0 || sockets.connections > 0) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    if (route.pending) log.warn({ left: route.pending }, 'requests were still under way at the end of DRAIN');
  };
  return {
    fastify, filesPort, sockets, streams, channels, subscriptions, metrics,
    async close() {
      probe.phase = 'draining';
      clearInterval(reconcile);
      await calls.handOver().catch((error: Error) => log.warn({ error: error.message }, 'calls could not be handed over'));
      sockets.drain();
      voices.drain();
      streams.drain();
      await drained();
      sockets.close();
      voices.close();
      streams.close();
      await route.stop();
      await filesServer.close();
      const closing = fastify.close();
      fastify.server.closeAllConnections();
      await closing;
      channels.close();
      presenceEvents.close();
      productEvents.close();
      typingEvents.close();
      botReply.close();
      documentUpdates.close();
      callRooms.close();
      metrics.close();
    },
  };
}
