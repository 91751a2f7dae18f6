import { print, type DocumentNode } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createApi, type Api } from './api.js';
import { Connection } from './connection.js';
import { streamOf } from './cursors.js';
import { failure, OmniTalkError, type ApiError } from './errors.js';
import {
  BotReplyDocument,
  CallEventsDocument,
  CartEventsDocument,
  ChatEventsDocument,
  DocumentEventsDocument,
  InboxEventsDocument,
  NewsEventsDocument,
  PresenceEventsDocument,
  ProductEventsDocument,
  RefreshSessionDocument,
  TypingEventsDocument,
  type BotReplySubscription,
  type CallEventsSubscription,
  type CartEventsSubscription,
  type ChatEventsSubscription,
  type DocumentEventsSubscription,
  type InboxEventsSubscription,
  type NewsEventsSubscription,
  type PresenceEventsSubscription,
  type ProductEventsSubscription,
  type TypingEventsSubscription,
} from './generated/graphql.js';
import { InboxCursors } from './inbox-cursors.js';
import { EventStream } from './stream.js';
import { Tokens, type TokenSource } from './tokens.js';
import { upload, type UploadedFile, type UploadOptions } from './upload.js';

export interface SessionTokens {
  accessToken: string;
  refreshToken: string;
}

export interface OmniTalkOptions extends TokenSource {
  /** Where the API is: http://127.0.0.1:4000/graphql, or what tells it: asked before each request and each connection. */
  url: string | (() => string);
  /** A session's refresh token: an access token that has expired is then renewed by itself. */
  refreshToken?: string;
  /** Hears of the tokens that renewing has brought, to keep them: the old refresh token is spent. */
  onTokens?: (tokens: SessionTokens) => void;
  /** Events that may wait for a reader, for each stream; 1,000 unless told. */
  streamLimit?: number;
  /** Milliseconds that a request waits for its answer, until it fails with NETWORK; 60,000 unless told. Subscriptions have a watch of their own. */
  requestTimeout?: number;
}

export type BotReplyEvent = BotReplySubscription['botReply'];
export type CallEvent = CallEventsSubscription['callEvents'];
export type CartEvent = CartEventsSubscription['cartEvents'];
export type ChatEvent = ChatEventsSubscription['chatEvents'];
export type InboxEvent = InboxEventsSubscription['inboxEvents'];
export type NewsEvent = NewsEventsSubscription['newsPublished'];
export type DocumentEvent = DocumentEventsSubscription['documentUpdates'];
export type PresenceEvent = PresenceEventsSubscription['presenceEvents'];
export type ProductEvent = ProductEventsSubscription['productEvents'];
export type TypingEvent = TypingEventsSubscription['typingEvents'];

/** Where a document's events go on: asked at every connection anew. */
export interface DocumentPlace {
  /** Of a whiteboard: the Yjs state vector, in base64. */
  stateVector?: () => string;
  /** Of co-browsing: the last entry seen. */
  after?: () => number | null;
  /** This tab, whose pointer goes with the subscription. */
  clientId?: string;
}

type Variables = Record<string, unknown>;

/** Codes of a failure that passes: the server has ended this subscription alone, and it goes on after a moment as after a lost connection. */
const PASSING: ReadonlySet<string> = new Set(['UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED']);

/** Longer than the slowest operation takes: a network that swallows packets would else be waited for as long as the platform likes. */
const REQUEST_TIMEOUT_MS = 60_000;

/** A client of the API: a typed method for each operation under `api`, and subscriptions that resume without loss. */
export class OmniTalk {
  readonly api: Api;
  readonly #options: OmniTalkOptions;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  /** Those that have not ended. */
  readonly #streams = new Set<{ close(): void }>();
  #closed = false;
  #refreshToken: string | null;

