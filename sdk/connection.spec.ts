import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { eventually, within } from '../test/testkit/world.js';
import { OmniTalk } from './client.js';
import { Connection } from './connection.js';
import { Tokens } from './tokens.js';

type Manner = 'SILENT' | 'WITHOUT_ACK';

/** A server of subscriptions that has its manner with each socket in turn, and then opens all. */
class Door {
  sockets = 0;
  /** The variables of each subscription. */
  readonly asked: Record<string, unknown>[] = [];
  readonly #streams = new Set<Socket>();
  readonly #upgrades = new WebSocketServer({ noServer: true });
  readonly #server: Server = createServer();

  /** What is answered to each subscription in turn: a message, or several. */
  constructor(private readonly manners: Manner[], private readonly answers: (object | object[])[]) {}

  async open(): Promise<string> {
    this.#server.on('connection', (stream: Socket) => void this.#streams.add(stream));
    this.#server.on('upgrade', (request, stream, head) => {
      const manner = this.manners[this.sockets++];
      stream.on('error', () => undefined);
      if (manner === 'SILENT') return;
      this.#upgrades.handleUpgrade(request, stream, head, (socket) => {
        if (!manner) socket.on('message', (data) => this.#answer(String(data), (text) => socket.send(text)));
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sockets that stand now. */
  get standing(): number {
    return this.#upgrades.clients.size;
  }

  /** Drops all connections; it may be connected to again. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #answer(text: string, send: (text: string) => void): void {
    const { type, id, payload } = JSON.parse(text) as { type: string; id?: string; payload?: { variables: Record<string, unknown> } };
    if (type === 'connection_init') send(JSON.stringify({ type: 'connection_ack' }));
    if (type !== 'subscribe') return;
    this.asked.push(payload!.variables);
    for (const answer of [this.answers.shift() ?? []].flat()) send(JSON.stringify({ id, ...answer }));
  }
}

describe('the connection of subscriptions', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function door(manners: Manner[], answers: (object | object[])[] = []): Promise<{ made: Door; url: string }> {
    const made = new Door(manners, answers);
    ends.push(() => made.close());
    return { made, url: await made.open() };
  }

  const payload = { query: 'subscription { said }', variables: {} };

  it('is opened anew where it is not answered, and where it is not told that it may begin', async () => {
    const { made, url } = await door(['SILENT', 'WITHOUT_ACK'], [{ type: 'next', payload: { data: { said: 1 } } }]);
    const connection = new Connection(() => url, new Tokens({}), 300);
    ends.push(() => connection.close());
    const said = await new Promise((next, error) => connection.subscribe(payload, { next, error, complete: () => error(new Error('It ended.')) }));
    assert.deepEqual(said, { data: { said: 1 } });
    assert.ok(made.sockets >= 3);
  });

  for (const when of ['while it is not answered', 'as soon as it is begun']) {
    it(`is closed ${when}`, async () => {
      const { made, url } = await door(['SILENT']);
      const connection = new Connection(() => url, new Tokens({}));
      const ended = new Promise<void>((complete, error) => connection.subscribe(payload, { next: () => undefined, error, complete }));
      while (when === 'while it is not answered' && !made.sockets) await new Promise((resolve) => setTimeout(resolve, 10));
      await Promise.all([ended, connection.close()]);
      assert.ok(made.sockets <= 1);
    });
  }

  it('asks for a subscription again that was refused for being one too many just now', async () => {
    const refused = { type: 'error', payload: [{ message: 'Too much was asked.', extensions: { code: 'RATE_LIMITED', retryAfter: 0.05 } }] };
    const event = { chatId: '1', userId: '2', typing: true };
    const { url } = await door([], [refused, { type: 'next', payload: { data: { typingEvents: event } } }]);
    const client = new OmniTalk({ url });
    ends.push(() => client.close());
    assert.deepEqual(await client.typingEvents('1').next(), { value: event, done: false });
  });

  it('is not opened any more for what was refused just now, once the client is closed', async () => {
    const refused = { type: 'error', payload: [{ message: 'Too much was asked.', extensions: { code: 'RATE_LIMITED', retryAfter: 0.2 } }] };
    const { made, url } = await door([], Array<object>(20).fill(refused));
    const client = new OmniTalk({ url });
    const next = client.typingEvents('1').next();
    await eventually(() => made.asked.length > 0 && made.standing === 0, 'it waits, without a connection');
    await client.close();
    const { sockets } = made;
    assert.deepEqual(await within(next, 'the end'), { value: undefined, done: true });
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(made.sockets, sockets);
  });

  it('resumes an inbox behind each chat that the viewer is in, and forgets those that were left long ago', async () => {
    const keyOf = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    const cursor = (stream: string, offset: number) => btoa(`${stream}|${keyOf(0)}|${offset}`);
    const at = (n: number, offset: number) => cursor(`chat:${keyOf(n)}`, offset);
    const chatId = (n: number) => `cht_${keyOf(n).replaceAll('-', '')}`;
    let place = 0;
    const own = () => cursor(`user:${keyOf(1)}`, place);
    const told = (event: object) => ({ type: 'next', payload: { data: { inboxEvents: event } } });
    const begins = (...cursors: string[]) => told({ __typename: 'InboxCheckpoint', cursor: own(), cursors: [own(), ...cursors] });
    const added = (n: number, offset: number) => (place++, told({ __typename: 'ChatAdded', cursor: own(), chatId: chatId(n), chatCursor: at(n, offset) }));
    const removed = (n: number) => (place++, told({ __typename: 'ChatRemoved', cursor: own(), chatId: chatId(n) }));
    const said = (n: number, offset: number) => told({ __typename: 'ChatUpdated', cursor: at(n, offset), chatId: chatId(n) });
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

    const first = [begins(at(900, 7)), ...range(1, 150).flatMap((n) => [added(n, 5), said(n, 6), removed(n)]), ...range(1, 150).map((n) => said(n, 7))];
    const afterFirst = [own(), at(900, 7), ...range(51, 150).map((n) => at(n, 7))];
    // Of chat 60 the new stay was told before the removal from the old one; chat 1 is joined again long after.
    const second = [said(60, 8), removed(60), added(60, 7), added(1, 9), said(1, 10), ...range(201, 320).flatMap((n) => [added(n, 5), removed(n)]), said(60, 9)];
    const afterSecond = [own(), at(900, 7), at(60, 9), at(1, 10), ...range(221, 320).map((n) => at(n, 5))];

    const { made, url } = await door([], [first, second]);
    const client = new OmniTalk({ url });
    ends.push(() => client.close());
    const events = client.inboxEvents();
    for (const [connection, part] of [first, second].entries()) {
      for (let n = 0; n < part.length; n++) await within(events.next(), `event ${n} of connection ${connection}`);
      made.cut();
      await eventually(() => made.asked.length === connection + 2, 'it is asked for again');
    }
    assert.deepEqual(made.asked.map(({ after }) => (after as string[]).toSorted()), [[], afterFirst.toSorted(), afterSecond.toSorted()]);
  });
});
