import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../ormconfig.js';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import { quiet as quietLog } from '../../test/testkit/fake-log.js';
import { eventually, within } from '../../test/testkit/world.js';
import { Database } from '../db/database.js';
import { UnitOfWork } from '../db/unit-of-work.js';
import { systemClock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';
import { LocalBus } from './bus.js';
import type { ConsumedEvent } from './commit-order.js';
import { Hub } from './hub.js';
import { EventLog } from './log.js';
import { CONSUMER_TRIES, LogConsumers, type ConsumerTiming, type LogConsumer } from './log-consumers.js';

const quiet = { warn: () => undefined, error: () => undefined };
/** A lease so long that only a test ends it, and polls so rare that only what wakes a consumer can be what it heard of. */
const TIMING: ConsumerTiming = { pollMs: 3_600_000, gatherMs: 1, freeRounds: 1_000, roundEveryMs: 1, leaseMs: 3_600_000, retryMs: 1, patienceMs: 3_600_000 };

describe('consumers of the log', () => {
  let database: TestDatabase;
  let source: DataSource;
  let db: Database;
  let hub: Hub;
  let unitOfWork: UnitOfWork;
  let name: string;
  const running: LogConsumers[] = [];
  /** What a consumer waits for that hangs; its end ends the test. */
  let never: Promise<void>;
  let end: () => void;

  before(async () => {
    database = await createTestDatabase();
    source = createDataSource(database.url, 10);
    await source.initialize();
    db = new Database(source);
    hub = new Hub(new LocalBus(), new EventLog(db.sql), quietLog as never, { reconcileMs: 3_600_000 });
    unitOfWork = new UnitOfWork(db, systemClock, hub);
  });
  after(async () => {
    hub.close();
    await db.end();
    await source.destroy();
    await database.drop();
  });
  const begin = () => {
    name = `test ${randomUUID()}`;
    ({ promise: never, resolve: end } = Promise.withResolvers<void>());
  };
  const finish = async () => {
    const stopped = Promise.all(running.splice(0).map((consumers) => consumers.stop(5_000)));
    end();
    await stopped;
  };
  beforeEach(begin);
  afterEach(finish);

  /** Commits messages of these numbers, each by a transaction of its own. */
  const commit = async (stream: string, ...seqs: number[]) => {
    for (const seq of seqs) await unitOfWork.run({ actorId: name, operation: 'test' }, async (tx) => tx.append(stream, { kind: 'message.sent', seq }));
  };
  const start = async (handle: LogConsumer['handle'], timing: Partial<ConsumerTiming> = {}, from: LogConsumer['from'] = 'now') => {
    const consumers = new LogConsumers([{ name, kinds: ['message.sent'], from, handle }], db.background, hub, quiet as never, { ...TIMING, ...timing });
    running.push(consumers);
    await consumers.start();
    return consumers;
  };
  const held = (consumers: LogConsumers) => eventually(() => consumers.figures()[0]!.held, 'it works for the consumer');
  /** What happens when the process that works for the consumer is killed: its hold runs out. */
  const dies = () => db.sql(`update log_consumers set lease_until = '-infinity' where name = $1`, [name]);
  const failures = () => db.sql<{ stream: string; pos: string; kind: string; error: string }>('select stream, pos, kind, error from log_consumer_failures where consumer = $1 order by pos', [name]);
  const seqs = (events: ConsumedEvent[]) => events.map(({ ref }) => (ref as { seq: number }).seq);

  it('hands over what is committed, in order, by its kinds, woken by the commit; and after a stop goes on where it was', async () => {
    const stream = `chat:${randomUUID()}`;
    await commit(stream, 1);
    const heard: ConsumedEvent[] = [];
    const first = await start(async (events) => void heard.push(...events));
    await held(first);
    await commit(stream, 2, 3);
    await unitOfWork.run({ actorId: name, operation: 'test' }, async (tx) => tx.append(stream, { kind: 'chat.updated' }));
    await unitOfWork.run({ actorId: name, operation: 'test' }, async (tx) => {
      tx.append(stream, { kind: 'message.sent', seq: 99 });
      throw new Error('rolled back');
    }).catch(() => undefined);
    await eventually(() => heard.length === 2, 'both were heard');
    await first.stop(5_000);
    await commit(stream, 4);
    const second = await start(async (events) => void heard.push(...events));
    await commit(stream, 5);
    await eventually(() => heard.length === 4, 'all were heard');
    assert.deepEqual(heard.map(({ stream: of, pos, ref }) => [of, pos, ref]), [[2, 2], [3, 3], [4, 5], [5, 6]].map(([seq, pos]) => [stream, pos, { kind: 'message.sent', seq }]));
    assert.deepEqual(second.figures().map(({ taken, failed, setAside }) => ({ taken, failed, setAside })), [{ taken: 2, failed: 0, setAside: 0 }]);
  });

  it('takes what comes in a steady flow together, after the first few', async () => {
    const taken: number[][] = [];
    const consumers = await start(async (events) => void taken.push(seqs(events)), { freeRounds: 2, roundEveryMs: 1_500 });
    await held(consumers);
    const stream = `chat:${randomUUID()}`;
    for (const seq of [1, 2]) {
      await commit(stream, seq);
      await eventually(() => taken.length === seq, `message ${seq} is taken at once`);
    }
    await commit(stream, 3, 4, 5);
    await eventually(() => taken.length === 3, 'the others are taken');
    assert.deepEqual(taken, [[1], [2], [3, 4, 5]]);
  });

  it('begins with all that the log holds, where it is told so', async () => {
    const stream = `chat:${randomUUID()}`;
    await commit(stream, 1, 2);
    const heard: ConsumedEvent[] = [];
    await start(async (events) => void heard.push(...events.filter((event) => event.stream === stream)), {}, 'start');
    await eventually(() => heard.length === 2, 'both were heard');
    assert.deepEqual(seqs(heard), [1, 2]);
  });

  it('lets one process at a time work; another takes over from one that died, and gets what that one had not finished again', async () => {
    const stream = `chat:${randomUUID()}`;
    const heard: [string, ...number[]][] = [];
    const first = await start(async (events) => {
      heard.push(['first', ...seqs(events)]);
      if (seqs(events).includes(2)) await never;
    });
    await held(first);
    await commit(stream, 1);
    await eventually(() => heard.length === 1, 'the first works');
    const second = await start(async (events) => void heard.push(['second', ...seqs(events)]), { pollMs: 20 });
    await commit(stream, 2);
    await eventually(() => heard.length === 2, 'the first hangs');
    assert.equal(second.figures()[0]!.held, false);
    await dies();
    await commit(stream, 3);
    await eventually(() => heard.flat().includes(3), 'the second has all');
    assert.deepEqual(heard, [['first', 1], ['first', 2], ['second', 2], ['second', 3]]);
  });

  it('sets aside the one event that fails again and again, and no other', async () => {
    const stream = `chat:${randomUUID()}`;
    let tries = 0;
    const heard: number[] = [];
    const handle = async (events: ConsumedEvent[]) => {
      if (seqs(events).includes(7)) {
        if (events.length === 1) tries++;
        throw new Error('poison');
      }
      heard.push(...seqs(events));
    };
    const idle = await start(async () => undefined);
    await held(idle);
    await idle.stop(1_000);
    await commit(stream, ...Array.from({ length: 20 }, (_, index) => index + 1));
    const consumers = await start(handle);
    await eventually(() => heard.length === 19, 'all others were heard');
    assert.deepEqual(heard, Array.from({ length: 20 }, (_, index) => index + 1).filter((seq) => seq !== 7));
    assert.ok(tries <= CONSUMER_TRIES && tries >= CONSUMER_TRIES - 1, `tried ${tries} times`);
    assert.deepEqual(await failures(), [{ stream, pos: '7', kind: 'message.sent', error: 'poison' }]);
    assert.equal(consumers.figures()[0]!.setAside, 1);
  });

  it('sets aside an event of which one process after another dies', async () => {
    const stream = `chat:${randomUUID()}`;
    const heard: number[] = [];
    const deaths: number[] = [];
    const handle = async (events: ConsumedEvent[]) => {
      if (seqs(events).includes(2)) {
        deaths.push(events.length);
        await never;
      }
      heard.push(...seqs(events));
    };
    const idle = await start(async () => undefined);
    await held(idle);
    await idle.stop(1_000);
    await commit(stream, 1, 2, 3);
    for (let process = 1; !heard.includes(3); process++) {
      await start(handle);
      await eventually(() => deaths.length === process || heard.includes(3), 'it dies, or is through');
      await dies();
    }
    assert.deepEqual(heard, [1, 3]);
    // Those of the first processes took its neighbours along.
    assert.ok(deaths.length >= CONSUMER_TRIES && deaths.length <= CONSUMER_TRIES + 2, `${deaths.length} died`);
    assert.deepEqual((await failures()).map(({ pos, error }) => [pos, error]), [['2', 'its process ended while it was taken']]);
  });

  it('waits for what passes, however often it is tried, and counts it against no event', async () => {
    const stream = `chat:${randomUUID()}`;
    let tries = 0;
    const heard: number[] = [];
    const consumers = await start(async (events) => {
      if (++tries <= CONSUMER_TRIES * 2) throw tries % 2 ? new DomainError('UNAVAILABLE', 'not now', { retryAfter: 0.001 }) : Object.assign(new Error('away'), { code: '57P01' });
      heard.push(...seqs(events));
    });
    await held(consumers);
    await commit(stream, 1);
    await eventually(() => heard.length === 1, 'it was heard');
    assert.deepEqual([tries, await failures()], [CONSUMER_TRIES * 2 + 1, []]);
  });

  it('takes an event that never ends for a failure', async () => {
    const heard: number[] = [];
    const consumers = await start(async (events) => (seqs(events).includes(1) ? never : void heard.push(...seqs(events))), { patienceMs: 5 });
    await held(consumers);
    await commit(`chat:${randomUUID()}`, 1, 2);
    await eventually(() => heard.length === 1, 'the other was heard');
    assert.deepEqual((await failures()).map(({ error }) => error), ['it took longer than 5 ms']);
  });

  it('goes on from now in a database that counts transactions anew', async () => {
    const heard: number[] = [];
    await (await start(async () => undefined)).stop(1_000);
    await db.sql(`insert into log_consumers (name, xid) values ($1, '900000000000') on conflict (name) do update set xid = '900000000000'`, [name]);
    const consumers = await start(async (events) => void heard.push(...seqs(events)));
    await held(consumers);
    await commit(`chat:${randomUUID()}`, 1);
    await eventually(() => heard.length === 1, 'it was heard');
  });

  it('finishes what is under way at a stop, tells how far behind it is, and leaves at once to the next', async () => {
    const stream = `chat:${randomUUID()}`;
    const heard: number[] = [];
    let go: (() => void) | null = null;
    const consumers = await start(async (events) => {
      await new Promise<void>((resolve) => (go = resolve));
      heard.push(...seqs(events));
    });
    await held(consumers);
    await commit(stream, 1);
    await eventually(() => go !== null, 'it is under way');
    const stopping = consumers.stop(10_000);
    go!();
    await within(stopping, 'it stops');
    const [row] = await db.sql<{ holder: string | null; stream: string; pos: string }>('select holder, stream, pos from log_consumers where name = $1', [name]);
    assert.deepEqual([heard, row], [[1], { holder: null, stream, pos: '1' }]);
    await commit(stream, 2);
    await db.sql(`update events set at = at - interval '100 seconds' where stream = $1 and pos = 2`, [stream]);
    const worker = await start(() => never, { leaseMs: 3_000 });
    await held(worker);
    const watcher = await start(() => never, { pollMs: 20 });
    for (const one of [worker, watcher]) await eventually(() => one.figures()[0]!.lag > 99, 'both know how far behind it is');
    assert.equal(watcher.figures()[0]!.held, false);
  });

  it('loses nothing and keeps each stream’s order, whatever fails and whoever dies', async function () {
    this.timeout(240_000);
    const fate = fc.constantFrom('fine', 'fine', 'fine', 'throws', 'dies', 'dies after');
    // What fails CONSUMER_TRIES times in a row is set aside, as another test shows; here it is better by its last try.
    const inTime = (fates: string[]): string[] => fates.map((one, index) => (index >= CONSUMER_TRIES - 2 && fates.slice(index - CONSUMER_TRIES + 2, index).every((before) => before !== 'fine') ? 'fine' : one));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { minLength: 1, maxLength: 20 }), fc.array(fate, { maxLength: 10 }).map(inTime), async (writes, fates) => {
        begin();
        const streams = [0, 1, 2].map(() => `chat:${randomUUID()}`);
        const heard = new Map<string, number>();
        let index = 0;
        let dead = 0;
        const handle = async (events: ConsumedEvent[]) => {
          const what = fates[index++] ?? 'fine';
          if (what === 'throws') throw new Error('for once');
          if (what !== 'dies') {
            for (const { stream, pos } of events) {
              const newest = heard.get(stream) ?? 0;
              assert.ok(pos <= newest + 1, 'one was skipped');
              heard.set(stream, Math.max(pos, newest));
            }
          }
          if (what === 'fine') return;
          dead++;
          await never;
        };
        const first = await start(handle);
        await held(first);
        for (const [seq, write] of writes.entries()) await commit(streams[write]!, seq);
        const all = () => streams.every((stream, n) => (heard.get(stream) ?? 0) === writes.filter((write) => write === n).length);
        for (let deaths = 0; !all(); ) {
          await eventually(() => dead > deaths || all(), 'everything is heard, or somebody dies', 20_000);
          if (dead === deaths) break;
          deaths = dead;
          await dies();
          await start(handle);
        }
        assert.deepEqual(await failures(), []);
        await finish();
      }),
      { numRuns: 8 },
    );
  });
});
