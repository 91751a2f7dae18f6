import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { lasting } from '../testkit/lossless.js';
import type { PostgresProcess } from '../testkit/postgres-process.js';
import { eventually } from '../testkit/world.js';
import { again, figure, PATIENCE_MS, pause, random, type Experiment } from './experiment.js';
import { askedInVain, mediaWorkersKilled, mediaWorkersKilledUnwritten } from './media-experiments.js';
import { partedFromPostgres, partedFromRedis } from './parted.js';
import { reconnects } from './reconnects.js';
import { torn } from './torn.js';

/** A connection of ours to PostgreSQL, past the relay; its loss is no error. */
async function connect(postgres: PostgresProcess): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A process that serves one connection of PostgreSQL's, by chance. */
function backendOf(postmaster: number): number | undefined {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === postmaster && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('omnitalk omnitalk');
    } catch {
      return false; // ended while we were looking
    }
  });
  return children.length ? Number(children[random(children.length)]) : undefined;
}

const killAnything: Experiment = {
  name: 'any process is killed by SIGKILL, at any moment',
  async run(stage) {
    for (let time = 0; time < lasting(1, 8); time++) {
      await pause(random(400));
      const victim = random(4);
      if (victim < 2) {
        await stage.servers[victim]!.end('SIGKILL');
        await pause(random(300));
        await stage.servers[victim]!.start();
      } else if (victim === 2) {
        await stage.redis.kill();
        await pause(random(500));
        await stage.redis.start();
      } else {
        // PostgreSQL trusts its shared memory no more then, ends everybody's connection and recovers.
        const backend = backendOf(stage.postgres.pid);
        if (backend) process.kill(backend, 'SIGKILL');
        await eventually(() => stage.sql('select 1').then(() => true, () => false), 'PostgreSQL has recovered', PATIENCE_MS);
      }
    }
  },
};

const postgresRestarted: Experiment = {
  name: 'PostgreSQL is restarted whole, in order and by a crash',
  async run(stage) {
    await stage.postgres.stop('fast');
    await pause(lasting(300, 3_000));
    await stage.postgres.start();
    await pause(500);
    await stage.postgres.stop('immediate');
    await stage.postgres.start();
  },
};

const noConnections: Experiment = {
  name: 'PostgreSQL is out of connections',
  async run(stage) {
    const hogs: pg.Client[] = [];
    try {
      await stage.sql(`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'omnitalk' and pid <> pg_backend_pid()`);
      for (;;) hogs.push(await connect(stage.postgres));
    } catch (error) {
      assert.equal((error as { code?: string }).code, '53300', String(error));
    }
    assert.ok(hogs.length > 0, 'nothing was taken');
    await pause(lasting(1_000, 10_000));
    await Promise.all(hogs.map((hog) => hog.end()));
  },
};

/** Many rows at once, in any order: of two that want each other's, PostgreSQL may call off this one. */
async function holdLock(holder: pg.Client, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await holder.query('begin');
      await holder.query(statement);
      return;
    } catch (error) {
      await holder.query('rollback');
      if ((error as { code?: string }).code !== '40P01' || attempt === 20) throw error;
    }
  }
}

const lockHeld: Experiment = {
  name: 'a lock is held: on the chat, on its stream, on a whole table',
  async run(stage) {
    for (const statement of ['select 1 from chats for update', 'select 1 from streams for update', 'lock table idempotency_keys in access exclusive mode']) {
      const holder = await connect(stage.postgres);
      await holdLock(holder, statement);
      await eventually(async () => (await stage.sql('select from pg_locks where not granted')).length > 0, `somebody waits for "${statement}"`, PATIENCE_MS);
      await pause(lasting(500, 4_000));
      await holder.query('rollback');
      await holder.end();
      await pause(100);
    }
  },
};

const diskFull: Experiment = {
  name: 'the disk of PostgreSQL is full',
  async run(stage) {
    await stage.disk.fill();
    // A new file of the log of writes is asked for, and there is no room for it.
    await stage.sql('select pg_switch_wal()').catch(() => undefined);
    await assert.rejects(stage.sql(`create table filler as select repeat(md5(n::text), 50) from generate_series(1, 100000) n`), 'the disk was not full');
    await pause(lasting(1_500, 10_000));
    await stage.disk.free();
    // It may have ended itself rather than lose what it had promised.
    if (stage.postgres.ended) await stage.postgres.start();
    await eventually(() => stage.sql('select 1').then(() => true, () => false), 'PostgreSQL takes connections again', PATIENCE_MS);
  },
};

