import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { createClient, type Client } from 'graphql-sse';
import { eventually, take, within, World, type Person } from '../testkit/world.js';
import { raw } from '../testkit/raw.js';

const EVENTS = /* GraphQL */ `
  subscription ($chatId: ID!, $after: EventCursor) {
    chatEvents(chatId: $chatId, after: $after) {
      ... on StreamEvent {
        cursor
      }
      ... on MessageSent {
        offset
        message {
          text
        }
      }
    }
  }
`;

interface Event {
  cursor: string;
  offset: number;
  message: { text: string };
}
interface Answer {
  data?: { chatEvents: Event } | null;
  errors?: readonly { message: string; extensions?: { code?: string } }[];
}

describe('Server-Sent Events', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  const clients: Client[] = [];
  before(async () => {
    world = await World.start({ settings: { MAX_SOCKETS: '6', MAX_BUFFERED: '65536', HEARTBEAT: '1' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.dispose();
    await eventually(() => world.app.serving.streams.connections === 0, 'no stream is left open');
    await eventually(() => world.app.serving.subscriptions.groups === 0, 'no group is left behind');
  });
  after(() => world.stop());

  function client(token: string | null): Client {
    const made = createClient({ url: `${world.app.url}/graphql`, retryAttempts: 0, ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}) });
    clients.push(made);
    return made;
  }
  const listen = (token: string, variables: Record<string, unknown>) => client(token).iterate({ query: EVENTS, variables }) as AsyncIterableIterator<Answer>;
  const stands = (count = 1) => eventually(() => [...world.app.serving.channels.attachments()].length === count, `${count} subscriptions stand`);
  /** A subscription of somebody who reads nothing of its answer; resolves when it stands. */
  async function stalled(token: string, variables: object): Promise<Socket> {
    const { hostname, port } = new URL(world.app.url);
    const asking = request({ hostname, port, path: '/graphql', method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${token}` } });
    asking.on('error', () => undefined);
    const responding = new Promise<Socket>((resolve) =>
      asking.on('response', (response) => {
        response.on('error', () => undefined);
        response.socket.pause();
        resolve(response.socket);
      }),
    );
    asking.end(JSON.stringify({ query: EVENTS, variables }));
    const socket = await within(responding, 'the answer to begin');
    await stands();
    return socket;
  }
  async function next(events: AsyncIterableIterator<Answer>): Promise<Event> {
    const { value } = await within(events.next(), 'an event');
    return (value as Answer).data!.chatEvents;
  }

  it('a subscription hears what happens, and resumes behind its cursor', async () => {
    const live = listen(bob.accessToken, { chatId });
    const waiting = next(live);
    await stands();
    await world.say(ann, chatId, 'one');
    const first = await waiting;
    assert.equal(first.message.text, 'one');
    await live.return!();
    await stands(0);
    await world.say(ann, chatId, 'two');
    const resumed = listen(bob.accessToken, { chatId, after: first.cursor });
    assert.equal((await next(resumed)).message.text, 'two');
    await stands();
    await world.say(ann, chatId, 'three');
    const third = await next(resumed);
    assert.deepEqual([third.message.text, third.offset], ['three', first.offset + 2]);
  });

  it('shares its execution with WebSocket', async () => {
    const overSocket = ann.client.subscribe(EVENTS, { chatId });
    const overEvents = listen(bob.accessToken, { chatId });
    const waiting = next(overEvents);
    await stands(2);
    assert.equal(world.app.serving.subscriptions.groups, 1);
    await world.say(ann, chatId, 'for both');
    const heard = (await within(overSocket.next(), 'an event')).value as { chatEvents: Event };
    assert.deepEqual(heard.chatEvents, await waiting);
    overSocket.close();
    await stands(1);
  });

  it('runs queries and mutations: one result, then complete', async () => {
    const results: unknown[] = [];
    for await (const result of client(ann.accessToken).iterate({ query: '{ viewer { user { handle } } }' })) results.push(result.data);
    assert.deepEqual(results, [{ viewer: { user: { handle: 'ann' } } }]);
  });

  it('tells whatever is wrong as a result, and completes', async () => {
    const cases: [string, string | null, { query: string; variables?: Record<string, unknown> }, string][] = [
      ['a syntax error', ann.accessToken, { query: 'subscription {' }, 'GRAPHQL_PARSE_FAILED'],
      ['an unknown field', ann.accessToken, { query: 'subscription { nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
      ['nobody signed in', null, { query: EVENTS, variables: { chatId } }, 'UNAUTHENTICATED'],
      ['a forged token', 'a.b.c', { query: EVENTS, variables: { chatId } }, 'UNAUTHENTICATED'],
      ['a missing variable', ann.accessToken, { query: EVENTS }, 'INVALID_INPUT'],
      ['a forged cursor', ann.accessToken, { query: EVENTS, variables: { chatId, after: 'xxxx' } }, 'INVALID_CURSOR'],
      ['a chat that is not there', ann.accessToken, { query: EVENTS, variables: { chatId: 'cht_00000000000000000000000000000000' } }, 'NOT_FOUND'],
    ];
    for (const [what, token, operation, code] of cases) {
      const results: Answer[] = [];
      for await (const result of client(token).iterate(operation)) results.push(result as Answer);
      assert.deepEqual(results.map(({ errors }) => errors?.[0]?.extensions?.code), [code], what);
    }
  });

  it('speaks plain event-stream, over POST and over a guarded GET, and beats while nothing happens', async () => {
    const response = await fetch(`${world.app.url}/graphql?${new URLSearchParams({ query: EVENTS, variables: JSON.stringify({ chatId }) })}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${ann.accessToken}`, 'apollo-require-preflight': 'true' },
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (text.length < 6) text += (await within(reader.read(), 'a heartbeat')).value ?? '';
    assert.equal(text, ':\n\n:\n\n');
    await reader.cancel();
    const done = await raw(world, '/graphql', { method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json' }, body: JSON.stringify({ query: '{ __typename }' }) });
    assert.match(done.text, /^:\n\nevent: next\ndata: \{"data":\{"__typename":"Query"\},.*\}\n\nevent: complete\ndata: \n\n$/);
  });

  it('refuses a GET that any page could send, or that changes something', async () => {
    const get = (query: string, headers: Record<string, string>) => raw(world, `/graphql?${new URLSearchParams({ query })}`, { headers: { accept: 'text/event-stream', ...headers } });
    const unguarded = await get('{ __typename }', {});
    assert.deepEqual([unguarded.status, unguarded.code], [400, 'BAD_REQUEST']);
    const mutation = await get('mutation { signOut(input: {}) { __typename } }', { 'apollo-require-preflight': 'true', authorization: `Bearer ${ann.accessToken}` });
    assert.match(mutation.text, /"code":"BAD_REQUEST"/);
    assert.deepEqual((await ann.api.viewer()).viewer!.user.handle, 'ann');
  });

  it('ends with the session, saying so', async () => {
    const carol = await world.person('Carol');
    const group = await world.groupChat(ann, [carol]);
    const events = listen(carol.accessToken, { chatId: group });
    const waiting = events.next();
    await stands();
    await carol.client.request('mutation { signOut(input: {}) { __typename } }');
    const { value } = await within(waiting, 'the end');
    assert.equal((value as Answer).errors![0]!.extensions!.code, 'SESSION_ENDED');
    assert.equal((await within(events.next(), 'complete')).done, true);
  });

  it('counts with the sockets: no more connections than there may be', async () => {
    const streams = [...Array(6)].map(() => listen(bob.accessToken, { chatId }));
    for (const stream of streams) stream.next().catch(() => undefined);
    await stands(6);
    const refused = await raw(world, '/graphql', { method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json' }, body: JSON.stringify({ query: '{ __typename }' }) });
    assert.deepEqual([refused.status, refused.code, refused.headers.get('retry-after')], [503, 'OVERLOADED', '1']);
  });

  it('a reader that is too slow is let go, and what waits for it is bounded', async () => {
    const socket = await stalled(bob.accessToken, { chatId });
    const cursor = (await ann.api.chat({ id: chatId })).chat!.eventCursor;
    let said = 0;
    for (; world.app.serving.streams.connections && said < 1_500; said += 50) {
      await Promise.all([...Array(50)].map(() => world.say(ann, chatId, 'x'.repeat(16_000))));
    }
    assert.equal(world.app.serving.streams.connections, 0);
    socket.destroy();
    // Whoever comes back behind a cursor, and reads, misses nothing.
    const resumed = ann.client.chatEvents(chatId, cursor);
    await take(resumed, said);
    resumed.close();
  });

  it('an answer that has ended, and whose reader takes nothing of it, counts until its connection is given up, which is soon', async () => {
    const dora = await world.person('Dora');
    const group = await world.groupChat(ann, [dora]);
    const accepted: Socket[] = [];
    const { server } = world.app.serving.fastify;
    const accept = (socket: Socket) => accepted.push(socket);
    server.on('connection', accept);
    const socket = await stalled(dora.accessToken, { chatId: group });
    server.off('connection', accept);
    const here = accepted.find(({ remotePort }) => remotePort === socket.localPort)!;
    // Until the kernel takes no more, and has not a moment later.
    const full = async () => here.writableLength > 0 && !!(await ann.api.chat({ id: group })) && here.writableLength > 0;
    for (let said = 0; !(await full()); said += 3) {
      assert.ok(said < 1_500, 'the kernel takes all of it');
      await Promise.all(['x', 'y', 'z'].map((text) => world.say(ann, group, text.repeat(16_000))));
    }
    await dora.client.request('mutation { signOut(input: {}) { __typename } }');
    await stands(0);
    await eventually(() => {
      assert.ok(here.destroyed || world.app.serving.streams.connections === 1, 'it counts');
      return here.destroyed;
    }, 'the connection is given up');
    await eventually(() => world.app.serving.streams.connections === 0, 'it counts no more');
    socket.destroy();
  });
});

describe('Server-Sent Events of a token that expires', () => {
  it('end then, saying so', async () => {
    const world = await World.start({ settings: { ACCESS_TOKEN_TTL: '5' } });
    try {
      const ann = await world.person('Ann');
      world.clock.advance(3_500);
      const client = createClient({ url: `${world.app.url}/graphql`, retryAttempts: 0, headers: { authorization: `Bearer ${ann.accessToken}` } });
      const results: Answer[] = [];
      for await (const result of client.iterate({ query: 'subscription { inboxEvents { __typename } }' })) results.push(result as Answer);
      assert.equal(results.at(-1)!.errors![0]!.extensions!.code, 'TOKEN_EXPIRED');
    } finally {
      await world.stop();
    }
  });
});
