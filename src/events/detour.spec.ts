import assert from 'node:assert/strict';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import { RedisProcess } from '../../test/testkit/processes.js';
import { Relay } from '../../test/testkit/relay.js';
import { eventually } from '../../test/testkit/world.js';
import type { Sql } from '../db/database.js';
import type { Logger } from '../lib/logger.js';
import { PostgresDetour } from './detour.js';
import { RedisBus } from './redis-bus.js';

const log = { warn: () => undefined, error: () => undefined } as unknown as Logger;

describe('the way of the bus through PostgreSQL', function () {
  this.timeout(40_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let sql: Sql;
  const detours: PostgresDetour[] = [];
  before(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => undefined);
    sql = async <Row extends object>(text: string, values: unknown[] = []) => (await pool.query<Row & pg.QueryResultRow>(text, values)).rows;
  });
  after(async () => {
    await Promise.all(detours.map((one) => one.close()));
    await pool.end();
    await database.drop();
  });

  async function detour(): Promise<PostgresDetour> {
    const made = new PostgresDetour(database.url, sql, log);
    detours.push(made);
    await made.start();
    assert.equal(made.ready, true);
    return made;
  }
  const terminate = () => sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnitalk bus' and datname = current_database()`);

  describe('carries texts', () => {
    it('of any length and any letters, in the order of their sending, alike ones each time', async () => {
      const [a, b] = [await detour(), await detour()];
      const heard: string[] = [];
      b.onMessage((text) => heard.push(JSON.parse(text) as string));
      const sent = ['short', 'short', 'ü–😀'.repeat(3), 'x'.repeat(7_900), '😀'.repeat(20_000), 'y'.repeat(7_800 * 3), 'y'.repeat(7_800 * 3), 'last'];
      for (const text of sent) a.send(JSON.stringify(text));
      await eventually(() => heard.length >= sent.length, 'all have come');
      assert.deepEqual(heard, sent);
    });

    it('after its connection was lost, and says that some may be missing', async () => {
      const [a, b] = [await detour(), await detour()];
      let renewed = 0;
      const heard: string[] = [];
      b.onRenewed(() => renewed++);
      b.onMessage((text) => heard.push(text));
      await terminate();
      await eventually(() => !b.ready, 'it is noticed');
      await eventually(() => b.ready && renewed === 1, 'it listens again');
      a.send('{}');
      await eventually(() => heard.length === 1, 'it is heard');
    });

    it('and drops what is too much, without a word to who sends', async () => {
      const a = await detour();
      let heard = 0;
      a.onMessage(() => heard++);
      for (let n = 0; n < 2_000; n++) a.send(JSON.stringify('z'.repeat(10_000)));
      a.send(JSON.stringify('z'.repeat(500_000)));
      await eventually(() => heard >= 399, 'what there was room for has come', 15_000);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(heard, 399, '4,000,000 letters of 10,002 each');
    });
  });

  describe('stands in for Redis', () => {
    let redis: RedisProcess;
    let relays: Relay[];
    const buses: RedisBus[] = [];
    const heard: number[][] = [[], [], []];
    before(async () => {
      redis = await RedisProcess.start();
      relays = await Promise.all([0, 1, 2].map(() => Relay.start(Number(new URL(redis.url).port))));
      for (const [n, relay] of relays.entries()) {
        const bus = new RedisBus({ url: `redis://127.0.0.1:${new URL(relay.url).port}` }, log, await detour());
        buses.push(bus);
        await bus.subscribe('t', (message) => heard[n]!.push((message as { n: number }).n));
      }
      await eventually(() => buses.every(({ state }) => state === 'ok'), 'they are connected');
    });
    after(async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      for (const relay of relays) await relay.close();
      await redis.close();
    });
    beforeEach(() => heard.forEach((one) => one.splice(0)));

    const states = () => buses.map(({ state }) => state);
    let sent = 0;
    /** Each sends some; everybody hears all of it, once. */
    async function everybodyHears(): Promise<void> {
      const all = buses.flatMap((bus) => [1, 2, 3].map(() => (bus.publish('t', { n: ++sent }), sent)));
      const hears = (one: number[]) => all.every((n) => one.includes(n));
      await eventually(() => heard.every(hears), 'everybody has heard', 3_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const one of heard) assert.deepEqual(one.filter((n) => all.includes(n)).sort((x, y) => x - y), all);
    }

    it('not at all while Redis is there', async () => {
      let notified = 0;
      const witness = new pg.Client({ connectionString: database.url });
      await witness.connect();
      witness.on('notification', () => notified++);
      await witness.query('listen omnitalk_bus');
      await everybodyHears();
      await witness.query('select 1');
      await witness.end();
      assert.equal(notified, 0);
      assert.deepEqual(states(), ['ok', 'ok', 'ok']);
    });

    it('when Redis is gone, and when it comes back', async () => {
      await redis.kill();
      await eventually(() => states().every((state) => state === 'by-postgres'), 'it is noticed');
      await everybodyHears();
      await redis.start();
      await eventually(() => states().every((state) => state === 'ok'), 'it is back', 10_000);
      await everybodyHears();
    });

    it('when Redis hangs', async () => {
      redis.signal('SIGSTOP');
      try {
        await eventually(() => states().every((state) => state === 'by-postgres'), 'it is noticed', 6_000);
        await everybodyHears();
      } finally {
        redis.signal('SIGCONT');
      }
      await eventually(() => states().every((state) => state === 'ok'), 'it is back', 10_000);
      await everybodyHears();
    });

    it('when one process alone is cut off from Redis: the others hear it, and it hears them', async () => {
      const port = relays[0]!.target;
      relays[0]!.target = 1; // nobody listens there
      relays[0]!.cut();
      await eventually(() => states()[0] === 'by-postgres', 'it is noticed');
      await new Promise((resolve) => setTimeout(resolve, 1_200)); // it has told the others
      assert.deepEqual(states().slice(1), ['ok', 'ok']);
      await everybodyHears();
      relays[0]!.target = port;
      await eventually(() => states()[0] === 'ok', 'it is back', 10_000);
      await everybodyHears();
    });

    it('and where neither is left it says so, and goes on with what comes back first', async () => {
      let recovered = 0;
      buses[1]!.onRecovered(() => recovered++);
      await redis.kill();
      await eventually(() => states().every((state) => state === 'by-postgres'), 'Redis is gone');
      const name = new URL(database.url).pathname.slice(1);
      const admin = new pg.Client({ connectionString: database.url.replace(/\/[^/]*$/, '/postgres') });
      await admin.connect();
      await admin.query(`alter database ${name} with allow_connections false`);
      await terminate().catch(() => undefined);
      await eventually(() => states().every((state) => state === 'away'), 'it is said');
      recovered = 0;
      await admin.query(`alter database ${name} with allow_connections true`);
      await admin.end();
      await eventually(() => states().every((state) => state === 'by-postgres'), 'PostgreSQL is back', 10_000);
      assert.ok(recovered > 0, 'who follows streams was told to compare');
      await everybodyHears();
    });
  });
});
