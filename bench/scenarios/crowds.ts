import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { measured, type Ground } from '../lib/ground.js';
import type { GraphqlSocket } from '../lib/graphql.js';
import type { BenchPerson } from '../lib/people.js';
import type { Row } from '../lib/report.js';
import { Tally, type Receiver } from '../lib/tally.js';
import { CHAT_EVENTS, INBOX_EVENTS, OmniTalkTarget, SEND_MESSAGE, type Chat } from '../targets/omnitalk.js';
import { eachOf } from '../targets/target.js';
import { Fanout } from './fanout.js';

const IDLE = { chats: 20, size: 100, connectionsEach: 5, seconds: 15 };

/** Ten thousand subscriptions to which nothing happens: what each costs to open and to keep. */
export async function runIdle(ground: Ground, { inbox, profile }: { inbox: boolean; profile?: string | undefined }): Promise<Row> {
  const target = await OmniTalkTarget.start(ground, { inbox });
  try {
    const chats = await roomsOf(target, IDLE.chats, IDLE.size);
    const tally = new Tally(1);
    const seats = chats.flatMap((chat) => chat.members.flatMap((person) => Array.from({ length: IDLE.connectionsEach }, () => ({ chat, person }))));
    const few = await eachOf(seats.slice(0, 500), 20, ({ chat, person }) => join(target, inbox, chat, person, tally.receiver()));
    for (const socket of few) socket.destroy();
    await pause(1_000);
    const before = { ...(await target.server.memory()), resident: target.server.resident() };
    if (profile) await target.server.startProfile();
    let sockets: GraphqlSocket[] = [];
    const opening = await measured(ground, target.server, async () => {
      sockets = await eachOf(seats, 50, ({ chat, person }) => join(target, inbox, chat, person, tally.receiver()));
      // A query answered on the last connection: everything before it has been taken in.
      await sockets.at(-1)!.request('{ viewer { eventCursor } }', {});
    });
    if (profile) await target.server.endProfile(profile);
    const after = { ...(await target.server.memory()), resident: target.server.resident() };
    const idling = await measured(ground, target.server, () => pause(IDLE.seconds * 1000));
    const fault = sockets.find((socket) => socket.fault || socket.closed);
    if (fault) throw fault.fault ?? new Error('a connection was closed');
    for (const socket of sockets) socket.destroy();
    const count = seats.length;
    return {
      subscriptions: count,
      'opened/s': count / opening.seconds,
      'server CPU ms / connection and subscription': (opening.server / count) * 1e3,
      'database CPU ms / connection and subscription': (opening.database / count) * 1e3,
      'resident KB / connection': (after.resident - before.resident) / count / 1e3,
      'heap KB / connection': (after.heapUsed - before.heapUsed) / count / 1e3,
      'server CPU share while idle': idling.server / idling.seconds,
      'database CPU share while idle': idling.database / idling.seconds,
    };
  } finally {
    await target.stop();
  }
}

const STORM = { size: 100, missed: 20 };

/** So many clients (2,000 unless told), a hundred in a chat, lose their connections, miss messages, and all come back at once with a cursor. */
export async function runStorm(ground: Ground, { inbox, clients, profile }: { inbox: boolean; clients: number; profile?: string | undefined }): Promise<Row> {
  const rooms = Math.ceil(clients / STORM.size);
  const target = await OmniTalkTarget.start(ground, { inbox });
  try {
    const chats = await roomsOf(target, rooms, STORM.size);
    const messages = rooms * STORM.missed;
    const tally = new Tally(messages);
    const seats = chats.flatMap((chat) => chat.members.map((person) => ({ chat, person, receiver: tally.receiver() })));
    const first = await eachOf(seats, 50, ({ chat, person, receiver }) => join(target, inbox, chat, person, receiver));
    await first.at(-1)!.request('{ viewer { eventCursor } }', {});
    for (const socket of first) socket.destroy();
    await pause(500);
    for (let round = 0; round < STORM.missed; round++) {
      await eachOf(chats, 10, (chat) => target.ask(chat.members[0]!, SEND_MESSAGE, { input: { chatId: chat.id, text: tally.message(STORM.size), idempotencyKey: randomUUID() } }));
    }
    let done = 0;
    const all = new Promise<void>((resolve) => (tally.onDone = () => ++done === messages && resolve()));
    await target.server.watchLoop();
    if (profile) await target.server.startProfile();
    let second: GraphqlSocket[] = [];
    const cost = await measured(ground, target.server, async () => {
      second = await Promise.all(seats.map(({ chat, person, receiver }) => join(target, inbox, chat, person, receiver)));
      await Promise.race([all, pause(60_000).then(() => Promise.reject(new Error(`${tally.deliveries} of ${messages * STORM.size} missed messages came`)))]);
    });
    if (profile) await target.server.endProfile(profile);
    const stall = await target.server.longestStall();
    for (const socket of second) socket.destroy();
    if (tally.fault) throw tally.fault;
    return {
      clients: seats.length,
      'missed messages replayed': tally.deliveries,
      'all served after s': cost.seconds,
      'longest stall ms': stall,
      'server CPU ms / client': (cost.server / seats.length) * 1e3,
      'database CPU ms / client': (cost.database / seats.length) * 1e3,
    };
  } finally {
    await target.stop();
  }
}

const BURST = { rooms: 1, size: 300, senders: 300, warmUp: 200, messages: 500, inFlight: 500, rounds: 1, paced: 0, rate: 1 };

/** Five hundred messages at once to three hundred subscribers: a naive server runs 150,000 executions and hears nothing meanwhile. */
export async function runBurst(ground: Ground, { inbox, profile }: { inbox: boolean; profile?: string | undefined }): Promise<Row> {
  const target = await OmniTalkTarget.start(ground, { inbox });
  try {
    const fanout = await Fanout.connect(target, BURST);
    await fanout.flow(BURST.warmUp, 16);
    fanout.tally.takeLatencies();
    await target.server.watchLoop();
    if (profile) await target.server.startProfile();
    const cost = await measured(ground, target.server, () => fanout.flow(BURST.messages, BURST.inFlight));
    if (profile) await target.server.endProfile(profile);
    const stall = await target.server.longestStall();
    const { p50, p99 } = fanout.tally.takeLatencies();
    fanout.close();
    const deliveries = BURST.messages * BURST.size;
    return {
      deliveries,
      'delivered after s': cost.seconds,
      'longest stall ms': stall,
      'server CPU s / 100k deliveries': (cost.server / deliveries) * 1e5,
      'p50 ms': p50,
      'p99 ms': p99,
    };
  } finally {
    await target.stop();
  }
}

async function roomsOf(target: OmniTalkTarget, rooms: number, size: number): Promise<Chat[]> {
  const people = await target.people(rooms * size);
  return target.chats(Array.from({ length: rooms }, (_, room) => people.slice(room * size, (room + 1) * size)));
}

async function join(target: OmniTalkTarget, inbox: boolean, chat: Chat, person: BenchPerson, receiver: Receiver): Promise<GraphqlSocket> {
  const socket = await target.open(person, receiver);
  if (inbox) socket.subscribe('s', INBOX_EVENTS, { after: [chat.eventCursor] });
  else socket.subscribe('s', CHAT_EVENTS, { chatId: chat.id, after: chat.eventCursor });
  return socket;
}
