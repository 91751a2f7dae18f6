import type { Config } from './config.js';
import type { Database, Sql } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Bus } from './events/bus.js';
import type { LogConsumer } from './events/log-consumers.js';
import type { JobDeps } from './jobs/index.js';
import { AnthropicModel } from './language/anthropic.js';
import { GUARD, GuardedModel } from './language/guarded.js';
import { OpenAiModel } from './language/openai.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import type { Reader } from './news/reader.js';
import type { Outbound } from './outbound/outbound.js';
import { BotActionsResolver, BotCallbackResolver, CardFormResolver, InteractiveCardResolver } from './resolvers/bot-actions.js';
import { BotOwnerResolver, ChatBotCommandResolver, ChatBotCommandsResolver } from './resolvers/bot-owner.js';
import { BotScheduleResolver, BotSchedulesResolver } from './resolvers/bot-schedules.js';
import { BotKnowledgeResolver, BotMemoryResolver, BotReplyEventResolver, BotResolver, BotVerbsResolver, ViewerBotsResolver } from './resolvers/bots.js';
import {
  BotInstallResolver, BotInstallsResolver, BotListingOfBotResolver, BotListingResolver, BotMarketplaceResolver, BotPublishingResolver, BotRatingResolver, BotVersionResolver, ViewerMarketplaceResolver,
} from './resolvers/marketplace.js';
import { ReadingHelpResolver, SentimentResolver } from './resolvers/reading-help.js';
import { BotHandOverResolver, SupportCaseResolver, SupportVerbsResolver, ViewerSupportResolver } from './resolvers/support.js';
import { BotTutorResolver, ExerciseResolver, TutorProgressResolver, TutorVerbsResolver, ViewerTutorsResolver } from './resolvers/tutors.js';
import { AssistantService } from './services/bots/assistant.js';
import { BotDesk } from './services/bots/bot-desk.js';
import { BotPurse } from './services/bots/bot-purse.js';
import { BotWriter } from './services/bots/bot-writer.js';
import { BotService } from './services/bots/bots.js';
import { HandOver } from './services/bots/hand-over.js';
import { BotInstalls } from './services/bots/installs.js';
import { BotCallbackService } from './services/bots/callbacks.js';
import { BotCardService } from './services/bots/cards.js';
import { BotCommandService } from './services/bots/commands.js';
import { BotKnowledgeService } from './services/bots/knowledge.js';
import { BotMarketplace } from './services/bots/marketplace.js';
import { Moods } from './services/bots/moods.js';
import { BotPublishing } from './services/bots/publishing.js';
import { ReadingHelp } from './services/bots/reading-help.js';
import { ReadingRoom } from './services/bots/reading-room.js';
import { SupportCases } from './services/bots/support-cases.js';
import { BotRetirement } from './services/bots/retirement.js';
import { BotScheduleService } from './services/bots/schedules.js';
import { BotTools } from './services/bots/tools.js';
import { TutorModel } from './services/bots/tutor-model.js';
import { TutorService } from './services/bots/tutors.js';
import type { OrderService } from './services/commerce/orders.js';
import { ProductSearch } from './services/commerce/product-search.js';
import { MessageSearch } from './services/message-search.js';
import type { MessageService } from './services/messages.js';
import type { ModerationGate } from './services/moderation/gate.js';
import { NewsArticleService } from './services/news/articles.js';
import { Quota } from './services/quota.js';
import type { SessionGate } from './services/session-gate.js';
import type { SessionService } from './services/sessions.js';
import type { AccessTokens } from './services/tokens.js';
import type { ObjectStore } from './storage/store.js';

/** How often a model helps one person in an hour. */
const HELP_AN_HOUR = 120;
/** How often one person asks for another than a bot in an hour, by the mutation. */
const HAND_OVERS_AN_HOUR = 20;

export interface BotDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  clock: Clock;
  log: Logger;
  tokens: AccessTokens;
  gate: SessionGate;
  sessions: SessionService;
  store: ObjectStore;
  outbound: Outbound;
  reader: Reader;
  messages: MessageService;
  rules: ModerationGate;
  orders: OrderService;
  model: GuardedModel | null;
}

export interface Bots {
  jobs: Pick<JobDeps, 'bots' | 'botCallbacks' | 'botSchedules'>;
  consumers: LogConsumer[];
  resolvers: object[];
  close(): Promise<void>;
}

