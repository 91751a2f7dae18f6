import assert from 'node:assert/strict';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import { eventually } from '../../test/testkit/world.js';
import { onlyReads, ReadLanes } from './read-lanes.js';

describe('readings that share connections', () => {
  describe('what may share one', () => {
    for (const text of ['select 1', '  select a from b where c = $1', '(select 1) union all (select 2)', 'with x as (select 1) select * from x', 'select updated_at, for_sale from products'])
      it(`may: ${text}`, () => assert.equal(onlyReads(text), true));
    for (const text of [
      'insert into a values (1)', 'update a set b = 1', 'delete from a', 'select from chats where id = $1 for update', 'select 1 from a for no key update skip locked', 'select 1 from a for share',
      'with gone as (delete from a returning id) select count(*) from gone', "select pg_advisory_lock(1)", 'select pg_sleep(1)', "select pg_notify('a', 'b')", 'select * from send_messages($1)',
      "select nextval('s')", 'select graphile_worker.add_job($1)', 'select 1 into x', 'begin', 'listen x', "select set_config('a', 'b', false)",
    ])
      it(`may not: ${text}`, () => assert.equal(onlyReads(text), false));
  });

  describe('over PostgreSQL', () => {
    let database: TestDatabase;
    let pool: pg.Pool;
    let lanes: ReadLanes;
    let byPool: number;
    before(async () => {
      database = await createTestDatabase();
      pool = new pg.Pool({ connectionString: database.url, max: 3 });
      pool.on('error', () => undefined);
    });
    beforeEach(() => {
      lanes = new ReadLanes({ connectionString: database.url });
      byPool = 0;
    });
    afterEach(() => lanes.end());
    after(async () => {
      await pool.end();
      await database.drop();
    });

    const run = <Row extends object>(name: string, text: string, values: unknown[] = []) =>
      lanes.run<Row>(name, text, values, async () => {
        byPool++;
        return (await pool.query<Row>({ name, text, values })).rows;
      });
    /** Until the text is known to be short and both connections stand. */
    const warm = async (name: string, text: string, values: unknown[] = []) => {
      for (let turn = 0; turn < 8; turn++) await run(name, text, values);
      await eventually(async () => {
        await run(name, text, values);
        return lanes.connected === 2;
      }, 'both connections stand');
      byPool = 0;
    };

    it('answers each with its own rows, whatever else is under way, and leaves the pool alone', async () => {
      await warm('own', 'select $1::int as n, pg_backend_pid() as pid', [0]);
      const rows = await Promise.all(Array.from({ length: 60 }, (_, n) => run<{ n: number; pid: number }>('own', 'select $1::int as n, pg_backend_pid() as pid', [n])));
      assert.deepEqual(rows.map(([row]) => row!.n), Array.from({ length: 60 }, (_, n) => n));
      assert.equal(new Set(rows.map(([row]) => row!.pid)).size, 2);
      assert.equal(byPool, 0);
    });

    it('fails a statement alone, with the error of PostgreSQL', async () => {
      await warm('quotient', 'select 6 / $1::int as n', [1]);
      const results = await Promise.allSettled([3, 0, 2].map((n) => run<{ n: number }>('quotient', 'select 6 / $1::int as n', [n])));
      assert.deepEqual(results.map((result) => (result.status === 'fulfilled' ? result.value[0]!.n : (result.reason as { code: string }).code)), [2, '22012', 3]);
      assert.equal(byPool, 0);
    });

    it('reads again over the pool what a lost connection has not answered, and comes back', async () => {
      await warm('lost', 'select $1::int as n, pg_backend_pid() as pid', [0]);
      const pids = new Set((await Promise.all(Array.from({ length: 8 }, () => run<{ pid: number }>('lost', 'select $1::int as n, pg_backend_pid() as pid', [0])))).map(([row]) => row!.pid));
      await pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [[...pids]]);
      const rows = await Promise.all(Array.from({ length: 20 }, (_, n) => run<{ n: number }>('lost', 'select $1::int as n, pg_backend_pid() as pid', [n])));
      assert.deepEqual(rows.map(([row]) => row!.n), Array.from({ length: 20 }, (_, n) => n));
      assert.equal(byPool, 20);
      await eventually(async () => {
        await run('lost', 'select $1::int as n, pg_backend_pid() as pid', [1]);
        return lanes.connected === 2;
      }, 'the connections are back');
    });

    it('keeps long ones away from the others', async () => {
      const LONG = 'select count(*)::int as n from generate_series(1, 400000) n';
      for (let turn = 0; turn < 8; turn++) await run('long', LONG);
      byPool = 0;
      await warm('short', 'select 1 as n');
      await Promise.all([run('long', LONG), run('short', 'select 1 as n')]);
      assert.equal(byPool, 1);
    });

    it('asks the pool where no connection can be had, and ends though one is under way', async () => {
      lanes = new ReadLanes({ connectionString: database.url.replace(/\/[^/]*$/, '/there_is_no_such_database') });
      for (let turn = 0; turn < 12; turn++) assert.deepEqual(await run('none', 'select 7 as n'), [{ n: 7 }]);
      assert.equal(byPool, 12);
      assert.equal(lanes.connected, 0);
    });
  });
});
