import assert from 'node:assert/strict';
import pg from 'pg';
import { pino } from 'pino';
import { eventually, take, World, type Person } from '../testkit/world.js';
import { post, raw } from '../testkit/raw.js';
import { serverUrl } from '../testkit/database.js';
import { ServerProcess } from '../testkit/server-process.js';

async function asAdmin(text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl('postgres') });
  await client.connect();
  await client.query(text, values);
  await client.end();
}

describe('health', () => {
  let world: World;
  let ann: Person;
  before(async () => {
    world = await World.start();
    ann = await world.person('Ann');
  });
  after(() => world.stop());

  const probe = async (path: string) => {
    const { status, text } = await raw(world, path);
    return { status, body: JSON.parse(text) as Record<string, unknown> };
  };

  it('says how it is: the database, the bus, calls, the learning engine, consumers of the log, the schema, the newest migration', async () => {
    const { status, body } = await probe('/health');
    const { schema, migration, uptime, ...rest } = body;
    assert.equal(status, 200);
    assert.deepEqual(rest, { status: 'ok', phase: 'ready', database: 'ok', bus: 'ok', calls: 'ready', learning: 'idle', consumers: 'ok' });
    assert.match(String(schema), /^[0-9a-f]{12}$/);
    assert.match(String(migration), /^[A-Z]\w+\d{13}$/);
    assert.ok(Number.isInteger(uptime) && (uptime as number) >= 0);
    assert.deepEqual(await probe('/ready'), { status: 200, body: { ready: true, phase: 'ready', database: 'ok' } });
  });

  it('is alive but not ready while the database is away, and recovers', async () => {
    const database = new URL(world.databaseUrl).pathname.slice(1);
    await asAdmin(`alter database ${database} with allow_connections false`);
    await asAdmin('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
    try {
      await eventually(async () => (await probe('/ready')).status === 503, 'it is not ready');
      const { status, body } = await probe('/health');
      assert.deepEqual([status, body['status'], body['database']], [200, 'degraded', 'away']);
    } finally {
      await asAdmin(`alter database ${database} with allow_connections true`);
    }
    await eventually(async () => (await probe('/ready')).status === 200, 'it is ready again');
  });

  it('counts what it does, for Prometheus', async () => {
    const bob = await world.person('Bob');
    const chatId = await world.directChat(ann, bob);
    const events = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    await world.say(ann, chatId, 'counted');
    await take(events, 1);
    await post(world, { query: '{ broken' });
    await raw(world, '/nowhere');
    const { status, text, headers } = await raw(world, '/metrics');
    assert.equal(status, 200);
    assert.match(headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
    const value = (name: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      assert.ok(line, `${name} is told`);
      return Number(line.slice(name.length + 1));
    };
    assert.equal(value('omnitalk_websockets'), 1);
    assert.equal(value('omnitalk_subscriptions'), 1);
    assert.equal(value('omnitalk_event_streams'), 0);
    assert.ok(value('omnitalk_live_streams') >= 1);
    assert.ok(value('omnitalk_deliveries_total') >= 1);
    assert.ok(value('omnitalk_delivered_bytes_total') > 100);
    assert.equal(value('omnitalk_send_queue_size'), 0);
    assert.ok(value('omnitalk_send_batched_messages_total') >= value('omnitalk_send_batches_total'));
    assert.ok(value('omnitalk_db_connections') >= 1);
    assert.ok(value('nodejs_eventloop_lag_seconds') >= 0);
    assert.ok(value('omnitalk_operation_duration_seconds_count{transport="http",kind="mutation",outcome="ok"}') >= 4);
    assert.ok(value('omnitalk_operation_duration_seconds_count{transport="http",kind="unknown",outcome="refused"}') >= 1);
    assert.ok(value('omnitalk_operation_duration_seconds_count{transport="ws",kind="subscription",outcome="ok"}') >= 1);
    assert.ok(value('omnitalk_http_requests_total{method="GET",status="4xx"}') >= 1);
    events.close();
  });

  it('gives its figures to this machine alone', async () => {
    const passedOn = await raw(world, '/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } });
    assert.deepEqual([passedOn.status, passedOn.code], [403, 'FORBIDDEN']);
  });
});

describe('health behind a token', () => {
  it('gives its figures to who holds METRICS_TOKEN', async () => {
    const world = await World.start({ settings: { METRICS_TOKEN: 'figures-please' } });
    try {
      assert.equal((await raw(world, '/metrics')).status, 403);
      assert.equal((await raw(world, '/metrics', { headers: { authorization: 'Bearer figures-pleasf' } })).status, 403);
      assert.equal((await raw(world, '/metrics', { headers: { authorization: 'Bearer figures-please' } })).status, 200);
    } finally {
      await world.stop();
    }
  });
});

describe('logs', function () {
  this.timeout(60_000);
  it('are JSON lines that name each request, and hold no secrets', async () => {
    const world = await World.start();
    const ann = await world.person('Ann');
    const server = await ServerProcess.start(world, { LOG_LEVEL: 'debug', SLOW_OPERATION: '1', RATE_LIMIT_AUTH: '100000' });
    try {
      const body = JSON.stringify({
        query: 'mutation In($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken } }',
        variables: { input: { email: 'ann@example.com', password: 'password of ann' } },
      });
      const answer = await fetch(`${server.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-request-id': 'trace-me', authorization: `Bearer ${ann.accessToken}` }, body });
      const { data } = (await answer.json()) as { data: { signIn: { accessToken: string; refreshToken: string } } };
      await eventually(() => server.lines.some((line) => line['msg'] === 'request' && line['requestId'] === 'trace-me'), 'the request is logged');
      const request = server.lines.find((line) => line['msg'] === 'request' && line['requestId'] === 'trace-me')!;
      assert.deepEqual([request['method'], request['path'], request['status']], ['POST', '/graphql', 200]);
      const operation = server.lines.find((line) => line['msg'] === 'slow operation' && line['requestId'] === 'trace-me')!;
      assert.deepEqual([operation['level'], operation['operation'], operation['kind'], operation['transport'], operation['code']], [pino.levels.values['warn'], 'In', 'mutation', 'http', null]);
      const everything = JSON.stringify(server.lines);
      for (const secret of [ann.accessToken, data.signIn.accessToken, data.signIn.refreshToken, 'password of ann']) assert.ok(!everything.includes(secret));
    } finally {
      await server.kill();
      await world.stop();
    }
  });
});

describe('settings that are wrong', function () {
  this.timeout(60_000);
  it('end the start, all named at once, with nothing else opened', async () => {
    const error: Error = await ServerProcess.start({ databaseUrl: 'mysql://x' }, { PORT: '99999', LOG_LEVEL: 'loud', MAX_QUERY_DEPTH: '1', PERSISTED_ONLY: 'true' }).then(
      async (server) => {
        await server.kill();
        return assert.fail('it started');
      },
      (caught: Error) => caught,
    );
    for (const name of ['PORT', 'LOG_LEVEL', 'MAX_QUERY_DEPTH', 'DATABASE_URL', 'PERSISTED_OPERATIONS']) assert.match(error.message, new RegExp(`^ {2}${name}: `, 'm'));
    assert.doesNotMatch(error.message, /\bat .*\.ts:/);
  });
});
