import assert from 'node:assert/strict';
import { JobRunner, type RunnableTask } from '../../src/jobs/runner.js';
import { createLogger } from '../../src/lib/logger.js';
import { Relay } from '../testkit/relay.js';
import { eventually, World } from '../testkit/world.js';

const DAY_MS = 86_400_000;

describe('jobs', () => {
  let world: World;
  const runners: JobRunner[] = [];
  before(async () => {
    world = await World.start();
  });
  after(async () => {
    await Promise.all(runners.map((runner) => runner.stop(1_000)));
    await world.stop();
  });

  const start = async (tasks: Record<string, RunnableTask>, { databaseUrl = world.databaseUrl, sweeps = [], limitMs = () => 60_000 }: Partial<Pick<Parameters<typeof JobRunner.start>[0], 'databaseUrl' | 'sweeps' | 'limitMs'>> = {}) => {
    const runner = await JobRunner.start({ databaseUrl, tasks, limitMs, schedules: {}, sweeps, clock: world.clock, log: createLogger('silent') });
    runners.push(runner);
    return runner;
  };
  const enqueue = (name: string, payload: object, options: { runAt?: Date; key?: string; fail?: boolean } = {}) =>
    world.app.container.unitOfWork.run({ actorId: '00000000-0000-0000-0000-000000000000', operation: 'test' }, async (tx) => {
      await tx.enqueue(name, payload, options);
      if (options.fail) throw new Error('rolled back');
    });

  it('a job runs once its transaction has committed, and only then', async () => {
    const ran: object[] = [];
    await start({ greet: async (payload) => void ran.push(payload) });
    await assert.rejects(enqueue('greet', { name: 'nobody' }, { fail: true }), /rolled back/);
    await enqueue('greet', { name: 'Ann' });
    await eventually(() => ran.length > 0, 'the job has run');
    assert.deepEqual(ran, [{ name: 'Ann' }]);
    await eventually(async () => (await world.sql('select from graphile_worker.jobs')).length === 0, 'the job is gone');
  });

  it('a job under a key is replaced, not repeated, by a later one under it', async () => {
    const ran: object[] = [];
    const later = new Date(world.clock.now().getTime() + DAY_MS);
    await enqueue('replace', { version: 1 }, { key: 'one', runAt: later });
    await enqueue('replace', { version: 2 }, { key: 'one', runAt: later });
    assert.equal((await world.sql('select from graphile_worker.jobs where key = $1', ['one'])).length, 1);
    await start({ replace: async (payload) => void ran.push(payload) });
    await enqueue('replace', { version: 3 }, { key: 'one' });
    await eventually(() => ran.length > 0, 'the job has run');
    assert.deepEqual(ran, [{ version: 3 }]);
  });

  it('a job for later waits, and time that a test moves reaches it', async () => {
    const ran: object[] = [];
    await start({ wait: async (payload) => void ran.push(payload) });
    await enqueue('wait', {}, { runAt: new Date(world.clock.now().getTime() + DAY_MS) });
    await enqueue('wait', { now: true });
    await eventually(() => ran.length > 0, 'the job of now has run');
    assert.deepEqual(ran, [{ now: true }]);
    await world.passTime(DAY_MS);
    await eventually(() => ran.length > 1, 'the job of tomorrow has run');
    assert.deepEqual(ran[1], {});
  });

  it('a failure is kept, shown and tried again', async () => {
    let tries = 0;
    const runner = await start({
      stumble: async () => {
        if (++tries === 1) throw new Error('the mail server is away');
      },
    });
    await enqueue('stumble', {});
    await eventually(() => runner.lastFailure !== null, 'the failure is seen');
    assert.deepEqual({ ...runner.lastFailure, at: undefined }, { task: 'stumble', error: 'the mail server is away', attempts: 1, at: undefined });
    await eventually(async () => (await world.sql(`select from graphile_worker.jobs where last_error = 'the mail server is away' and run_at > now()`)).length === 1, 'it waits for its second try');
    await world.passTime(60_000);
    await eventually(() => tries === 2, 'it was tried again');
    await eventually(() => runner.done === 1, 'it is done');
  });

  it('jobs that never end hold nobody up for ever: they fail by it, and are tried again later', async () => {
    const ran: string[] = [];
    const runner = await start({ hang: () => (ran.push('hang'), new Promise<void>(() => undefined)), go: async () => void ran.push('go') }, { limitMs: (task) => (task === 'hang' ? 1_500 : 60_000) });
    for (let n = 0; n < 3; n++) await enqueue('hang', {});
    await eventually(() => ran.length === 3, 'all hands are taken');
    await enqueue('go', {});
    await eventually(() => ran.includes('go'), 'the job behind them has run');
    await eventually(async () => (await world.sql(`select from graphile_worker.jobs where task_identifier = 'hang' and last_error = 'the job did not end within 1.5 s' and locked_by is null and run_at > now()`)).length === 3, 'they wait for their second try');
    assert.deepEqual([runner.done, runner.failed, ran], [1, 3, ['hang', 'hang', 'hang', 'go']]);
  });

  for (const ends of ['well', 'badly']) {
    it(`a job that ends ${ends} just when the connection is lost is settled over another, and nobody dies of it`, async () => {
      const relay = await Relay.start(Number(new URL(world.databaseUrl).port));
      try {
        let tries = 0;
        const end = async () => {
          tries++;
          relay.tearAfter(0);
          if (ends === 'badly') throw new Error('it could not be done');
        };
        const runner = await start({ end }, { databaseUrl: world.databaseUrl.replace(/:\d+\//, `:${relay.port}/`) });
        await enqueue('end', {});
        await eventually(() => relay.torn > 0, 'the connection is torn');
        const jobs = () => world.sql<{ attempts: number }>(`select attempts from graphile_worker.jobs where task_identifier = 'end' and locked_by is null and run_at > now()`);
        if (ends === 'badly') await eventually(async () => (await jobs()).length === 1, 'it waits for its second try', 15_000);
        else await eventually(async () => (await world.sql(`select from graphile_worker.jobs where task_identifier = 'end'`)).length === 0, 'it is gone', 15_000);
        assert.deepEqual([tries, runner.done, runner.failed], ends === 'badly' ? [1, 0, 1] : [1, 1, 0]);
        await world.sql(`select graphile_worker.complete_jobs(array_agg(id)) from graphile_worker.jobs where task_identifier = 'end'`);
      } finally {
        await Promise.all(runners.splice(0).map((one) => one.stop(1_000)));
        await relay.close();
      }
    });
  }

  it('the job of a process that died at work is taken by another; that of a living one is left alone', async () => {
    let started = 0;
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const runner = await start({
      hold: async () => {
        started++;
        await held;
      },
    });
    await enqueue('hold', {});
    await eventually(() => started === 1, 'it is under way');
    await world.sql(`update graphile_worker._private_jobs set locked_at = now() - interval '1 hour' where locked_by is not null`);
    const named = () => world.sql(`select from pg_stat_activity a join graphile_worker.jobs j on a.application_name = left('omnitalk jobs ' || j.locked_by, 63)`);
    await eventually(async () => (await named()).length > 0, 'its worker has told its name');
    await runner.freeOrphans();
    assert.equal((await world.sql('select from graphile_worker.jobs where locked_by is not null')).length, 1);
    await world.sql(`update graphile_worker._private_jobs set locked_by = 'pool-of-the-dead' where locked_by is not null`);
    await runner.freeOrphans();
    await eventually(() => started === 2, 'it was taken again');
    release();
    await eventually(() => runner.done === 2, 'it is done');
  });

  it('a sweep goes on while there is more, outlives failures and rounds without an end, and ends with the runner', async () => {
    let rounds = 0;
    const run = async () => {
      if (++rounds === 2) throw new Error('once');
      if (rounds === 3) await new Promise(() => undefined);
      return rounds < 5;
    };
    const runner = await start({}, { sweeps: [{ name: 'counting', everyMs: 1, limitMs: 100, run }] });
    await eventually(() => rounds >= 7, 'it went on');
    await runner.stop(1_000);
    const atStop = rounds;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(rounds, atStop);
  });

  describe('upkeep', () => {
    const run = async (task: string) => {
      const { jobs } = world.app;
      const done = jobs!.done;
      await world.sql(`select graphile_worker.add_job($1, '{}'::json)`, [task]);
      await eventually(() => jobs!.done > done, `${task} is done`);
      assert.equal(jobs!.lastFailure, null);
    };

    it('forgets keys after a week, not before', async () => {
      const [ann, bob] = await world.people('Ann', 'Bob');
      const chatId = await world.directChat(ann, bob);
      const input = { chatId, text: 'once', idempotencyKey: 'kept' };
      const first = await ann.api.sendMessage({ input });
      await run('forget-used-keys');
      assert.equal((await ann.api.sendMessage({ input })).sendMessage.message.id, first.sendMessage.message.id);
      world.clock.advance(8 * DAY_MS);
      await run('forget-used-keys');
      assert.deepEqual(await world.sql('select from idempotency_keys'), []);
    });

    it('forgets more keys than one batch takes, in whatever order they lie', async () => {
      await world.sql(`insert into idempotency_keys (actor_id, operation, key, input_hash, created_at) select gen_random_uuid(), 'sendMessage', n::text, '', $1::timestamptz - make_interval(days => 9, secs => n) from generate_series(1, 12000) n`, [world.clock.now()]);
      await world.sql(`insert into idempotency_keys (actor_id, operation, key, input_hash, created_at) select gen_random_uuid(), 'sendMessage', 'kept', '', $1::timestamptz - make_interval(days => 6)`, [world.clock.now()]);
      await run('forget-used-keys');
      assert.deepEqual(await world.sql('select key from idempotency_keys'), [{ key: 'kept' }]);
      await world.sql('delete from idempotency_keys');
    });

    it('forgets refresh tokens and codes that have expired', async () => {
      await world.sql(`insert into one_time_codes (id, purpose, subject, code_hash, expires_at) values (gen_random_uuid(), 'PHONE', '+41', '', $1)`, [world.clock.now()]);
      const tokens = (await world.sql('select from refresh_tokens')).length;
      await run('forget-expired-codes');
      assert.equal((await world.sql('select from one_time_codes')).length, 1);
      assert.equal((await world.sql('select from refresh_tokens')).length, tokens);
      world.clock.advance(40 * DAY_MS);
      await run('forget-expired-codes');
      assert.deepEqual(await world.sql('select from one_time_codes'), []);
      assert.deepEqual(await world.sql('select from refresh_tokens'), []);
    });

    it('forgets sessions that have been over for 30 days, and no other', async () => {
      const now = world.clock.now().getTime();
      const [person] = await world.sql<{ id: string }>('select id from users limit 1');
      for (const [device, endedAt, expiresAt] of [['ended lately', -29, 30], ['ended long ago', -31, 30], ['expired lately', null, -29], ['expired long ago', null, -31], ['standing', null, 1]] as const) {
        const at = (days: number | null) => (days === null ? null : new Date(now + days * DAY_MS));
        await world.sql('insert into sessions (id, user_id, device, ended_at, expires_at) values (gen_random_uuid(), $1, $2, $3, $4)', [person!.id, device, at(endedAt), at(expiresAt)]);
      }
      await run('forget-expired-codes');
      const left = await world.sql<{ device: string }>(`select device from sessions where device ~ '^(ended|expired|standing)' order by device`);
      assert.deepEqual(left.map(({ device }) => device), ['ended lately', 'expired lately', 'standing']);
    });

    it('makes the partitions to come, takes late events from the default one, and drops those of long ago', async () => {
      const partitions = async () => (await world.sql<{ name: string }>(`select relname as name from pg_class where relname ~ '^events_\\d+$' and relkind = 'r' order by 1`)).map((row) => row.name);
      const before = await partitions();
      assert.equal(before.length, 4);
      // As if upkeep had not run for weeks: this week's events lie in the default partition.
      const fresh = await World.start();
      try {
        await fresh.sql(`drop table ${before[0]}`);
        await fresh.sql(`insert into events (stream, pos, kind, ref) values ('chat:x', 1, 'chat.updated', '{}')`);
        await fresh.sql(`insert into events (stream, pos, kind, ref, at) values ('chat:x', 0, 'chat.updated', '{}', now() - interval '31 days')`);
        await fresh.app.container.jobs.upkeep.events();
        assert.deepEqual(await fresh.sql(`select pos::int, tableoid::regclass::text as place from events where stream = 'chat:x'`), [{ pos: 1, place: before[0] }]);
      } finally {
        await fresh.stop();
      }
      world.clock.advance(40 * DAY_MS);
      await run('keep-events');
      assert.equal((await partitions()).includes(before[0]!), false);
    });
  });
});
