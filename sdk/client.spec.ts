import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { OmniTalk, type ChatEvent, type SessionTokens } from './index.js';
import { eventually, fails, take, within, World, type Person } from '../test/testkit/world.js';

/** A wire between client and server that can be cut. */
class Wire {
  readonly #sockets = new Set<Socket>();
  #open = true;
  #port = 0;
  readonly #server = createServer((socket) => {
    if (!this.#open) return socket.destroy();
    const far = createConnection(this.port, this.host);
    for (const [one, other] of [[socket, far], [far, socket]] as const) {
      this.#sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    return undefined;
  });
  private constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  static async to(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const wire = new Wire(hostname, Number(port));
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    wire.#port = (wire.#server.address() as AddressInfo).port;
    return wire;
  }
  get url(): string {
    return `http://127.0.0.1:${this.#port}/graphql`;
  }
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }
  mend(): void {
    this.#open = true;
  }
  close(): void {
    this.cut();
    this.#server.close();
  }
}

const textOf = (event: ChatEvent): string | null | undefined => (event.__typename === 'MessageSent' ? event.message?.text : event.__typename);

describe('the SDK', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  const clients: OmniTalk[] = [];
  before(async () => {
    world = await World.start({ settings: { ACCESS_TOKEN_TTL: '600' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  after(() => world.stop());

  function client(options: Partial<ConstructorParameters<typeof OmniTalk>[0]>): OmniTalk {
    const made = new OmniTalk({ url: `${world.app.url}/graphql`, ...options });
    clients.push(made);
    return made;
  }
  const cursorOf = async (person: Person): Promise<string> => (await person.api.chat({ id: chatId })).chat!.eventCursor;
  const signIn = async () => (await client({}).api.signIn({ input: { email: 'bob@example.com', password: 'password of bob', device: 'sdk' } })).signIn;

  it('tells failures by code', async () => {
    const error = await fails(client({ accessToken: 'not a token' }).api.viewer(), 'UNAUTHENTICATED');
    assert.match(error.message, /\w/);
    await fails(new OmniTalk({ url: 'http://127.0.0.1:9/graphql' }).api.viewer(), 'NETWORK');
    await fails(new OmniTalk({ url: `${world.app.url}/health` }).api.viewer(), 'NOT_FOUND');
  });

  it('waits for an answer no longer than it is told', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const mine = client({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/graphql`, requestTimeout: 200 });
      const error = await within(fails(mine.api.viewer(), 'NETWORK'), 'the failure');
      assert.equal(error.message, 'The server did not answer in time.');
    } finally {
      silent.close();
    }
  });

  describe('an access token that has expired', () => {
    it('is renewed once for all requests that wait, and the new tokens are told', async () => {
      const session = await signIn();
      const told: SessionTokens[] = [];
      const mine = client({ accessToken: session.accessToken, refreshToken: session.refreshToken, onTokens: (tokens) => told.push(tokens) });
      world.clock.advance(601_000);
      const answers = await Promise.all([...Array(5)].map(() => mine.api.viewer()));
      assert.deepEqual(answers.map(({ viewer }) => viewer?.user.handle), Array(5).fill('bob'));
      assert.equal(told.length, 1);
      assert.notEqual(told[0]!.refreshToken, session.refreshToken);
      await mine.api.viewer();
      assert.equal(told.length, 1);
      world.clock.advance(601_000);
      assert.equal((await mine.api.viewer()).viewer?.user.handle, 'bob');
      assert.equal(told.length, 2);
    });

    it('is renewed for a subscription too, by a callback', async () => {
      const expired = (await signIn()).accessToken;
      world.clock.advance(601_000);
      let asked = 0;
      const mine = client({ accessToken: expired, refresh: async () => (asked++, (await signIn()).accessToken) });
      const cursor = await (async () => {
        const session = await signIn();
        return (await client({ accessToken: session.accessToken }).api.chat({ id: chatId })).chat!.eventCursor;
      })();
      const events = mine.chatEvents(chatId, cursor);
      const fresh = client({ accessToken: (await signIn()).accessToken });
      await fresh.api.sendMessage({ input: { chatId, text: 'renewed', idempotencyKey: world.key() } });
      assert.deepEqual((await take(events, 1)).map(textOf), ['renewed']);
      assert.equal(asked, 1);
    });

    it('ends a subscription with TOKEN_EXPIRED when nobody can renew it', async () => {
      const { accessToken } = await signIn();
      world.clock.advance(601_000);
      await fails(within(client({ accessToken }).chatEvents(chatId).next(), 'the end'), 'TOKEN_EXPIRED');
      await fails(client({ accessToken }).api.viewer(), 'TOKEN_EXPIRED');
      await fails(within(client({ accessToken, refresh: async () => null }).chatEvents(chatId).next(), 'the end'), 'TOKEN_EXPIRED');
    });

    it('and a refresh token that is worth nothing: the reason is told, and nothing is tried for ever', async () => {
      const { accessToken } = await signIn();
      world.clock.advance(601_000);
      const mine = client({ accessToken, refreshToken: 'worthless' });
      await fails(mine.api.viewer(), 'UNAUTHENTICATED');
      await fails(within(mine.chatEvents(chatId).next(), 'the end'), 'UNAUTHENTICATED');
    });
  });

  it('a session that has ended ends its subscriptions, with that reason', async () => {
    const { accessToken } = await signIn();
    const mine = client({ accessToken });
    const ends = [mine.chatEvents(chatId), mine.chatEvents(chatId)].map((events) => fails(within(events.next(), 'the end'), 'SESSION_ENDED'));
    await eventually(() => world.app.serving.sockets.subscriptions >= 2, 'the subscriptions stand');
    await mine.api.signOut({ input: {} });
    await Promise.all(ends);
    await fails(within(mine.chatEvents(chatId).next(), 'the end'), 'SESSION_ENDED');
  });

  it('a forged token ends a subscription, and is not tried for ever', async () => {
    await fails(within(client({ accessToken: 'a.b.c' }).chatEvents(chatId).next(), 'the end'), 'UNAUTHENTICATED');
  });

  describe('with people whose tokens are fresh', () => {
    before(async () => {
      for (const person of [ann, bob]) {
        const { signIn: session } = await client({}).api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
        person.client = world.client(session.accessToken);
        person.api = person.client.api;
        person.accessToken = session.accessToken;
      }
    });

    it('a lost network loses no event and repeats none, in a chat and in the inbox', async () => {
      const wire = await Wire.to(world.app.url);
      const mine = client({ url: wire.url, accessToken: bob.accessToken });
      const events = mine.chatEvents(chatId, await cursorOf(bob));
      const inbox = mine.inboxEvents();
      await take(inbox, 1, []);
      const said: string[] = [];
      for (let round = 0; round < 3; round++) {
        for (const moment of ['before', 'while it is cut']) {
          if (moment !== 'before') wire.cut();
          const text = `${moment} ${round}`;
          await world.say(ann, chatId, text);
          said.push(text);
        }
        wire.mend();
      }
      assert.deepEqual((await take(events, said.length)).map(textOf), said);
      const heard = await take(inbox, said.length);
      assert.deepEqual(heard.map((event) => event.__typename === 'MessageSent' && event.message?.text), said);
      wire.close();
    });

    /** A stream of more than its reader has taken, which has paused. */
    async function paused() {
      const mine = client({ accessToken: bob.accessToken, streamLimit: 20 });
      const events = mine.chatEvents(chatId, await cursorOf(bob));
      await eventually(() => world.app.serving.sockets.subscriptions === 1, 'the subscription stands');
      const said = [...Array(100).keys()].map((index) => `number ${index}`);
      for (const text of said) await world.say(ann, chatId, text);
      await eventually(() => world.app.serving.sockets.subscriptions === 0, 'the subscription pauses');
      return { mine, events, said };
    }

    it('a reader that is far behind is not listened to, and misses nothing', async () => {
      const { events, said } = await paused();
      assert.deepEqual((await take(events, said.length)).map(textOf), said);
      events.close();
    });

    it('a cursor that can not be continued is told by ResyncRequired, and is the end', async () => {
      const [stream, epoch] = Buffer.from(await cursorOf(bob), 'base64url').toString().split('|');
      const ahead = Buffer.from(`${stream}|${epoch}|999999`).toString('base64url');
      const events = bob.client.chatEvents(chatId, ahead);
      const [event] = await take(events, 1);
      assert.deepEqual([event!.__typename, event!.__typename === 'ResyncRequired' && event.reason], ['ResyncRequired', 'AHEAD']);
      assert.equal((await within(events.next(), 'the end')).done, true);
    });

    it('close ends every stream', async () => {
      const mine = client({ accessToken: bob.accessToken });
      const ends = [mine.chatEvents(chatId).next(), mine.chatEvents(chatId).next()];
      await eventually(() => world.app.serving.sockets.subscriptions === 2, 'the subscriptions stand');
      await mine.close();
      for (const end of ends) assert.equal((await within(end, 'the end')).done, true);
      await eventually(() => world.app.serving.sockets.connections === 0, 'the connection is closed');
    });

    it('close ends a stream that waits for its reader too: what has come is read, and nothing is opened for more', async () => {
      const { mine, events, said } = await paused();
      await mine.close();
      await eventually(() => world.app.serving.sockets.connections === 0, 'the connection is closed');
      const read: ChatEvent[] = [];
      await within((async () => {
        for await (const event of events) read.push(event);
      })(), 'the end');
      assert.deepEqual(read.map(textOf), said.slice(0, 20));
      assert.equal(world.app.serving.sockets.connections, 0);
    });

    it('a stream that is asked for after close fails, and a request is answered', async () => {
      const mine = client({ accessToken: bob.accessToken });
      await mine.close();
      const error = await fails(within(mine.chatEvents(chatId).next(), 'the end'), 'CONNECTION_CLOSED');
      assert.equal(error.message, 'The client has been closed.');
      assert.equal((await mine.api.viewer()).viewer?.user.handle, 'bob');
      assert.equal(world.app.serving.sockets.connections, 0);
    });
  });
});
