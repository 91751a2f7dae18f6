import type { DataSource } from 'typeorm';
import { redisOf, type Config } from './config.js';
import { makeAccounts } from './container-accounts.js';
import { makeBots, makeModel } from './container-bots.js';
import { makeMessages } from './container-messages.js';
import { makeCommerce, makeProductLinks } from './container-commerce.js';
import { LowStock } from './services/commerce/low-stock.js';
import type { PaymentHooks } from './services/commerce/payment-hooks.js';
import { makeDocuments } from './container-documents.js';
import { makeEncryption } from './container-encryption.js';
import { makeFiles, makeStore, type Files } from './container-files.js';
import { makePeople } from './container-people.js';
import { makePrivacy } from './container-privacy.js';
import { makeCalls, makeMedia, type Calls } from './container-calls.js';
import { makeChats } from './container-chats.js';
import { makeStatuses } from './container-statuses.js';
import { makeLearning } from './container-learning.js';
import { makeNews } from './container-news.js';
import { makeNotifications } from './container-notifications.js';
import { makeModeration } from './container-moderation.js';
import { makeOperators } from './container-operators.js';
import { makeApps, type Apps } from './container-apps.js';
import { makeWebhooks, type Webhooks } from './container-webhooks.js';
import { makeTimely } from './container-timely.js';
import { Database } from './db/database.js';
import { ReadReplicas } from './db/replicas.js';
import { UnitOfWork, type AfterCommit } from './db/unit-of-work.js';
import { LocalBus, type Bus } from './events/bus.js';
import { PostgresDetour } from './events/detour.js';
import { Hub } from './events/hub.js';
import { LogConsumers } from './events/log-consumers.js';
import { EventLog } from './events/log.js';
import { RedisBus } from './events/redis-bus.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { LogMailer, LogSmsSender } from './messaging/log.js';
import type { Media } from './media/contract.js';
import type { Mailer, SmsSender } from './messaging/messaging.js';
import type { Reader } from './news/reader.js';
import type { Summarizer } from './news/summarizer.js';
import { SmtpMailer } from './messaging/smtp.js';
import type { Gateways } from './payments/contract.js';
import { Outbound } from './outbound/outbound.js';
import { ChatMemberResolver, ChatResolver } from './resolvers/chat.js';
import { EVENT_RESOLVERS } from './resolvers/events.js';
import { NodeResolver } from './resolvers/node.js';
import { SubscriptionResolver } from './resolvers/subscriptions.js';
import { UserResolver, ViewerResolver } from './resolvers/user.js';
import { noMedia } from './services/calls/no-media.js';
import { ChatAccessReader } from './services/chat-access.js';
import { ChatService } from './services/chats.js';
import type { Trainings } from './services/learning/trainings.js';
import { ModerationGate } from './services/moderation/gate.js';
import type { PresenceService } from './services/presence.js';
import { RecentMessages } from './services/recent-messages.js';
import type { ReceiptService } from './services/receipts.js';
import type { Replicas } from './services/documents/replicas.js';
import { SendQueue } from './services/send-queue.js';
import { SessionGate } from './services/session-gate.js';
import { Tracing } from './server/tracing.js';
import { ATTEMPTS_WINDOW, Rates } from './server/limits/rates.js';
import type { Box } from './server/metrics.js';
import { Passwords } from './services/passwords.js';
import { loadServerKey } from './services/refresh-tokens.js';
import { AccessTokens } from './services/tokens.js';
import type { ObjectStore } from './storage/store.js';

export interface Container {
  config: Config;
  log: Logger;
  clock: Clock;
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  hub: Hub;
  recent: RecentMessages;
  sendQueue: SendQueue;
  tokens: AccessTokens;
  sessions: SessionGate;
  presence: PresenceService;
  rates: Rates;
  /** Null where the settings name nobody who takes traces. */
  tracing: Tracing | null;
  /** Null where one process serves alone. */
  box: Box | null;
  receipts: ReceiptService;
  replicas: Replicas;
  /** Learns, in threads of its own; nothing of it runs until it is asked. */
  trainings: Trainings;
  calls: Calls;
  /** The one way to addresses that others have chosen. */
  outbound: Outbound;
  files: Files;
  paymentHooks: PaymentHooks;
  webhooks: Webhooks;
  apps: Apps;
  /** Of this process. */
  media: Media;
  /** What follows from events. Started where jobs run. */
  consumers: LogConsumers;
  /** What background jobs call. */
  jobs: JobDeps;
  /** Resolver instances by class, as type-graphql asks for them. */
  resolvers: Map<unknown, object>;
  /** In the reverse order of making. */
  close(): Promise<void>;
}

