import { parse, print } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Database } from '../db/database.js';
import { LoaderScope } from '../db/loaders.js';
import type { Clock } from '../lib/clock.js';
import { NIL_UUID } from '../lib/ids.js';
import { RequestContext } from '../resolvers/context.js';
import { hydrate } from '../services/chat-events.js';
import type { WebhookRenderer } from '../services/webhooks/webhook-queue.js';
import type { Engine, Prepared } from './engine.js';
import type { ErrorMapper } from './errors.js';
import { keptTo } from './limits/scopes.js';

/** An event is shown to its owner as to all of their devices: by no session. */
const NO_SESSION = NIL_UUID;
/** Sets of scopes whose documents are kept. */
const KEPT = 200;

/** What of each event is sent. Fields are added and never taken away. */
const DOCUMENT = `
fragment Person on User { id handle displayName kind }
fragment Sum on Money { amount currency }
fragment Attached on File { id name kind contentType bytes url }
fragment Written on Message {
  id seq version kind text createdAt editedAt deletedAt
  sender { ...Person }
  mentions { ...Person }
  replyTo { id state }
  threadRoot { id }
  reactions { emoji count }
  attachments { file { ...Attached } }
  system { action value subjects { ...Person } }
  card { __typename }
}
fragment Called on Call { id kind state chatId startedAt answeredAt endedAt endReason startedBy { ...Person } }
fragment Talked on Chat { id kind title memberCount }
fragment Ordered on Order {
  id number state version currency createdAt
  shop { id name }
  buyer { ...Person }
  lines { id variantId productId sku title options quantity fulfilled unitPrice { ...Sum } total { ...Sum } }
  totals { subtotal { ...Sum } discount { ...Sum } shipping { ...Sum } tax { ...Sum } total { ...Sum } gift { ...Sum } }
  refunded { ...Sum }
  payment { id provider state amount { ...Sum } }
}
fragment Pressed on BotCallback { id button payload createdAt expiresAt user { ...Person } values { key text number choices date } }
subscription WebhookEvent {
  inboxEvents {
    __typename
    ... on StreamEvent { streamId cursor at }
    ... on MessageSent { chatId messageId message { ...Written } }
    ... on MessageUpdated { chatId messageId message { ...Written } }
    ... on MessageDeleted { chatId messageId message { ...Written } }
    ... on ReactionsChanged { chatId messageId reactions { emoji count } }
    ... on PinnedMessagesChanged { chatId messageId pinned }
    ... on MemberJoined { chatId userId memberCount user { ...Person } member { role } }
    ... on MemberLeft { chatId userId memberCount user { ...Person } }
    ... on MemberUpdated { chatId userId member { role } }
    ... on ChatUpdated { chatId chat { ...Talked } }
    ... on CallStarted { chatId callId call { ...Called } }
    ... on CallEnded { chatId callId call { ...Called } }
    ... on ChatAdded { chatId chatCursor }
    ... on ChatRemoved { chatId }
    ... on ContactChanged { userId contact { name mutual createdAt user { ...Person } } }
    ... on GroupChanged { groupId group { id name description visibility joinPolicy memberCount } }
    ... on ScheduledMessageChanged { scheduledMessageId scheduledMessage { id chatId state sendAt text failure } }
    ... on FileChanged { fileId file { ...Attached state failure } }
    ... on StatusPosted { statusId userId status { id kind text createdAt expiresAt author { ...Person } file { ...Attached } } }
    ... on StatusDeleted { statusId userId expired }
    ... on IncomingCall { callId call { ...Called } }
    ... on CallRingEnded { callId endReason }
    ... on OrderChanged { orderId order { ...Ordered } }
    ... on ButtonPressed { callbackId chatId messageId callback { ...Pressed } }
    ... on FormSubmitted { callbackId chatId messageId callback { ...Pressed } }
    ... on BotChanged { botId bot { id user { ...Person } } settings { instructions model temperature repliesAnHour costADay } }
    ... on SupportCaseChanged { supportCaseId supportCase { id state reason chatId createdAt assignedAt closedAt bot { id user { ...Person } } asker { ...Person } agent { ...Person } } }
    ... on ModerationCaseChanged { caseId case { id kind state reasons chatId createdAt decidedAt } }
    ... on GroupBuyChanged { chatId groupBuyId groupBuy { id state deadline quantity } }
    ... on CallbackAnswered { callbackId chatId messageId notice alert }
    ... on NotificationAdded { notificationId notification { id kind count createdAt read actor { ...Person } } }
  }
}`;

/** Executes the API itself for the owner of an endpoint, so that nothing is told which they could not read, and policies stand in one place. */
export class WebhookEvents implements WebhookRenderer {
  readonly #all: Prepared;
  /** By the scopes of an app. */
  readonly #kept = new LRUCache<string, Prepared>({ max: KEPT });

  constructor(
    private readonly engine: Engine,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly errors: ErrorMapper,
  ) {
    this.#all = this.#prepare(DOCUMENT);
  }

  #prepare(query: string): Prepared {
    const prepared = this.engine.prepare({ query, operationName: 'WebhookEvent' });
    if (Array.isArray(prepared)) throw new Error(`The document of webhooks does not fit the schema: ${(prepared as readonly Error[]).map((error) => error.message).join(' ')}`);
    return prepared as Prepared;
  }

  /** Of the document, what these scopes open. */
  #within(scopes: readonly string[]): Prepared {
    const key = [...new Set(scopes)].filter((scope) => scope.endsWith(':read')).sort().join(' ');
    let prepared = this.#kept.get(key);
    if (!prepared) this.#kept.set(key, (prepared = this.#prepare(print(keptTo(this.engine.schema, parse(DOCUMENT), scopes)))));
    return prepared;
  }

  async render(ownerId: string, { stream, epoch, ...event }: Parameters<WebhookRenderer['render']>[1], may: readonly string[] | null): ReturnType<WebhookRenderer['render']> {
    const now = this.clock.now();
    const context = new RequestContext(this.db, now, { id: 'webhook', address: '' }, { userId: ownerId, sessionId: NO_SESSION, role: 'USER' });
    const scope = new LoaderScope({ sql: this.db.sql, now, viewerId: ownerId }, this.db.cache);
    const delivered = await hydrate(stream, epoch, { pos: event.pos, at: event.at.getTime(), ref: event.ref }, (def, key) => scope.load(def, key));
    const { data, errors } = await (may ? this.#within(may) : this.#all).execute({ inboxEvents: delivered }, context, {});
    const shown = data?.['inboxEvents'];
    const codes = errors?.map((error) => this.errors.map(error).extensions?.['code']);
    if (codes?.some((code) => code === 'UNAVAILABLE' || code === 'INTERNAL' || code === 'OVERLOADED')) throw new Error(`An event could not be shown: ${codes.join()}`);
    if (!shown) return null;
    return { stream: delivered.streamId, cursor: delivered.cursor, data: shown };
  }
}
