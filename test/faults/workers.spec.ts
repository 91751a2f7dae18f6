import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { isAlive } from '../../src/db/process-identity.js';
import { createTestDatabase, type TestDatabase } from '../testkit/database.js';
import { assertLossless, lasting, LONG, signUp, Witness, Writer, type Caller } from '../testkit/lossless.js';
import { RedisProcess, ServerProcess } from '../testkit/processes.js';
import { eventually } from '../testkit/world.js';

const MUTATIONS = 'omnitalk_operation_duration_seconds_count{transport="http",kind="mutation",outcome="ok"}';
/** On a machine that is busy with something else. */
const SERVES_AGAIN_MS = 60_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const uuidOf = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** The workers of a primary, by number. */
function workersOf(primary: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== primary) continue;
      const worker = /worker-(\d+)\0$/.exec(readFileSync(`/proc/${name}/cmdline`, 'latin1'))?.[1];
      if (worker) found.set(Number(worker), Number(name));
    } catch {
      // ended while we were looking
    }
  }
  return found;
}

async function assertFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** `npm start` with WORKERS=2: a primary, two processes on one port, a database and a Redis. */
describe('faults of workers: several processes on one port', function () {
  this.timeout(lasting(180_000, 600_000));
  let database: TestDatabase;
  let redis: RedisProcess;
  let server: ServerProcess;
  let sql: pg.Client;
  let people: Caller[];
  let chatId: string;
  const guests: Caller[] = [];

  before(async () => {
    database = await createTestDatabase();
    redis = await RedisProcess.start();
    server = await ServerProcess.start({ DATABASE_URL: database.url, REDIS_URL: redis.url, WORKERS: '2' });
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    people = await Promise.all(['Ann', 'Bob', 'Carol', 'Dave', 'Eve', 'Finn'].map((name) => signUp(server.url, name)));
    const [ann, ...others] = people as [Caller, ...Caller[]];
    const { createChat } = await ann.client.api.createChat({ input: { kind: 'GROUP', title: 'All', memberIds: others.map(({ id }) => id), idempotencyKey: 'chat' } });
    chatId = createChat.chat.id;
  });
  after(async () => {
    for (const { client } of [...(people ?? []), ...guests]) await client.close();
    await server?.end('SIGKILL');
    await sql?.end();
    await redis?.close();
    await database?.drop();
  });

  const head = async () => Number((await sql.query<{ head: string }>('select head from streams where id = $1', [`chat:${uuidOf(chatId)}`])).rows[0]!.head);
  const nodes = async () => (await sql.query<{ people: number }>('select count(*)::int as people from presence p join nodes n on n.id = p.node_id where n.lease_until > now() group by node_id order by 1')).rows.map((row) => row.people);

  /** Runs traffic, does what is to be done meanwhile, and looks at what each subscriber has seen. */
  async function under(fault: () => Promise<void>): Promise<Writer[]> {
    const [ann, bob] = people as [Caller, Caller];
    const { chat } = await ann.client.api.chat({ id: chatId });
    const from = await head();
    const witnesses = people.map((person) => Witness.ofChat(person, chatId, chat!.eventCursor));
    const stamp = `${Date.now()}`;
    const writers = [new Writer(ann, chatId, `ann ${stamp}`).start(), new Writer(bob, chatId, `bob ${stamp}`).start()];
    await pause(300);
    await fault();
    await pause(lasting(300, 5_000));
    await Promise.all(writers.map((writer) => writer.stop()));
    await assertLossless(chatId, from, head, witnesses, writers);
    for (const witness of witnesses) witness.close();
    for (const writer of writers) assert.ok(writer.acknowledged.length > 0, 'somebody wrote nothing');
    return writers;
  }

  async function figures(): Promise<Map<string, number>> {
    // A connection of its own each time: another process may answer.
    const text = await (await fetch(server.url.replace('/graphql', '/metrics'), { headers: { connection: 'close' } })).text();
    return new Map(text.split('\n').flatMap((line) => (/^[a-z]/.test(line) ? [[line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))] as const] : [])));
  }

  it('behave as one, with clients on both', async () => {
    const more: Witness[] = [];
    const writers = await under(async () => {
      await eventually(async () => (await nodes()).reduce((sum, n) => sum + n, 0) === people.length, 'everybody is there');
      // The system throws dice: rarely all of them fall on one side.
      while ((await nodes()).length < 2) {
        const guest = await signUp(server.url, `Guest${guests.length}`);
        guests.push(guest);
        more.push(Witness.ofInbox(guest, []));
        await pause(500);
      }
    });
    for (const witness of more) witness.close();
    assert.deepEqual(writers.map((writer) => [...writer.failures]), [[], []]);
  });

  it('say the figures of all, whichever is asked, and run jobs in one', async () => {
    const said = [await figures(), await figures(), await figures(), await figures()];
    const { rows } = await sql.query<{ n: number }>('select count(*)::int as n from messages');
    assert.deepEqual(said.map((one) => one.get(MUTATIONS)), Array(4).fill(people.length + guests.length + 1 + rows[0]!.n), 'each sign-up, the chat and each message was counted once');
    assert.equal(said[0]!.get('omnitalk_workers'), 2);
    assert.equal(said[0]!.get('omnitalk_worker_deaths_total'), 0);
    assert.equal(said[0]!.get('omnitalk_bus_healthy'), 1);
    for (const worker of ['primary', '1', '2']) assert.ok(said[0]!.has(`process_resident_memory_bytes{worker="${worker}"}`), worker);
    const jobs = await sql.query(`select from pg_stat_activity where application_name like 'omnitalk jobs %' and datname = current_database()`);
    assert.equal(jobs.rowCount, 1);
  });

  it('one is killed by SIGKILL while it carries traffic: nothing is lost, and another takes its place', async () => {
    const old = workersOf(server.pid);
    const before = (await figures()).get(MUTATIONS)!;
    await under(async () => {
      process.kill(old.get(2)!, 'SIGKILL');
      await eventually(() => server.said.includes('a worker serves again'), 'another serves', SERVES_AGAIN_MS);
    });
    const now = workersOf(server.pid);
    assert.deepEqual([now.size, now.get(1), now.get(2) === old.get(2)], [2, old.get(1), false]);
    assert.match(server.said, /worker 2 ended by SIGKILL/);
    const after = await figures();
    assert.equal(after.get('omnitalk_worker_deaths_total'), 1);
    assert.ok(after.get(MUTATIONS)! > before, 'totals never fall');
  });

  it('SIGTERM drains all of them; the port is free, and nobody is left', async () => {
    const { pid, port } = server;
    const all = [...workersOf(pid).values()];
    assert.equal(all.length, 2);
    server.said = '';
    assert.equal(await server.end('SIGTERM'), 0, server.said);
    assert.deepEqual(all.filter(isAlive), []);
    await assertFree(port);
    assert.equal((server.said.match(/"msg":"stopping"/g) ?? []).length, 3);
  });

  it('when the primary is killed, they send their clients away and end', async () => {
    await server.start();
    const all = [...workersOf(server.pid).values()];
    const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws');
    const closed = once(socket, 'close') as Promise<[CloseEvent]>;
    await once(socket, 'open');
    await server.end('SIGKILL');
    assert.equal((await closed)[0].code, 1012);
    await eventually(() => !all.some(isAlive), 'all of them have ended', SERVES_AGAIN_MS);
    await assertFree(server.port);
  });

  // Each of these starts processes for seconds.
  if (LONG) {
    it('one that is told to stop is replaced at once, without anybody noticing', async () => {
      await server.end('SIGKILL');
      await server.start();
      const old = workersOf(server.pid);
      await under(async () => {
        server.said = '';
        process.kill(old.get(1)!, 'SIGTERM');
        await eventually(() => server.said.includes('a worker serves again'), 'another serves', SERVES_AGAIN_MS);
      });
      assert.equal((await figures()).get('omnitalk_worker_deaths_total'), 0, 'it did not die');
      assert.notEqual(workersOf(server.pid).get(1), old.get(1));
    });

    it('one that cannot start ends the start, and says why', async () => {
      const blocker = createServer().listen(0, '127.0.0.1');
      await once(blocker, 'listening');
      const { port } = blocker.address() as AddressInfo;
      const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, WORKERS: '2' };
      try {
        await assert.rejects(ServerProcess.start(env, { port }), /Error: listen EADDRINUSE/);
      } finally {
        blocker.close();
      }
    });

    it('when the primary is killed while a worker is being loaded, that one ends too', async () => {
      await server.end('SIGKILL');
      await server.start();
      const old = workersOf(server.pid).get(2)!;
      process.kill(old, 'SIGKILL');
      await eventually(() => (workersOf(server.pid).get(2) ?? old) !== old, 'another starts');
      const all = [...workersOf(server.pid).values()];
      await server.end('SIGKILL');
      await eventually(() => !all.some(isAlive), 'all of them have ended', 20_000);
    });

    it('a crash loop ends the primary, and says why', async () => {
      await server.end('SIGKILL');
      await server.start();
      const ended = server.ended();
      const hunt = setInterval(() => {
        const pid = workersOf(server.pid).get(2);
        if (pid) process.kill(pid, 'SIGKILL');
      }, 50);
      assert.equal(await ended, 1);
      clearInterval(hunt);
      assert.match(server.said, /worker 2 ended by SIGKILL.*6th time in a row/);
      await assertFree(server.port);
    });
  }
});
