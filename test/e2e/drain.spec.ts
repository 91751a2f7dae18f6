import assert from 'node:assert/strict';
import { once } from 'node:events';
import pg from 'pg';
import { WebSocket } from 'ws';
import { OmniTalk } from '../../sdk/index.js';
import { eventually, take, within, World, type Person } from '../testkit/world.js';
import { ServerProcess } from '../testkit/server-process.js';
import { decodeId } from '../../src/lib/ids.js';

describe('a stop', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let server: ServerProcess;
  let lock: pg.Client;
  let here: OmniTalk;

  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  beforeEach(async () => {
    server = await ServerProcess.start(world, { DRAIN: '10', REDIS_URL: '' });
    here = new OmniTalk({ url: `${server.url}/graphql`, accessToken: ann.accessToken });
    lock = new pg.Client({ connectionString: world.databaseUrl });
    await lock.connect();
  });
  afterEach(async () => {
    await lock.end();
    await here.close();
    await server.kill();
  });
  after(() => world.stop());

  /** A send that waits, because somebody else holds the chat. */
  async function sendThatWaits(text: string): Promise<{ answer: Promise<unknown> }> {
    await lock.query('begin');
    await lock.query('select 1 from chats where id = $1 for update', [decodeId('Chat', chatId)]);
    const answer = here.api.sendMessage({ input: { chatId, text, idempotencyKey: world.key() } });
    answer.catch(() => undefined);
    await eventually(async () => {
      const [row] = await world.sql<{ n: number }>(`select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`);
      return row!.n >= 1;
    }, 'the send waits for the lock');
    return { answer };
  }
  const ready = async () => {
    const response = await fetch(`${server.url}/ready`);
    return { status: response.status, body: (await response.json()) as { phase: string } };
  };

  it('tells subscribers to come back, takes nothing new, finishes what is under way, and ends', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const events = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${ann.accessToken}` },
      body: JSON.stringify({ query: 'subscription { inboxEvents { __typename } }' }),
    });
    const streamed = events.text();
    const { answer } = await sendThatWaits('under way');
    server.signal('SIGTERM');

    const [code, reason] = await within(closed, 'the socket to be closed');
    assert.deepEqual([code, reason.toString()], [1012, 'Restarting: reconnect and resume']);
    assert.doesNotMatch(await within(streamed, 'the stream to end'), /event: complete/);
    const probe = await ready();
    assert.deepEqual([probe.status, probe.body.phase], [503, 'draining']);
    const refused = await fetch(`${server.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ __typename }"}' });
    const { errors } = (await refused.json()) as { errors: { extensions: object }[] };
    assert.deepEqual([refused.status, refused.headers.get('retry-after'), errors[0]!.extensions], [503, '1', { code: 'UNAVAILABLE', retryAfter: 1 }]);

    await lock.query('commit');
    await within(answer, 'the answer');
    assert.equal(await within(server.exited, 'the end of the process'), 0);
    assert.deepEqual(await world.sql(`select text from messages where text = 'under way'`), [{ text: 'under way' }]);
  });

  it('ends at once at a second signal', async () => {
    await sendThatWaits('given up');
    server.signal('SIGTERM');
    await eventually(async () => (await ready()).body.phase === 'draining', 'it drains');
    await new Promise((resolve) => setTimeout(resolve, 600)); // sooner it may be the same Ctrl-C, passed on by npm
    server.signal('SIGTERM');
    assert.equal(await within(server.exited, 'the end of the process', 2_000), 1);
    await lock.query('rollback');
  });

  it('a subscriber comes back elsewhere and misses nothing', async () => {
    let url = server.url;
    const follower = new OmniTalk({ url: () => `${url}/graphql`, accessToken: bob.accessToken });
    const { chat } = await bob.api.chat({ id: chatId });
    const events = follower.chatEvents(chatId, chat!.eventCursor);
    await world.say(ann, chatId, 'before');
    await take(events, 1);
    url = world.app.url;
    server.signal('SIGTERM');
    await world.say(ann, chatId, 'meanwhile');
    await server.exited;
    await world.say(ann, chatId, 'after');
    const rest = await take(events, 2);
    assert.deepEqual(rest.map((event) => event.__typename === 'MessageSent' && event.message!.text), ['meanwhile', 'after']);
    events.close();
    await follower.close();
  });
});