/** The model that the settings name; null: there is none. */
export function makeModel(config: Config, clock: Clock): GuardedModel | null {
  const { LANGUAGE_PROVIDER: provider, LANGUAGE_URL: url, LANGUAGE_KEY: apiKey, LANGUAGE_MODEL: model, LANGUAGE_EMBEDDING_MODEL: embeddingModel } = config;
  if (provider === 'none') return null;
  const baseUrl = url ?? null;
  const made =
    provider === 'openai' ? new OpenAiModel({ baseUrl, apiKey: apiKey ?? null, model: model!, embeddingModel: embeddingModel ?? null }) : new AnthropicModel({ baseUrl, apiKey: apiKey!, model: model! });
  return new GuardedModel(made, clock, { ...GUARD, silenceMs: config.LANGUAGE_TIMEOUT * 1000, price: { input: config.LANGUAGE_PRICE_INPUT, output: config.LANGUAGE_PRICE_OUTPUT } });
}

/** What is published of bots, found, installed and rated. */
function makeMarketplace(sql: Sql, unitOfWork: UnitOfWork): object[] {
  const [publishing, installs, market] = [new BotPublishing(sql, unitOfWork), new BotInstalls(sql, unitOfWork), new BotMarketplace(sql)];
  return [
    new BotPublishingResolver(publishing), new BotInstallsResolver(installs), new BotMarketplaceResolver(market), new ViewerMarketplaceResolver(market, installs, publishing), new BotListingOfBotResolver(), new BotListingResolver(),
    new BotVersionResolver(), new BotRatingResolver(), new BotInstallResolver(),
  ];
}

/** The part of the container that is about bots: who they are, what they have read, and their answers. */
export async function makeBots({ config, db, unitOfWork, bus, clock, log, tokens, gate, sessions, store, outbound, reader, messages, rules, orders, model }: BotDeps): Promise<Bots> {
  const bots = new BotService(db.sql, unitOfWork, tokens, gate);
  const knowledge = new BotKnowledgeService(db.sql, unitOfWork, (key) => store.read(key), outbound, reader);
  const commands = new BotCommandService(unitOfWork);
  const cards = new BotCardService(db.sql, unitOfWork, messages, rules);
  const callbacks = new BotCallbackService(db.sql, unitOfWork, clock);
  const tools = new BotTools(db, { messages: new MessageSearch(db.sql), products: new ProductSearch(db.sql), news: new NewsArticleService(db.sql), orders });
  const purse = new BotPurse(db.sql, config.BOT_COST_A_DAY * 1e6);
  const writer = new BotWriter(db.sql, new ReadingRoom(db.sql, model, log), tools, model, purse, log);
  const tutors = new TutorService(db.sql, unitOfWork, new TutorModel(model, purse, log));
  const schedules = new BotScheduleService(db, unitOfWork, messages, writer, clock, log);
  const help = new ReadingHelp(db.sql, model, new Quota(db.sql, clock, { name: 'language-help', points: HELP_AN_HOUR, seconds: 3_600 }));
  const assistant = config.ASSISTANT ? new AssistantService(db.sql, unitOfWork, messages) : null;
  await assistant?.ensure();
  const handOver = new HandOver(db.sql, unitOfWork, new Quota(db.sql, clock, { name: 'support-cases', points: HAND_OVERS_AN_HOUR, seconds: 3_600 }));
  const cases = new SupportCases(db.sql, unitOfWork);
  const desk = new BotDesk(db, unitOfWork, bus, messages, writer, handOver, assistant, clock, log);
  return {
    jobs: { bots: desk, botCallbacks: callbacks, botSchedules: schedules },
    consumers: [desk],
    resolvers: [
      ...makeMarketplace(db.sql, unitOfWork), new BotTutorResolver(), new TutorVerbsResolver(tutors), new ViewerTutorsResolver(tutors), new ExerciseResolver(), new TutorProgressResolver(),
      new BotHandOverResolver(), new SupportVerbsResolver(handOver, cases), new ViewerSupportResolver(cases), new SupportCaseResolver(),
      new BotResolver(bots), new BotVerbsResolver(bots, knowledge), new ViewerBotsResolver(bots), new BotKnowledgeResolver(), new BotMemoryResolver(), new BotReplyEventResolver(), new ReadingHelpResolver(help), new SentimentResolver(new Moods(db.sql)),
      new BotActionsResolver(cards, callbacks), new InteractiveCardResolver(), new CardFormResolver(), new BotCallbackResolver(),
      new BotOwnerResolver(commands, new BotRetirement(unitOfWork, sessions), purse), new ChatBotCommandsResolver(commands), new ChatBotCommandResolver(), new BotSchedulesResolver(schedules), new BotScheduleResolver(),
    ],
    close: () => desk.close(),
  };
}
