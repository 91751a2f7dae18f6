import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { lasting } from '../testkit/lossless.js';
import { eventually, take, within, World, type Person } from '../testkit/world.js';

/** A client that can stop taking bytes from its socket: the SDK's own always reads. */
class RawReader {
  readonly offsets: number[] = [];
  cursor: string | null = null;
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;

  constructor(url: string, token: string, chatId: string, after: string) {
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    const send = (message: object) => this.#socket.send(JSON.stringify(message));
    this.#socket.on('open', () => send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    this.#socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload?: { data?: { chatEvents?: { offset: number; cursor: string } } } };
      if (message.type === 'connection_ack') {
        send({
          id: '1', type: 'subscribe',
          payload: { query: 'subscription($id: ID!, $after: EventCursor) { chatEvents(chatId: $id, after: $after) { ... on StreamEvent { cursor } ... on MessageSent { offset message { text } } } }', variables: { id: chatId, after } },
        });
      }
      const event = message.payload?.data?.chatEvents;
      if (!event) return;
      this.offsets.push(event.offset);
      this.cursor = event.cursor;
    });
  }

  stopReading(): void {
    this.#socket.pause();
  }
  readOn(): void {
    this.#socket.resume();
  }
  end(): void {
    this.#socket.terminate();
  }
}

const TEXT = 'x'.repeat(15_000);

describe('a reader that is too slow', function () {
  this.timeout(lasting(40_000, 120_000));
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { MAX_BUFFERED: '262144' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  after(() => world.stop());

  const cursor = async () => (await bob.api.chat({ id: chatId })).chat!.eventCursor;
  const say = async (count: number) => {
    await Promise.all([...Array(count)].map((_, n) => world.say(ann, chatId, `${n} ${TEXT}`)));
  };

  it('is closed by 1013 once its room is full, holds no memory of the server’s, and resumes without loss', async () => {
    const at = await cursor();
    const slow = new RawReader(world.app.url, bob.accessToken, chatId, at);
    const fast = bob.client.chatEvents(chatId, at);
    await say(3);
    await eventually(() => slow.offsets.length === 3, 'it reads');
    slow.stopReading();
    const before = world.app.serving.sockets.subscriptions;
    let sent = 3;
    // The kernel's buffers fill first, then the connection's room.
    for (; world.app.serving.sockets.subscriptions === before && sent < 2_000; sent += 50) await say(50);
    assert.ok(sent < 2_000, 'it was never closed');
    // Others are served on, and what was held for it is let go.
    await take(fast, sent);
    slow.readOn();
    await eventually(() => slow.closed !== null, 'it hears that it was closed');
    assert.deepEqual(slow.closed, { code: 1013, reason: 'Too slow: reconnect and resume' });
    const resumed = bob.client.chatEvents(chatId, slow.cursor);
    const rest = await take(resumed, sent - slow.offsets.length);
    const offsets = [...slow.offsets, ...rest.map((event) => ('offset' in event ? event.offset : -1))];
    assert.deepEqual(offsets, offsets.map((_, index) => offsets[0]! + index));
    assert.equal(offsets.length, sent);
    fast.close();
    resumed.close();
  });

  it('a replay of more than its room waits for the reader instead of closing it, and a stalled replay ends with its reader', async () => {
    const at = await cursor();
    await say(200); // 3 MB, for a room of 256 KB
    const slow = new RawReader(world.app.url, bob.accessToken, chatId, at);
    await eventually(() => slow.offsets.length === 200, 'all has been replayed');
    assert.equal(slow.closed, null);
    slow.end();
    const stalled = new RawReader(world.app.url, bob.accessToken, chatId, at);
    await eventually(() => stalled.offsets.length > 0, 'it replays');
    stalled.stopReading();
    stalled.end();
    await eventually(() => world.app.serving.sockets.connections <= 1, 'the server has let it go');
    await eventually(() => [...world.app.serving.channels.attachments()].length === 0, 'nothing is attached');
  });

  it('one answer larger than the room is delivered all the same', async () => {
    const page = await within(
      new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(`${world.app.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
        socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${bob.accessToken}` } })));
        socket.on('close', (code) => reject(new Error(`closed by ${code}`)));
        socket.on('message', (data: Buffer) => {
          const message = JSON.parse(data.toString()) as { type: string };
          if (message.type === 'connection_ack') {
            socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'query($id: ID!) { chat(id: $id) { messages(last: 100) { edges { node { text } } } } }', variables: { id: chatId } } }));
          }
          if (message.type !== 'next') return;
          resolve(data.length);
          socket.terminate();
        });
      }),
      'the answer',
    );
    assert.ok(page > 1_000_000);
  });
});
