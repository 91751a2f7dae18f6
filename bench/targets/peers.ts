import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import jwt from 'jsonwebtoken';
import type { Ground } from '../lib/ground.js';
import { GraphqlSocket } from '../lib/graphql.js';
import { LightSocket } from '../lib/light-socket.js';
import { TOKEN_SECRET } from '../lib/people.js';
import { freePort, ServerProcess } from '../lib/server-process.js';
import type { Receiver } from '../lib/tally.js';
import { READS } from '../scenarios/reads.js';
import { eachOf, type FanoutTarget, type Member, type ReadsTarget } from './target.js';

const run = promisify(execFile);
const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
/** Peers tell nobody when a subscription stands, and have nothing to resume from: a moment must do. */
const SETTLE_MS = 1_000;
const CONNECT_CONCURRENCY = 20;

const tokenOf = (userId: number): string => jwt.sign({ sub: String(userId) }, TOKEN_SECRET, { expiresIn: '1d' });

const TABLES = `
drop schema if exists peers cascade;
create schema peers;
set local search_path = peers;
create table users (id int primary key, name text not null);
create table chats (id int primary key, title text not null);
create table chat_members (chat_id int references chats, user_id int references users, primary key (chat_id, user_id));
create table messages (id bigserial primary key, chat_id int not null references chats, sender_id int not null references users, body text not null, created_at timestamptz not null default now());
create table reactions (message_id bigint references messages on delete cascade, user_id int references users, emoji text not null, primary key (message_id, emoji, user_id));
create index on messages (chat_id, id desc);
create index on messages (sender_id);
create index on reactions (user_id);
create view reaction_counts as select message_id, emoji, count(*)::int as count from reactions group by 1, 2;
comment on view reaction_counts is E'@primaryKey message_id,emoji\\n@foreignKey (message_id) references messages (id)|@foreignFieldName reactionCounts|@foreignSimpleFieldName reactionCountsList';
`;

/** Fresh tables of the peers, with so many people and chats. */
async function makeTables(ground: Ground, people: number, chats: number): Promise<void> {
  await ground.sql.query(`begin; ${TABLES} insert into users select i, 'Person ' || i from generate_series(1, ${people}) i; insert into chats select i, 'Chat ' || i from generate_series(1, ${chats}) i; commit`);
}

/** Installs what the peer needs, at its first use, into its own folder. */
export async function startPeer(ground: Ground, folder: string, env: Record<string, string> = {}): Promise<{ server: ServerProcess; port: number }> {
  const cwd = `${PEERS}${folder}`;
  if (!existsSync(`${cwd}/node_modules`)) {
    console.log(`installing the peer ${folder} …`);
    await run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'], { cwd });
  }
  const compiled = existsSync(`${cwd}/tsconfig.json`);
  if (compiled) execFileSync(process.execPath, [TSC, '-p', '.'], { cwd, stdio: 'inherit' });
  const port = await freePort();
  const url = new URL(ground.url);
  url.searchParams.set('options', '-c search_path=peers');
  const server = await ServerProcess.start({
    name: folder, script: `${cwd}/${compiled ? 'dist/server.js' : 'server.mjs'}`, cwd, env: { PORT: String(port), DATABASE_URL: url.toString(), TOKEN_SECRET, ...env }, ready: /listening/,
  });
  return { server, port };
}

type Connect = (port: number, room: number, userId: number, receiver: Receiver) => Promise<Member>;

async function startFanout(ground: Ground, folder: string, connect: Connect, env: Record<string, string> = {}): Promise<FanoutTarget> {
  const { server, port } = await startPeer(ground, folder, env);
  return {
    server,
    async connect(rooms, size, receiver) {
      await makeTables(ground, rooms * size, rooms);
      await ground.sql.query(`insert into peers.chat_members select 1 + (i - 1) / $1::int, i from generate_series(1, $1::int * $2::int) i`, [size, rooms]);
      const seats = Array.from({ length: rooms * size }, (_, index) => ({ room: 1 + Math.floor(index / size), userId: index + 1 }));
      const members = await eachOf(seats, CONNECT_CONCURRENCY, ({ room, userId }) => connect(port, room, userId, receiver()));
      await pause(SETTLE_MS);
      return Array.from({ length: rooms }, (_, room) => members.slice(room * size, (room + 1) * size));
    },
    stop: () => server.stop(),
  };
}

const overRawSocket: Connect = async (port, room, userId, receiver) => {
  let ready = (): void => undefined;
  const stands = new Promise<void>((resolve) => (ready = resolve));
  const socket = await LightSocket.open({
    port,
    path: `/?room=${room}&token=${tokenOf(userId)}`,
    onFrame: (buffer, start, end) => {
      if (!receiver.take(buffer, start, end)) ready();
    },
  });
  await stands;
  return { send: (text) => socket.send(JSON.stringify({ text })), close: () => socket.destroy(), fault: null };
};

