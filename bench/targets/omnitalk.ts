import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { encodeId } from '../../src/lib/ids.js';
import { GraphqlSocket } from '../lib/graphql.js';
import type { Ground } from '../lib/ground.js';
import { LightHttp } from '../lib/light-http.js';
import { makePeople, TOKEN_SECRET, type BenchPerson } from '../lib/people.js';
import { ServerProcess } from '../lib/server-process.js';
import { numberAt, type Receiver } from '../lib/tally.js';
import { eachOf, type FanoutTarget, type Member } from './target.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHOWN = '{ id text createdAt sender { id name: displayName } reactions { emoji count } }';
const chatEvents = (shown: string) => `subscription ($chatId: ID!, $after: EventCursor) { chatEvents(chatId: $chatId, after: $after) { ... on MessageSent { message ${shown} } } }`;
const inboxEvents = (shown: string) => `subscription ($after: [EventCursor!]) { inboxEvents(after: $after) { ... on MessageSent { message ${shown} } } }`;
export const CHAT_EVENTS = chatEvents(SHOWN);
export const INBOX_EVENTS = inboxEvents(SHOWN);
export const SEND_MESSAGE = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }';
const CREATE_CHAT = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id eventCursor } } }';
const OWN_CURSOR = '{ viewer { eventCursor } }';
export const PAGE_OF_50 = `query ($id: ID!) { chat(id: $id) { id title messages(last: 50) { edges { node ${SHOWN} } } } }`;

const CONNECT_CONCURRENCY = 20;
/** A message's public id ends with its number in the chat. */
const MESSAGE_ID = '"msg_';
const NUMBER_PLACE = '"msg_'.length + 32 + '_'.length;

/** Limits that no run may meet: what is measured is the server, not its manners. */
const SETTINGS = {
  HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ASSISTANT: 'false', JWT_SECRET: TOKEN_SECRET, ACCESS_TOKEN_TTL: '86400',
  RATE_LIMIT_COST: '100000000', RATE_LIMIT_ADDRESS: '10000000', RATE_LIMIT_AUTH: '100000', MAX_SOCKETS_EACH: '20000',
};

export interface Chat {
  id: string;
  eventCursor: string;
  members: BenchPerson[];
}

export interface OmniTalkOptions {
  /** Subscribe by inboxEvents instead of chatEvents. */
  inbox?: boolean;
  /** How many different documents there are in a room. */
  documents?: number;
  /** One subscriber in five asks for what depends on who asks. */
  personal?: boolean;
  settings?: Record<string, string>;
}

/** This project's own server, built, on the run's PostgreSQL. */
export class OmniTalkTarget implements FanoutTarget {
  private constructor(
    readonly server: ServerProcess,
    readonly port: number,
    private readonly ground: Ground,
    private readonly options: OmniTalkOptions,
  ) {}

  static async start(ground: Ground, options: OmniTalkOptions = {}): Promise<OmniTalkTarget> {
    const server = await ServerProcess.start({
      name: 'omnitalk', script: `${ROOT}dist/src/main.js`, cwd: ROOT, env: { DATABASE_URL: ground.url, REDIS_URL: '', ...SETTINGS, ...options.settings },
      nodeOptions: ['--max-semi-space-size=48'], // as `npm start` and the image have it
      ready: /http:\/\/127\.0\.0\.1:(\d+)\/graphql/,
    });
    return new OmniTalkTarget(server, Number(server.readyMatch[1]), ground, options);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  people(count: number): Promise<BenchPerson[]> {
    return makePeople(this.ground.sql, count);
  }

  /** One GraphQL request over HTTP. */
  async ask(person: BenchPerson, query: string, variables: object = {}): Promise<Record<string, never>> {
    const http = await LightHttp.open(this.port);
    try {
      const body = await http.post(LightHttp.head(this.port, '/graphql', { authorization: `Bearer ${person.token}` }), JSON.stringify({ query, variables }));
      const { data, errors } = JSON.parse(body.toString()) as { data: Record<string, never>; errors?: { message: string }[] };
      if (errors?.length) throw new Error(errors[0]!.message);
      return data;
    } finally {
      http.close();
    }
  }

  /** Chats of which each has its own members. */
  async chats(rooms: BenchPerson[][]): Promise<Chat[]> {
    return eachOf(rooms, 8, async (members) => {
      const [owner, ...others] = members;
      const input = { kind: 'GROUP', title: 'Bench', memberIds: others.map((person) => encodeId('User', person.userId)), idempotencyKey: randomUUID() };
      const { createChat } = (await this.ask(owner!, CREATE_CHAT, { input })) as unknown as { createChat: { chat: Omit<Chat, 'members'> } };
      return { ...createChat.chat, members };
    });
  }

  async connect(rooms: number, size: number, receiver: () => Receiver): Promise<Member[][]> {
    const people = await this.people(rooms * size);
    const chats = await this.chats(Array.from({ length: rooms }, (_, room) => people.slice(room * size, (room + 1) * size)));
    const seats = chats.flatMap((chat) => chat.members.map((person) => ({ chat, person })));
    const members = await eachOf(seats, CONNECT_CONCURRENCY, ({ chat, person }, seat) => this.#join(chat, person, receiver(), seat));
    return chats.map((_, room) => members.slice(room * size, (room + 1) * size));
  }

  /** Subscribes from a cursor read before, so that nothing can be missed while subscribing. */
  async #join(chat: Chat, person: BenchPerson, receiver: Receiver, seat: number): Promise<Member> {
    const socket = await this.open(person, receiver);
    const shown = this.#shown(seat);
    if (this.options.inbox) {
      const { viewer } = (await this.ask(person, OWN_CURSOR)) as unknown as { viewer: { eventCursor: string } };
      socket.subscribe('s', inboxEvents(shown), { after: [viewer.eventCursor, chat.eventCursor] });
    } else socket.subscribe('s', chatEvents(shown), { chatId: chat.id, after: chat.eventCursor });
    return memberOf(socket, chat.id);
  }

  /** What the subscriber of this seat selects. */
  #shown(seat: number): string {
    const { documents = 1, personal = false } = this.options;
    if (personal && seat % 5 === 4) return SHOWN.replace('{', '{ viewerState { starred }');
    const variant = seat % documents;
    return variant ? SHOWN.replace('{', `{ kind${variant}: kind`) : SHOWN;
  }

  open(person: BenchPerson, receiver: Receiver): Promise<GraphqlSocket> {
    return GraphqlSocket.open(this.port, { authorization: `Bearer ${person.token}` }, (buffer, start, end) => {
      if (!receiver.take(buffer, start, end)) return;
      receiver.inOrder(numberAt(buffer, buffer.indexOf(MESSAGE_ID, start, 'latin1') + NUMBER_PLACE));
    });
  }
}

function memberOf(socket: GraphqlSocket, chatId: string): Member {
  return {
    send: (text) => socket.fire(SEND_MESSAGE, { input: { chatId, text, idempotencyKey: randomUUID() } }),
    close: () => socket.destroy(),
    get fault() {
      return socket.fault;
    },
  };
}