  constructor(options: OmniTalkOptions) {
    this.#options = options;
    this.#refreshToken = options.refreshToken ?? null;
    const refresh = options.refresh ?? (options.refreshToken ? () => this.#renew() : undefined);
    this.#tokens = new Tokens({ ...(options.accessToken === undefined ? {} : { accessToken: options.accessToken }), ...(refresh ? { refresh } : {}) });
    this.#connection = new Connection(() => this.#url(), this.#tokens);
    this.api = createApi((document, variables) => this.request(document as unknown as TypedDocumentNode<unknown, Variables>, variables as Variables));
  }

  /** Runs one operation over HTTP. Throws OmniTalkError when the answer has errors, or none comes. */
  async request<Data, Vars extends Variables>(document: TypedDocumentNode<Data, Vars> | string, variables?: Vars): Promise<Data> {
    const token = await this.#tokens.current();
    try {
      return await this.#send(document, variables, token);
    } catch (error) {
      if (!(error instanceof OmniTalkError) || error.code !== 'TOKEN_EXPIRED') throw error;
      const fresh = await this.#tokens.insteadOf(token);
      if (fresh === null) throw error;
      return this.#send(document, variables, fresh);
    }
  }

  /**
   * A subscription as the server serves it: after a lost connection it begins anew, without resuming. A reader that falls
   * too far behind ends it with TOO_SLOW.
   */
  subscribe<Data, Vars extends Variables>(document: TypedDocumentNode<Data, Vars> | string, variables?: Vars): EventStream<Data> {
    return this.#open(document, { ...variables }, (data) => data as Data, false);
  }

  /**
   * A chat's events. Resumes behind the last event that has arrived, whatever happens to the connection; while the reader
   * is far behind, the server is not listened to, and what was missed is fetched afterwards.
   */
  chatEvents(chatId: string, after?: string | null): EventStream<ChatEvent> {
    const variables: Variables = { chatId, after: after ?? null };
    const take = (data: unknown): ChatEvent => {
      const event = (data as ChatEventsSubscription).chatEvents;
      // Behind a stream that can't be continued there is nothing to resume from: a reconnect is told so again.
      if (event.__typename !== 'ResyncRequired') variables['after'] = event.cursor;
      return event;
    };
    return this.#open(ChatEventsDocument, variables, take, true);
  }

  /** The events of all of one's chats and of one's own stream. Resumes each stream behind its last event. */
  inboxEvents(after: readonly string[] = []): EventStream<InboxEvent> {
    const cursors = new InboxCursors(after);
    const variables: Variables = { after: [...after] };
    const take = (data: unknown): InboxEvent => {
      const event = (data as InboxEventsSubscription).inboxEvents;
      cursors.take(event);
      variables['after'] = cursors.all;
      return event;
    };
    return this.#open(InboxEventsDocument, variables, take, true);
  }

  /** A call's events, from the cursor that `joinCall` gave. What passes (levels, who speaks) moves no cursor, and is not told again. */
  callEvents(callId: string, after?: string | null): EventStream<CallEvent> {
    const variables: Variables = { callId, after: after ?? null };
    const take = (data: unknown): CallEvent => {
      const event = (data as CallEventsSubscription).callEvents;
      if ('cursor' in event && event.__typename !== 'ResyncRequired') variables['after'] = event.cursor;
      return event;
    };
    return this.#open(CallEventsDocument, variables, take, true);
  }

  /** What sections publish. Resumes each behind its last article; from `after`, cursors of these sections, what came since is told first. */
  newsEvents(sourceIds: readonly string[], after: readonly string[] = []): EventStream<NewsEvent> {
    const cursors = new Map(after.map((cursor) => [streamOf(cursor), cursor]));
    const variables: Variables = { sourceIds: [...sourceIds], after: [...after] };
    const take = (data: unknown): NewsEvent => {
      const event = (data as NewsEventsSubscription).newsPublished;
      cursors.set(streamOf(event.cursor), event.cursor);
      variables['after'] = [...cursors.values()];
      return event;
    };
    return this.#open(NewsEventsDocument, variables, take, true);
  }

  /** What happens to a cart, from its `eventCursor`. */
  cartEvents(cartId: string, after?: string | null): EventStream<CartEvent> {
    const variables: Variables = { cartId, after: after ?? null };
    const take = (data: unknown): CartEvent => {
      const event = (data as CartEventsSubscription).cartEvents;
      if (event.__typename !== 'ResyncRequired') variables['after'] = event.cursor;
      return event;
    };
    return this.#open(CartEventsDocument, variables, take, true);
  }

  /** Presence of up to 100 people: as it is, then each change. After a lost connection, or a slow reader, it begins anew. */
  presenceEvents(userIds: readonly string[]): EventStream<PresenceEvent> {
    return this.#open(PresenceEventsDocument, { userIds: [...userIds] }, (data) => (data as PresenceEventsSubscription).presenceEvents, true);
  }

  /** Price and stock of up to 100 products: as they are, then each change. After a lost connection, or a slow reader, it begins anew. */
  productEvents(productIds: readonly string[]): EventStream<ProductEvent> {
    return this.#open(ProductEventsDocument, { productIds: [...productIds] }, (data) => (data as ProductEventsSubscription).productEvents, true);
  }

  /** What bots write in answer to a message, as they write it. What has been answered already is told at once. */
  botReply(messageId: string): EventStream<BotReplyEvent> {
    return this.#open(BotReplyDocument, { messageId }, (data) => (data as BotReplySubscription).botReply, true);
  }

  /** Who else writes in a chat. Nothing is replayed. */
  typingEvents(chatId: string): EventStream<TypingEvent> {
    return this.#open(TypingEventsDocument, { chatId }, (data) => (data as TypingEventsSubscription).typingEvents, true);
  }

  /** What happens in a document: what is lacking, then every change. `openWhiteboard` and `watchBrowsing` do more. */
  documentEvents(documentId: string, { stateVector, after, clientId }: DocumentPlace = {}): EventStream<DocumentEvent> {
    const variables: Variables = {
      documentId,
      clientId: clientId ?? null,
      get stateVector() {
        return stateVector?.() ?? null;
      },
      get after() {
        return after?.() ?? null;
      },
    };
    return this.#open(DocumentEventsDocument, variables, (data) => (data as DocumentEventsSubscription).documentUpdates, true);
  }

  /** Sends a file, in parts that are tried again where it is large; answers it READY or REJECTED. */
  upload(body: Blob, options?: UploadOptions): Promise<UploadedFile> {
    return upload(this.api, body, options);
  }

  /** The same caller at another address. */
  at(url: string): OmniTalk {
    return new OmniTalk({ ...this.#options, url });
  }

  /** Ends every subscription and the connection. One that is asked for later fails with CONNECTION_CLOSED; requests are answered still. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#streams) stream.close();
    await this.#connection.close();
  }

  /** `variables` are read again at every reconnect: whoever moves a cursor in them resumes from it. */
  #open<Event>(document: DocumentNode | string, variables: Variables, take: (data: unknown) => Event, resumable: boolean): EventStream<Event> {
    const query = typeof document === 'string' ? document : printed(document);
    let end = (): void => undefined;
    /** Which subscription of this stream is the present one: what an older one still says is not listened to. */
    let turn = 0;
    let again: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      turn++;
      clearTimeout(again);
      end();
    };
    const finish = (error?: unknown) => {
      this.#streams.delete(stream);
      stream.finish(error);
    };
    const start = () => {
      const mine = ++turn;
      end = this.#connection.subscribe(
        { query, variables },
        {
          next: (result) => {
            if (mine !== turn) return;
            if (!result.errors?.length) return void stream.push(take(result.data));
            finish(new OmniTalkError(result.errors));
            stop();
          },
          error: (error) => {
            if (mine !== turn) return;
            // No earlier than it can succeed, and not all at the same time.
            if (PASSING.has(error.code)) again = setTimeout(start, (error.retryAfter ?? 1) * 1_000 * (1 + Math.random() / 2));
            else finish(error);
          },
          complete: () => mine === turn && finish(),
        },
      );
    };
    const limit = this.#options.streamLimit === undefined ? {} : { limit: this.#options.streamLimit };
    const stream: EventStream<Event> = new EventStream<Event>({ ...limit, ...(resumable ? { source: { pause: stop, resume: start } } : {}) });
    if (this.#closed) {
      stream.finish(failure('CONNECTION_CLOSED', 'The client has been closed.'));
      return stream;
    }
    this.#streams.add(stream);
    stream.onClose(() => {
      this.#streams.delete(stream);
      stop();
    });
    start();
    return stream;
  }

