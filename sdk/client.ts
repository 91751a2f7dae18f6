import { print, type DocumentNode } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createApi, type Api } from './api.js';
import { OmniTalkError, type ApiError } from './errors.js';
import {
  ChatEventsDocument, InboxEventsDocument, PresenceEventsDocument, TypingEventsDocument,
  type ChatEventsSubscription, type InboxEventsSubscription, type PresenceEventsSubscription, type TypingEventsSubscription,
} from './generated/graphql.js';
import { EventStream } from './stream.js';

export interface OmniTalkOptions {
  /** Where the API is: http://127.0.0.1:4000/graphql */
  url: string;
  /** The access token, or what finds one: asked before each request and each connection. */
  accessToken?: string | null | (() => string | null | Promise<string | null>);
}

export type ChatEvent = ChatEventsSubscription['chatEvents'];
export type InboxEvent = InboxEventsSubscription['inboxEvents'];
export type PresenceEvent = PresenceEventsSubscription['presenceEvents'];
export type TypingEvent = TypingEventsSubscription['typingEvents'];

type Variables = Record<string, unknown>;

/** A client of the API: a typed method for each operation under `api`, and subscriptions that resume without loss. */
export class OmniTalk {
  readonly api: Api;
  readonly #options: OmniTalkOptions;
  readonly #socket: Client;