/** Adapters to the outside world, for whoever has their own (a gateway for text messages), and for tests. */
export interface Outside {
  bus?: Bus;
  mailer?: Mailer;
  sms?: SmsSender;
  /** Hashes them at another cost. */
  passwords?: Passwords;
  /** The other processes on this port. */
  box?: Box;
  media?: Media;
  store?: ObjectStore;
  /** Makes articles short; default: by their own sentences. */
  summarizer?: Summarizer;
  /** Reads what others publish, for several in one process; whoever gives it ends it. */
  reader?: Reader;
  /** Gateways for payments, by the names of their providers. */
  gateways?: Gateways;
}

/** The composition root: who gets whom. Reads the settings that the database keeps (the token secret). */
export async function createContainer(config: Config & { DATABASE_URL: string }, source: DataSource, log: Logger, clock: Clock, outside: Outside = {}): Promise<Container> {
  const db = new Database(source);
  const tracing = await Tracing.start(config);
  db.spans = tracing;
  if (config.DATABASE_REPLICAS.length) db.replicas = new ReadReplicas(db.background, { urls: config.DATABASE_REPLICAS, pool: config.DATABASE_POOL, waitMs: config.REPLICA_WAIT }, log);
  const onBusError = (error: unknown, topic: string) => log.error({ topic, error: (error as Error).message }, 'a subscriber of the bus failed');
  const redis = redisOf(config);
  const detour = redis && !outside.bus ? new PostgresDetour(config.DATABASE_URL, db.background, log) : null;
  const bus: Bus = outside.bus ?? (redis ? new RedisBus(redis, log, detour) : new LocalBus(onBusError));
  await detour?.start();
  const hub = new Hub(bus, new EventLog(db.sql), log, { reconcileMs: config.RECONCILE * 1000 });
  await hub.onChanged((name, keys) => db.cache.forget(name, keys));
  const after: AfterCommit = hub;
  const unitOfWork = new UnitOfWork(db, clock, after);
  const sessions = new SessionGate(db.sql, bus, clock);
  await sessions.start();
  const tokens = new AccessTokens(config.JWT_SECRET ?? (await loadServerKey(db.sql, 'access-token')), config.ACCESS_TOKEN_TTL, clock);

  const recent = new RecentMessages();
  const access = new ChatAccessReader(db.sql);
  const gate = new ModerationGate(db.sql, unitOfWork, clock);
  const sendQueue = new SendQueue(db.sql, clock, access, recent, after, gate);

  const rates = new Rates(redis, log);
  const attempts = rates.limiter('attempts', { points: config.RATE_LIMIT_AUTH, seconds: ATTEMPTS_WINDOW });
  const mailer = outside.mailer ?? (config.SMTP_URL ? new SmtpMailer(config.SMTP_URL, config.MAIL_FROM) : new LogMailer(log));
  const sms = outside.sms ?? new LogSmsSender(log);
  const outboundOptions = { ports: config.OUTBOUND_PORTS, privateHosts: config.OUTBOUND_PRIVATE_HOSTS, userAgent: `OmniTalk${config.PUBLIC_URL ? ` (+${config.PUBLIC_URL})` : ''}` };
  const outbound = new Outbound(outboundOptions);
  const passwords = outside.passwords ?? new Passwords();
  const accounts = await makeAccounts({ config, db, unitOfWork, clock, gate: sessions, tokens, attempts, mailer, sms, passwords });
  const people = makePeople({ config, log, db, unitOfWork, bus, clock, access });
  await people.presence.start();
  const chats = new ChatService(db.sql, unitOfWork);
  const { groups, resolvers: chatResolvers } = await makeChats({ db, unitOfWork });
  const messages = makeMessages({ db, unitOfWork, clock, access, sendQueue, chats, gate });

  const encryption = makeEncryption({ db, unitOfWork, clock, sendQueue });
  const timely = makeTimely({ config, db, unitOfWork, clock, log, hub, messages: messages.messages });

  const statuses = makeStatuses({ db, unitOfWork });
  const store = outside.store ?? makeStore(config);
  const files = await makeFiles({ config, db, unitOfWork, clock, log, store });
  const model = makeModel(config, clock);
  const productLinks = makeProductLinks(config);
  const news = await makeNews({ config, db, unitOfWork, clock, log, outbound, files: files.urls, products: productLinks, messages: messages.messages, summarizer: outside.summarizer, reader: outside.reader, model });
  const commerce = makeCommerce({ db, store, files: files.urls, productLinks, unitOfWork, messages: messages.messages, gate, clock, log, config, gateways: outside.gateways ?? {} });
  const learning = makeLearning({ config, db, unitOfWork, clock, log });
  const documents = makeDocuments({ db, unitOfWork, bus, clock, rates });
  const ownMedia = outside.media || !config.CALLS ? null : makeMedia(config, store, log);
  await ownMedia?.start();
  const media = outside.media ?? ownMedia ?? noMedia('No process carries calls: the operator starts one with CALLS=true.');
  const calls = await makeCalls({ config, db, unitOfWork, bus, clock, log, tokens, media, store });

  const notifications = await makeNotifications({ config, db, unitOfWork, clock, log, fetch: (url, request) => outbound.fetch(url, request) });
  const webhooks = makeWebhooks({ config, db, unitOfWork, clock, log, outbound: outboundOptions, pushes: notifications.pushes });
  const apps = makeApps({ config, log, db, unitOfWork, clock, tokens, sessions: accounts.sessions });

  const bots = await makeBots({ config, db, unitOfWork, bus, clock, log, tokens, gate: sessions, sessions: accounts.sessions, store, outbound, reader: news.reader, messages: messages.messages, rules: gate, orders: commerce.orders, model });

  const operators = makeOperators({ db, unitOfWork, clock, sessions: accounts.sessions });
  const privacy = makePrivacy({ config, db, unitOfWork, clock, log, store, sessions: accounts.sessions, attempts, passwords, fileRemoval: files.jobs.fileRemoval, pushes: notifications.pushes });
  const moderation = makeModeration({ config, db, unitOfWork, clock, log, sessions: accounts.sessions, model });

  const instances: object[] = [
    ...accounts.resolvers,
    ...apps.resolvers,
    ...people.resolvers,
    new NodeResolver({ chats, messages: messages.messages, groups, scheduled: timely.scheduled, documents: documents.documents, calls: calls.service, statuses: statuses.feed, notifications: notifications.service, commerce }),
    new UserResolver(),
    new ViewerResolver(hub.log),
    new ChatResolver(chats, messages.messages),
    new ChatMemberResolver(),
    ...chatResolvers,
    ...messages.resolvers,
    ...encryption.resolvers,
    ...timely.resolvers,
    ...documents.resolvers,
    ...statuses.resolvers,
    ...files.resolvers,
    ...commerce.resolvers,
    ...calls.resolvers,
    ...news.resolvers,
    ...learning.resolvers,
    ...notifications.resolvers,
    ...webhooks.resolvers,
    ...bots.resolvers,
    ...privacy.resolvers,
    ...operators.resolvers,
    ...moderation.resolvers,
    new SubscriptionResolver(),
    ...EVENT_RESOLVERS.map((resolver) => new resolver()),
  ];

  return {
    config, log, clock, db, unitOfWork, bus, hub, recent, sendQueue, tokens, sessions, rates, tracing,
    box: outside.box ?? null,
    presence: people.presence,
    calls,
    outbound,
    trainings: learning.trainings,
    files,
    webhooks,
    apps,
    media,
    receipts: timely.receipts,
    paymentHooks: commerce.paymentHooks,
    replicas: documents.replicas,
    jobs: { ...accounts.jobs, ...encryption.jobs, ...timely.jobs, ...calls.jobs, ...files.jobs, ...news.jobs, ...learning.jobs, documents: documents.documents, ...statuses.jobs, ...notifications.jobs, ...webhooks.jobs, ...bots.jobs, ...moderation.jobs, ...commerce.jobs, ...privacy.jobs, ...operators.jobs, oauth: apps.oauth, partnerUsers: apps.users },
    consumers: new LogConsumers([...(config.NOTIFICATIONS ? [...notifications.consumers, new LowStock(unitOfWork, notifications.pushes)] : []), ...webhooks.consumers, ...moderation.consumers, ...(config.BOTS ? bots.consumers : [])], db.background, hub, log),
    resolvers: new Map(instances.map((instance) => [instance.constructor, instance])),
    async close() {
      await apps.usage.close();
      await webhooks.close();
      await notifications.pushes.close();
      await bots.close();
      await sendQueue.close();
      await calls.close();
      await ownMedia?.close();
      await calls.closeRecordings();
      store.close();
      await people.presence.close();
      hub.close();
      rates.close();
      await mailer.close();
      await outbound.close();
      await news.close();
      await learning.close();
      await bus.close();
      await db.end();
      await db.replicas?.close();
      await tracing?.close();
    },
  };
}
