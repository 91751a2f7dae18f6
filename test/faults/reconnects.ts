import assert from 'node:assert/strict';
import { LightSocket } from '../../bench/lib/light-socket.js';
import { lasting } from '../testkit/lossless.js';
import type { Member } from '../testkit/stage.js';
import { eventually } from '../testkit/world.js';
import { again, PATIENCE_MS, pause, random, type Experiment } from './experiment.js';

const CLIENTS = lasting(400, 10_000);
/** Of one message after the other to all of them, so many are told a second: what a flood to everybody does is another test. */
const TOLD_A_SECOND = 2_000;
/** That are opened at once at first; when they come back, it is all of them. */
const OPENED_AT_ONCE = 200;
/** Ten thousand that read what they have missed keep a small machine for a while. */
const BACK_WITHIN_MS = lasting(PATIENCE_MS, 4 * PATIENCE_MS);

const QUERY = 'subscription($id: ID!, $after: EventCursor) { chatEvents(chatId: $id, after: $after) { ... on StreamEvent { cursor } ... on MessageSent { offset } } }';

/** A client of the storm: follows the chat, and after a cut goes on behind what it has. */
class Reconnector {
  offsets: number[] = [];
  #cursor: string;
  #socket: LightSocket | null = null;
  #closed = false;
  #heard = 'nothing';

  constructor(
    private readonly port: number,
    private readonly token: string,
    private readonly chatId: string,
    cursor: string,
  ) {
    this.#cursor = cursor;
  }

  async connect(): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const socket = await LightSocket.open({
          port: this.port, path: '/graphql', protocol: 'graphql-transport-ws',
          onFrame: (buffer, start, end) => this.#take(buffer.toString('utf8', start, end)),
          onClose: () => !this.#closed && void this.connect(),
        });
        this.#socket = socket;
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${this.token}` } }));
        return;
      } catch {
        await pause(50 + random(200 * 2 ** Math.min(attempt, 4)));
      }
    }
  }

  /** For a failure's message. */
  get state(): string {
    return `${this.offsets.length} events, to ${this.offsets.at(-1)}; at last it heard ${this.#heard.slice(0, 300)}`;
  }

  /** As a network does that is lost. It comes back at once. */
  cut(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    this.cut();
  }

  #take(text: string): void {
    const message = JSON.parse(text) as { type: string; payload?: { data?: { chatEvents?: { offset?: number; cursor: string } } } };
    this.#heard = text;
    if (message.type === 'connection_ack') this.#socket!.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables: { id: this.chatId, after: this.#cursor } } }));
    // A server that can't serve it just now says so: it comes back in a moment.
    if (message.type === 'error' || message.type === 'complete') setTimeout(() => this.cut(), random(2_000));
    const event = message.payload?.data?.chatEvents;
    if (!event) return;
    this.#cursor = event.cursor;
    if (event.offset !== undefined) this.offsets.push(event.offset);
  }
}

export const reconnects: Experiment = {
  name: `${CLIENTS} clients reconnect at once`,
  async run(stage) {
    const [ann, ...others] = stage.members as [Member, ...Member[]];
    const { api } = ann.devices[0].client;
    const { chat } = (await again(() => api.createChat({ input: { kind: 'GROUP', title: 'Storm', memberIds: others.map(({ id }) => id), idempotencyKey: `storm-${stage.key()}` } }))).createChat;
    const clients = Array.from({ length: CLIENTS }, (_, n) => new Reconnector(stage.servers[n % 2]!.port, stage.members[n % 3]!.token, chat.id, chat.eventCursor));
    let acknowledged = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const idempotencyKey = `storm-${stage.key()}`;
        await again(() => api.sendMessage({ input: { chatId: chat.id, text: idempotencyKey, idempotencyKey } }));
        acknowledged++;
        await pause((1_000 * CLIENTS) / TOLD_A_SECOND);
      }
    })();
    try {
      for (let at = 0; at < clients.length; at += OPENED_AT_ONCE) await Promise.all(clients.slice(at, at + OPENED_AT_ONCE).map((client) => client.connect()));
      const all = async (holds: (client: Reconnector, index: number) => boolean, what: string): Promise<void> => {
        await eventually(() => clients.every(holds), `all of them ${what}`, BACK_WITHIN_MS).catch((error: Error) => {
          const others = clients.filter((client, index) => !holds(client, index));
          throw new Error(`${error.message}; ${others.length} do not: ${others[0]?.state}`);
        });
      };
      await all(({ offsets }) => offsets.length > 0, 'follow');
      const marks = clients.map(({ offsets }) => offsets.at(-1)!);
      for (const client of clients) client.cut();
      await all(({ offsets }, index) => offsets.at(-1)! > marks[index]!, 'are back');
      writing = false;
      await writer;
      await all(({ offsets }) => offsets.length >= acknowledged, 'have come to the end');
      for (const { offsets } of clients) assert.deepEqual(offsets, Array.from({ length: acknowledged }, (_, index) => offsets[0]! + index), 'each once and in order');
    } finally {
      writing = false;
      await writer.catch(() => undefined);
      for (const client of clients) client.close();
    }
  },
};