  constructor(options: OmniTalkOptions) {
    this.#options = options;
    this.api = createApi((document, variables) => this.request(document as unknown as TypedDocumentNode<unknown, Variables>, variables as Variables));
    this.#socket = createClient({
      url: options.url.replace(/^http/, 'ws'),
      connectionParams: async () => {
        const token = await this.#token();
        return token ? { authorization: `Bearer ${token}` } : {};
      },
      retryAttempts: Number.POSITIVE_INFINITY,
      // Not at once: the failure of one socket may be told twice, and the second telling must not meet the next one.
      retryWait: (attempt) => new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** attempt, 5_000) * (0.5 + Math.random()))),
      shouldRetry: () => true,
      keepAlive: 12_000,
    });
  }

  /** Runs one operation over HTTP. Throws OmniTalkError when the answer has errors. */
  async request<Data, Vars extends Variables>(document: TypedDocumentNode<Data, Vars> | string, variables?: Vars): Promise<Data> {
    const token = await this.#token();
    const response = await fetch(this.#options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ query: typeof document === 'string' ? document : printed(document), variables }),
    });
    const text = await response.text();
    let result: { data?: Data; errors?: ApiError[] };
    try {
      result = JSON.parse(text) as typeof result;
    } catch {
      throw new OmniTalkError([{ message: `The server answered ${response.status} without JSON.` }]);
    }
    if (result.errors?.length || result.data == null) throw new OmniTalkError(result.errors ?? []);
    return result.data;
  }

  /** A subscription as the server serves it: after a lost connection it begins anew, without resuming. */
  subscribe<Data, Vars extends Variables>(document: TypedDocumentNode<Data, Vars> | string, variables?: Vars): EventStream<Data> {
    return this.#open(document, { ...variables }, (data) => data as Data);
  }

  /** A chat's events. Resumes behind the last event that was handed on, whatever happens to the connection. */
  chatEvents(chatId: string, after?: string | null): EventStream<ChatEvent> {
    const variables: Variables = { chatId, after: after ?? null };
    return this.#open(ChatEventsDocument, variables, (data) => {
      const event = (data as ChatEventsSubscription).chatEvents;
      // Behind a stream that can't be continued there is nothing to resume from: a reconnect is told so again.
      if (event.__typename !== 'ResyncRequired') variables['after'] = event.cursor;
      return event;
    });
  }

  /** The events of all of one's chats and of one's own stream. Resumes each stream behind its last event. */
  inboxEvents(after: readonly string[] = []): EventStream<InboxEvent> {
    const cursors = new Map(after.map((cursor) => [streamOf(cursor), cursor]));
    const variables: Variables = { after: [...after] };
    return this.#open(InboxEventsDocument, variables, (data) => {
      const event = (data as InboxEventsSubscription).inboxEvents;
      for (const cursor of cursorsIn(event)) {
        const known = cursors.get(streamOf(cursor));
        // ChatAdded comes along one's own stream: the chat's may be ahead of it.
        if (!known || event.__typename !== 'ChatAdded' || offsetOf(cursor) > offsetOf(known)) cursors.set(streamOf(cursor), cursor);
      }
      variables['after'] = [...cursors.values()];
      return event;
    });
  }

  /** Presence of up to 100 people: as it is, then each change. After a lost connection it begins anew. */
  presenceEvents(userIds: readonly string[]): EventStream<PresenceEvent> {
    return this.#open(PresenceEventsDocument, { userIds: [...userIds] }, (data) => (data as PresenceEventsSubscription).presenceEvents);
  }

  /** Who else writes in a chat. Nothing is replayed. */
  typingEvents(chatId: string): EventStream<TypingEvent> {
    return this.#open(TypingEventsDocument, { chatId }, (data) => (data as TypingEventsSubscription).typingEvents);
  }

  /** The same caller at another address. */
  at(url: string): OmniTalk {
    return new OmniTalk({ ...this.#options, url });
  }

  /** Ends every subscription and the connection. */
  async close(): Promise<void> {
    // It waits for an attempt to connect that is under way, and fails as that does.
    await Promise.resolve(this.#socket.dispose()).catch(() => undefined);
  }

  /** `variables` are read again at every reconnect: whoever moves a cursor in them resumes from it. */
  #open<Event>(document: DocumentNode | string, variables: Variables, take: (data: unknown) => Event): EventStream<Event> {
    const stream = new EventStream<Event>();
    let end = () => undefined as void;
    let again: ReturnType<typeof setTimeout> | undefined;
    const failed = (error: unknown) => {
      if (!Array.isArray(error)) return stream.finish(error);
      const shown = new OmniTalkError(error as ApiError[]);
      if (!PASSING.has(shown.code)) return stream.finish(shown);
      // The server is in trouble for a moment, and has ended this subscription alone: it resumes as after a lost connection.
      again = setTimeout(begin, (shown.errors[0]?.extensions?.retryAfter ?? 1) * 1_000 * (0.5 + Math.random()));
    };
    const begin = () => {
      end = this.#socket.subscribe(
        { query: typeof document === 'string' ? document : printed(document), variables },
        {
          next: (result) => {
            if (!result.errors?.length) return stream.push(take(result.data));
            stream.finish(new OmniTalkError(result.errors as unknown as ApiError[]));
            end();
          },
          error: failed,
          complete: () => stream.finish(),
        },
      );
    };
    begin();
    stream.onClose(() => {
      clearTimeout(again);
      end();
    });
    return stream;
  }

  async #token(): Promise<string | null> {
    const { accessToken } = this.#options;
    return (typeof accessToken === 'function' ? await accessToken() : accessToken) ?? null;
  }
}

const texts = new WeakMap<DocumentNode, string>();
function printed(document: DocumentNode): string {
  let text = texts.get(document);
  if (text === undefined) texts.set(document, (text = print(document)));
  return text;
}

/** Codes of a failure that passes. */
const PASSING = new Set(['UNAVAILABLE', 'OVERLOADED']);

/** The cursors that an event tells of. */
function cursorsIn(event: InboxEvent): string[] {
  switch (event.__typename) {
    case 'InboxCheckpoint':
      return event.cursors;
    case 'ResyncRequired':
      return [];
    case 'ChatAdded':
      return event.chatCursor ? [event.cursor, event.chatCursor] : [event.cursor];
    default:
      return [event.cursor];
  }
}

/** A cursor's stream and offset: its first and last parts. */
const partsOf = (cursor: string): string[] => atob(cursor.replaceAll('-', '+').replaceAll('_', '/')).split('|');
const streamOf = (cursor: string): string => partsOf(cursor)[0]!;
const offsetOf = (cursor: string): number => Number(partsOf(cursor)[2]);
