import assert from 'node:assert/strict';
import pg from 'pg';
import { PostgresProcess } from '../../test/testkit/postgres-process.js';
import { eventually, within, World } from '../../test/testkit/world.js';
import type { Sql } from './database.js';
import { ReadReplicas } from './replicas.js';

const log = { warn: () => undefined, info: () => undefined };

describe('reads from replicas', function () {
  this.timeout(60_000);
  let primary: PostgresProcess;
  let replica: PostgresProcess;
  let pool: pg.Pool;
  let sql: Sql;
  let replicas: ReadReplicas;
  let positions = 0;
  before(async () => {
    primary = await PostgresProcess.start();
    replica = await primary.replica();
    pool = new pg.Pool({ connectionString: primary.url, max: 8 });
    pool.on('error', () => undefined);
    sql = async <Row extends object>(text: string, values: unknown[] = []) => {
      if (text.includes('pg_current_wal')) positions++;
      return (await pool.query<Row & pg.QueryResultRow>(text, values)).rows;
    };
    replicas = new ReadReplicas(sql, { urls: [replica.url], pool: 4, waitMs: 150 }, log);
    await sql('create table things (n int primary key)');
  });
  after(async () => {
    await replicas.close();
    await pool.end();
    await replica.close();
    await primary.close();
  });
  beforeEach(() => Object.assign(replicas.figures, { replica: 0, primary: 0 }));

  const has = async (n: number, reads = replicas.reads()) => (await reads('select 1 from things where n = $1', [n])).length === 1;
  const pauseReplay = async () => {
    await replica.sql('select pg_wal_replay_pause()');
    await eventually(async () => (await replica.sql<{ state: string }>('select pg_get_wal_replay_pause_state() as state'))[0]!.state === 'paused', 'it pauses');
  };
  const write = (n: number) => sql('insert into things values ($1)', [n]);

  it('show whatever was committed before they began', async () => {
    for (let n = 0; n < 200; n++) {
      await write(n);
      assert.equal(await has(n), true, `${n}`);
    }
    assert.ok(replicas.figures.replica > 190, `${replicas.figures.replica} by the replica`);
  });

  it('ask the primary once for all that begin together, and never take an answer from before', async () => {
    positions = 0;
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        await write(1_000 + index);
        assert.equal(await has(1_000 + index), true);
      }),
    );
    assert.ok(positions < 150, `${positions} questions for 200 operations`);
  });

  it('of one operation are by one replica, with one position', async () => {
    positions = 0;
    const reads = replicas.reads();
    for (let n = 0; n < 10; n++) await has(n, reads);
    assert.deepEqual([positions, replicas.figures], [1, { replica: 10, primary: 0 }]);
  });

  it('wait no longer than they may for one that lags; it is read from again when it is there', async () => {
    await pauseReplay();
    await write(2_000);
    const began = performance.now();
    assert.equal(await has(2_000), true);
    const first = performance.now() - began;
    assert.ok(first >= 140, `${first} ms`);
    for (let n = 2_001; n < 2_020; n++) {
      await write(n);
      assert.equal(await has(n), true);
    }
    assert.ok(performance.now() - began < first + 19 * 100, 'only one has waited');
    assert.deepEqual(replicas.figures, { replica: 0, primary: 20 });
    await replica.sql('select pg_wal_replay_resume()');
    await eventually(async () => (await has(2_000)) && replicas.figures.replica > 0, 'it is read from again');
  });

  it('go to the primary when the replica is gone, and come back', async () => {
    await eventually(async () => (await has(0)) && replicas.figures.replica > 0, 'it is read from');
    await replica.stop('immediate');
    for (let n = 0; n < 20; n++) assert.equal(await has(n), true);
    assert.ok(replicas.figures.primary >= 20);
    await replica.start();
    const before = replicas.figures.replica;
    await eventually(async () => (await has(1)) && replicas.figures.replica > before, 'it is read from again');
  });

  it('of one whose connections were lost while nobody read is not believed how far it had come', async () => {
    await eventually(async () => (await has(2_000)) && replicas.figures.replica > 0, 'it is read from');
    await replica.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnitalk reads'`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    Object.assign(replicas.figures, { replica: 0, primary: 0 });
    assert.equal(await has(2_000), true);
    assert.deepEqual(replicas.figures, { replica: 0, primary: 1 });
    await eventually(async () => (await has(2_000)) && replicas.figures.replica > 0, 'it is read from again');
  });

  it('a statement that writes after all is the primary’s', async () => {
    await replicas.reads()('insert into things values (9999)');
    assert.equal(await has(9_999), true);
  });

  describe('in the application, on two nodes', () => {
    let world: World;
    before(async () => {
      await primary.sql('create database app', 'postgres');
      const at = (server: PostgresProcess) => server.url.replace(/omnitalk$/, 'app');
      world = await World.start({ nodes: 2, database: { url: at(primary), drop: async () => undefined }, settings: { DATABASE_REPLICAS: at(replica), DATABASE_POOL: '6' } });
    });
    after(() => world.stop());

    it('one finds on either node what one has just written on the other, and what an event has told of', async () => {
      const [ann, bob] = [await world.person('Ann', 0), await world.person('Bob', 1)];
      const chatId = await world.groupChat(ann, [bob]);
      const elsewhere = world.client(ann.accessToken, 1);
      const events = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
      const texts = async (api: typeof elsewhere.api) => (await api.chatMessages({ id: chatId, last: 1 })).chat!.messages.edges.map(({ node }) => node.text);
      const figures = () => world.apps.map((app) => ({ ...app.container.db.replicas!.figures }));
      let said = 0;
      const sayAndRead = async () => {
        const text = `number ${++said}`;
        const { seq } = await world.say(ann, chatId, text);
        const { api } = said % 2 ? ann : elsewhere;
        assert.deepEqual(await texts(api), [text]);
        // Pages are the primary's; a message by its number, and how much is unread, replicas may answer.
        assert.equal((await api.messageBySeq({ chatId, seq })).chat!.message?.text, text);
        for (;;) {
          const { value } = await within(events.next(), 'the event');
          if (value?.__typename !== 'MessageSent') continue;
          assert.deepEqual([value.message!.text, await texts(bob.api)], [text, [text]]);
          assert.equal((await bob.api.chatLine({ id: chatId })).chat!.viewerState!.unreadCount, said);
          return;
        }
      };
      for (let n = 0; n < 20; n++) await sayAndRead();
      assert.ok(figures().every((one) => one.replica > 10), JSON.stringify(figures()));
      // From here on it is behind, and what is asked for is not there.
      await pauseReplay();
      try {
        await sayAndRead();
        const before = figures();
        for (let n = 0; n < 10; n++) await sayAndRead();
        const held = (server: PostgresProcess) => server.sql(`select from messages m where m::text like '%number ${said}%'`, 'app');
        assert.deepEqual([(await held(primary)).length, (await held(replica)).length], [1, 0]);
        assert.deepEqual(figures().map(({ replica: read }) => read), before.map(({ replica: read }) => read));
        assert.ok(figures().every((one, node) => one.primary > before[node]!.primary), JSON.stringify([before, figures()]));
      } finally {
        await replica.sql('select pg_wal_replay_resume()');
      }
      const before = figures();
      await eventually(async () => {
        await sayAndRead();
        return figures().every((one, node) => one.replica > before[node]!.replica);
      }, 'both read from it again');
      events.close();
    });
  });
});