  async #send<Data>(document: DocumentNode | string, variables: Variables | undefined, token: string | null): Promise<Data> {
    const query = typeof document === 'string' ? document : printed(document);
    const signal = AbortSignal.timeout(this.#options.requestTimeout ?? REQUEST_TIMEOUT_MS);
    let status: number;
    let text: string;
    try {
      const response = await fetch(this.#url(), {
        method: 'POST',
        signal,
        headers: { accept: 'application/json', 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ query, variables }),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw failure('NETWORK', signal.aborted ? 'The server did not answer in time.' : 'The server could not be reached.', error);
    }
    let result: { data?: Data; errors?: ApiError[] };
    try {
      result = JSON.parse(text) as typeof result;
    } catch {
      throw failure('NETWORK', `The server answered ${status} without JSON.`);
    }
    if (result.errors?.length || result.data == null) throw new OmniTalkError(result.errors ?? []);
    return result.data;
  }

  /** A lost answer may be asked for again with the same refresh token, so it is replaced only by an answer. */
  async #renew(): Promise<string | null> {
    if (this.#refreshToken === null) return null;
    const { refreshSession } = await this.#send<{ refreshSession: SessionTokens }>(RefreshSessionDocument, { input: { refreshToken: this.#refreshToken } }, null);
    const { accessToken, refreshToken } = refreshSession;
    this.#refreshToken = refreshToken;
    this.#options.onTokens?.({ accessToken, refreshToken });
    return accessToken;
  }

  #url(): string {
    const { url } = this.#options;
    return typeof url === 'function' ? url() : url;
  }
}

const texts = new WeakMap<DocumentNode, string>();
function printed(document: DocumentNode): string {
  let text = texts.get(document);
  if (text === undefined) texts.set(document, (text = print(document)));
  return text;
}