/** Engine.IO 4 over a WebSocket alone: 0 open, 2 ping, 40 connect, 42 event. */
const overSocketIo: Connect = async (port, room, userId, receiver) => {
  let ready = (): void => undefined;
  const stands = new Promise<void>((resolve) => (ready = resolve));
  const socket: LightSocket = await LightSocket.open({
    port,
    path: '/socket.io/?EIO=4&transport=websocket',
    onFrame: (buffer, start, end) => {
      if (receiver.take(buffer, start, end)) return;
      const packet = buffer.toString('utf8', start, end);
      if (packet === '2') socket.send('3');
      else if (packet.startsWith('0')) setImmediate(() => socket.send(`40${JSON.stringify({ token: tokenOf(userId), room })}`));
      else if (packet.startsWith('40')) ready();
    },
  });
  await stands;
  return { send: (text) => socket.send(`42${JSON.stringify(['send', { text }])}`), close: () => socket.destroy(), fault: null };
};

const MESSAGE_ADDED = 'subscription ($chatId: ID!) { messageAdded(chatId: $chatId) { id text createdAt sender { id name } reactions { emoji count } } }';
const SEND_MESSAGE = 'mutation ($chatId: ID!, $text: String!) { sendMessage(chatId: $chatId, text: $text) { id } }';

const overGraphql: Connect = async (port, room, userId, receiver) => {
  const socket = await GraphqlSocket.open(port, { token: tokenOf(userId) }, (buffer, start, end) => void receiver.take(buffer, start, end));
  socket.subscribe('s', MESSAGE_ADDED, { chatId: String(room) });
  return {
    send: (text) => socket.fire(SEND_MESSAGE, { chatId: String(room), text }),
    close: () => socket.destroy(),
    get fault() {
      return socket.fault;
    },
  };
};

export const startRawWs = (ground: Ground): Promise<FanoutTarget> => startFanout(ground, 'raw-ws', overRawSocket);
export const startCoalescedWs = (ground: Ground): Promise<FanoutTarget> => startFanout(ground, 'raw-ws', overRawSocket, { MODE: 'coalesced' });
export const startSocketIo = (redisUrl: string) => (ground: Ground): Promise<FanoutTarget> => startFanout(ground, 'socket.io', overSocketIo, { REDIS_URL: redisUrl });
export const startGraphqlWs = (ground: Ground): Promise<FanoutTarget> => startFanout(ground, 'graphql-ws', overGraphql);
export const startApollo = (ground: Ground): Promise<FanoutTarget> => startFanout(ground, 'apollo', overGraphql);

async function makeHistory(ground: Ground): Promise<void> {
  await makeTables(ground, 500, READS.chats);
  await ground.sql.query(
    `insert into peers.messages (chat_id, sender_id, body, created_at)
     select c, 1 + (c * 7 + s % 19) % 500, 'message ' || s || ' with some words, so that it is about a hundred characters long, as lines of chat are', now() - make_interval(mins => $2::int - s)
     from generate_series(1, $1::int) c, generate_series(1, $2::int) s`,
    [READS.chats, READS.messages],
  );
  await ground.sql.query(
    `insert into peers.reactions select m.id, 1 + (m.id * 31 + r * 57) % 500, (array['👍', '👍', '👍', '❤️'])[r] from peers.messages m, generate_series(1, 4) r on conflict do nothing`,
  );
  await ground.sql.query('vacuum analyze');
}

interface ShownMessage {
  id: string;
  sender: { name: string };
  reactions: unknown[];
}

async function startReads(ground: Ground, folder: string, query: string, variables: (chat: number) => object): Promise<ReadsTarget> {
  await makeHistory(ground);
  const { server, port } = await startPeer(ground, folder);
  return {
    server,
    port,
    path: '/graphql',
    headers: { authorization: `Bearer ${tokenOf(1)}` },
    bodies: Array.from({ length: READS.chats }, (_, index) => JSON.stringify({ query, variables: variables(index + 1) })),
    count(body) {
      const { messages } = (JSON.parse(body.toString()) as { data: { chat: { messages: ShownMessage[] } } }).data.chat;
      return { messages: new Set(messages.map((message) => message.id)).size, senders: messages.filter((message) => message.sender.name).length, reactions: messages.flatMap((message) => message.reactions).length };
    },
    stop: () => server.stop(),
  };
}

export const startPostGraphileReads = (ground: Ground): Promise<ReadsTarget> =>
  startReads(
    ground,
    'postgraphile',
    `query ($id: Int!) { chat: chatByRowId(rowId: $id) { id: rowId title messages: messagesByChatIdList(first: 50, orderBy: ROW_ID_DESC) {
       id: rowId text: body createdAt sender: userBySenderId { id: rowId name } reactions: reactionCountsList { emoji count } } } }`,
    (id) => ({ id }),
  );
export const startApolloReads = (ground: Ground): Promise<ReadsTarget> =>
  startReads(ground, 'apollo', 'query ($id: ID!) { chat(id: $id) { id title messages(last: 50) { id text createdAt sender { id name } reactions { emoji count } } } }', (id) => ({ id: String(id) }));
