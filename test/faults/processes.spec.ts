import assert from 'node:assert/strict';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../testkit/database.js';
import { again, assertLossless, lasting, signUp, Witness, Writer, type Caller } from '../testkit/lossless.js';
import { RedisProcess, ServerProcess } from '../testkit/processes.js';
import { Relay } from '../testkit/relay.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const uuidOf = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** Two servers in processes of their own, a database, a Redis, and a relay before each server. */
describe('faults of processes: nothing is lost, nothing comes twice', function () {
  this.timeout(lasting(180_000, 600_000));
  let database: TestDatabase;
  let redis: RedisProcess;
  let servers: [ServerProcess, ServerProcess];
  let relays: [Relay, Relay];
  let sql: pg.Client;
  let ann: Caller;
  let bob: Caller;
  let carol: Caller;
  let chatId: string;
  const everybody: Caller[] = [];

  before(async () => {
    database = await createTestDatabase();
    redis = await RedisProcess.start();
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url };
    servers = [await ServerProcess.start(env), await ServerProcess.start(env)];
    relays = [await Relay.start(servers[0].port), await Relay.start(servers[1].port)];
    sql = new pg.Client({ connectionString: database.url });
    sql.on('error', () => undefined);
    await sql.connect();
    [ann, bob, carol] = await Promise.all([signUp(relays[0].url, 'Ann'), signUp(relays[1].url, 'Bob'), signUp(relays[0].url, 'Carol')]);
    everybody.push(ann, bob, carol);
    const { createChat } = await ann.client.api.createChat({ input: { kind: 'GROUP', title: 'All', memberIds: [bob.id, carol.id], idempotencyKey: 'chat' } });
    chatId = createChat.chat.id;
  });
  after(async () => {
    for (const { client } of everybody) await client.close();
    for (const relay of relays ?? []) await relay.close();
    for (const server of servers ?? []) await server.end('SIGKILL');
    await sql?.end();
    await redis?.close();
    await database?.drop();
  });

  const head = async () => Number((await sql.query<{ head: string }>('select head from streams where id = $1', [`chat:${uuidOf(chatId)}`])).rows[0]!.head);

  /** Runs traffic from both servers, does what is to be done meanwhile, and looks at what each subscriber has seen. */
  async function under(fault: () => Promise<void>, ms = lasting(500, 20_000)): Promise<{ writers: Writer[]; witnesses: Witness[] }> {
    const { chat } = await ann.client.api.chat({ id: chatId });
    const { viewer } = await carol.client.api.viewer();
    const from = await head();
    const witnesses = [
      Witness.ofChat(ann, chatId, chat!.eventCursor),
      Witness.ofChat(bob, chatId, chat!.eventCursor),
      Witness.ofInbox(carol, [viewer!.eventCursor, chat!.eventCursor]),
    ];
    const stamp = `${Date.now()}`;
    const writers = [new Writer(ann, chatId, `ann ${stamp}`).start(), new Writer(bob, chatId, `bob ${stamp}`).start()];
    try {
      await pause(300);
      await fault();
      await pause(ms);
      await Promise.all(writers.map((writer) => writer.stop()));
      await assertLossless(chatId, from, head, witnesses, writers);
    } catch (error) {
      throw new Error([(error as Error).message, ...servers.map((server, index) => `server ${index}: ${server.state}`)].join('\n'), { cause: error });
    } finally {
      for (const witness of witnesses) witness.close();
      await Promise.allSettled(writers.map((writer) => writer.stop()));
    }
    for (const writer of writers) assert.ok(writer.acknowledged.length > 0, 'somebody wrote nothing');
    return { writers, witnesses };
  }

  it('without any: two processes on one Redis behave as one', async () => {
    const { writers } = await under(async () => undefined);
    assert.deepEqual(writers.map((writer) => [...writer.failures]), [[], []]);
    assert.deepEqual(writers.map((writer) => writer.doubtful), [[], []]);
  });

  it('sockets are killed, towards the client, towards the server, and both, again and again', async () => {
    await under(async () => {
      for (let time = 0; time < lasting(4, 40); time++) {
        relays[time % 2]!.cut((['client', 'server', 'both'] as const)[time % 3]);
        await pause(200);
      }
    });
  });

  it('a server is killed by SIGKILL while it carries traffic, and started again', async () => {
    await under(async () => {
      for (let time = 0; time < lasting(1, 5); time++) {
        await servers[0].end('SIGKILL');
        await servers[0].start();
      }
    });
  });

  it('a server is killed, and its clients go to the other', async () => {
    await under(async () => {
      relays[1].target = servers[0].port;
      await servers[1].end('SIGKILL');
      relays[1].cut();
    });
    await servers[1].start();
    relays[1].target = servers[1].port;
    relays[1].cut();
  });

  it('a server stops in order, while its clients go to the other', async () => {
    let code: number | null = null;
    await under(async () => {
      relays[0].target = servers[1].port;
      code = await servers[0].end('SIGTERM');
    });
    assert.equal(code, 0, servers[0].said);
    await servers[0].start();
    relays[0].target = servers[0].port;
    relays[0].cut();
  });

  it('a server is frozen for a while', async () => {
    await under(async () => {
      servers[0].signal('SIGSTOP');
      await pause(lasting(900, 8_000));
      servers[0].signal('SIGCONT');
    });
  });

  it('Redis is killed, stays away, and comes back', async () => {
    await under(async () => {
      for (let time = 0; time < lasting(1, 4); time++) {
        await redis.kill();
        await pause(lasting(800, 5_000));
        await redis.start();
      }
    });
  });

  it('Redis hangs: it takes and does not answer', async () => {
    await under(async () => {
      redis.signal('SIGSTOP');
      // Whoever subscribes now is not held up by it.
      const late = Witness.ofChat(again(bob, relays[0].url), chatId, (await bob.client.api.chat({ id: chatId })).chat!.eventCursor);
      await pause(lasting(1_200, 6_000));
      assert.ok(late.of(chatId).length > 0, 'a subscription that begins meanwhile is served');
      late.close();
      redis.signal('SIGCONT');
    });
  });

  it('every connection to PostgreSQL is terminated, again and again', async () => {
    await under(async () => {
      for (let time = 0; time < lasting(3, 30); time++) {
        await sql.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
        // Jobs end all the while: how one ended is told by a connection that is lost.
        await sql.query(`select graphile_worker.add_job('forget-used-keys', '{}'::json) from generate_series(1, 5)`);
        await pause(250);
      }
    });
  });
});