const failover: Experiment = {
  name: 'PostgreSQL is lost, and a replica takes its place',
  async run(stage) {
    const replica = await stage.replica();
    // What is acknowledged is on both.
    await stage.sql(`alter system set synchronous_standby_names = '*'`);
    await stage.sql('select pg_reload_conf()');
    await eventually(async () => (await stage.sql<{ state: string }>('select sync_state as state from pg_stat_replication')).some(({ state }) => state === 'sync'), 'the replica keeps up', PATIENCE_MS);
    await pause(lasting(300, 3_000));
    const lost = stage.postgres;
    await lost.kill();
    await replica.promote();
    await replica.sql(`alter system reset synchronous_standby_names`);
    await replica.sql('select pg_reload_conf()');
    stage.postgres = replica;
    for (const relay of stage.toPostgres) {
      relay.target = replica.port;
      relay.cut();
    }
    await lost.close();
  },
};

const redisFlushed: Experiment = {
  name: 'Redis is flushed, and is slow, and is gone',
  async run(stage) {
    await stage.redis.ask('FLUSHALL');
    for (const relay of stage.toRedis) relay.delay = 200;
    await pause(lasting(800, 10_000));
    for (const relay of stage.toRedis) relay.delay = 0;
    await stage.redis.kill();
    await pause(lasting(1_000, 60_000));
    await stage.redis.start();
  },
};

const clockJumps: Experiment = {
  name: 'the clock of one server jumps an hour ahead, and back, and an hour behind',
  async run(stage) {
    for (const offset of [3_600_000, 0, -3_600_000, 0]) {
      await stage.setClock(1, offset);
      await pause(lasting(400, 5_000));
    }
  },
};

/** What its upgrade asks for, by hand: a client that takes one byte a second can't be one of a library's. */
function crawl(port: number, token: string, chatId: string): { socket: Socket; closed: Promise<void>; end(): void } {
  const socket = createConnection(port, '127.0.0.1');
  const frame = (message: object) => {
    const body = Buffer.from(JSON.stringify(message));
    const head = Buffer.alloc(8);
    head[0] = 0x81;
    head[1] = 0x80 | 126;
    head.writeUInt16BE(body.length, 2);
    return Buffer.concat([head, body]); // masked by zero
  };
  socket.on('error', () => undefined);
  socket.write(`GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
  socket.write(frame({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  socket.write(frame({ id: '1', type: 'subscribe', payload: { query: 'subscription($id: ID!) { chatEvents(chatId: $id) { __typename ... on MessageSent { offset message { text } } } }', variables: { id: chatId } } }));
  socket.pause();
  const timer = setInterval(() => socket.read(1), 1_000);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, closed, end: () => (clearInterval(timer), socket.destroy()) };
}

const slowReaders: Experiment = {
  name: 'clients read one byte a second',
  async run(stage) {
    const before = await figure(stage, 'omnitalk_websockets');
    const crawlers = stage.members.flatMap((member) => Array.from({ length: 5 }, () => crawl(stage.servers[0].port, member.token, stage.chatId)));
    try {
      await eventually(async () => (await figure(stage, 'omnitalk_websockets')) > before, 'they are connected');
      // They answer no ping in time: they are let go, whatever else waits for them.
      await eventually(async () => (await figure(stage, 'omnitalk_websockets')) <= before, 'they are let go', PATIENCE_MS);
    } finally {
      for (const crawler of crawlers) crawler.end();
    }
  },
};

const poison: Experiment = {
  name: 'jobs that fail each time they are tried',
  async run(stage) {
    for (let n = 0; n < 20; n++) await stage.sql(`select graphile_worker.add_job('send-phone-code', '{"id": "poison"}'::json)`);
    const { api } = stage.members[0]!.devices[1].client;
    const idempotencyKey = stage.key();
    const { scheduledMessage } = (await again(() => api.scheduleMessage({ input: { chatId: stage.chatId, text: `in spite of them ${idempotencyKey}`, sendAt: new Date(Date.now() + 6_000).toISOString(), idempotencyKey } }))).scheduleMessage;
    const failed = async () => (await stage.sql<{ n: number }>(`select count(*)::int as n from graphile_worker.jobs where task_identifier = 'send-phone-code' and attempts > 0 and last_error is not null`))[0]!.n;
    await eventually(async () => (await failed()) === 20, 'each was tried, and kept with its error', PATIENCE_MS);
    const state = async () => (await again(() => api.scheduledMessages({ first: 100, states: ['SENT'] }))).viewer!.scheduledMessages.edges.some(({ node }) => node.id === scheduledMessage.id);
    await eventually(state, 'what was to be sent meanwhile was sent', PATIENCE_MS);
    await stage.sql(`select graphile_worker.complete_jobs(array_agg(id)) from graphile_worker.jobs where task_identifier = 'send-phone-code'`);
  },
};

export const EXPERIMENTS: readonly Experiment[] = [killAnything, postgresRestarted, noConnections, lockHeld, diskFull, failover, redisFlushed, clockJumps, slowReaders, torn, reconnects, poison, mediaWorkersKilled, mediaWorkersKilledUnwritten, askedInVain, partedFromPostgres, partedFromRedis];
/** Those of the short form: what takes seconds. */
export const QUICK: readonly Experiment[] = [killAnything, torn, diskFull, failover, clockJumps, mediaWorkersKilled];
