import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../ormconfig.js';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import { Database } from '../db/database.js';
import { UnitOfWork } from '../db/unit-of-work.js';
import { systemClock } from '../lib/clock.js';
import { EventLog, type Published } from './log.js';

describe('the log of events', () => {
  let database: TestDatabase;
  let source: DataSource;
  let db: Database;
  let log: EventLog;
  const published: Published[] = [];
  let unitOfWork: UnitOfWork;
  before(async () => {
    database = await createTestDatabase();
    source = createDataSource(database.url, 10);
    await source.initialize();
    db = new Database(source);
    log = new EventLog(db.sql);
    unitOfWork = new UnitOfWork(db, systemClock, { publish: (batches) => published.push(...batches), changed: () => undefined });
  });
  after(async () => {
    await db.end();
    await source.destroy();
    await database.drop();
  });
  beforeEach(() => (published.length = 0));

  const actorId = randomUUID();
  const append = (streams: readonly string[], fail = false) =>
    unitOfWork.run({ actorId, operation: 'test' }, async (tx) => {
      for (const stream of streams) tx.append(stream, { kind: 'chat.updated' });
      if (fail) throw new Error('rolled back');
    });

  it('numbers each stream gaplessly, whoever writes to however many at once, and tells of exactly what was committed', async () => {
    const streams = [...Array(6)].map(() => `chat:${randomUUID()}`);
    // In any order and overlapping: streams that are new are made by whoever comes first.
    const writes = [...Array(60)].map((_, index) => append(streams.filter((_stream, position) => (index * 7 + position * 3) % 4 !== 0).sort(() => Math.random() - 0.5), index % 9 === 4).catch((error: Error) => error.message));
    const outcomes = await Promise.all(writes);
    assert.deepEqual(new Set(outcomes.filter((outcome) => outcome !== undefined)), new Set(['rolled back']));
    const heads = await log.heads(streams);
    for (const stream of streams) {
      const { head, epoch } = heads.get(stream)!;
      const events = await log.read(stream, 0, Number.MAX_SAFE_INTEGER, 1_000);
      assert.deepEqual(events.map((event) => event.pos), [...Array(head)].map((_, index) => index + 1));
      const told = published.filter((batch) => batch.stream === stream);
      assert.ok(told.every((batch) => batch.epoch === epoch));
      assert.deepEqual(told.flatMap((batch) => batch.events.map((event) => event.pos)).sort((a, b) => a - b), events.map((event) => event.pos));
    }
  });

  it('keeps the order of commits: a later offset is never visible before an earlier one', async () => {
    const stream = `chat:${randomUUID()}`;
    let done = false;
    const seen: number[][] = [];
    const watching = (async () => {
      while (!done) seen.push((await log.read(stream, 0, Number.MAX_SAFE_INTEGER, 1_000)).map((event) => event.pos));
    })();
    await Promise.all([...Array(40)].map(() => append([stream, stream])));
    done = true;
    await watching;
    for (const positions of seen) assert.deepEqual(positions, positions.map((_, index) => index + 1));
    assert.ok(seen.length > 1);
  });

  it('gives several events of one transaction adjacent places, in the order of their appending, at the transaction’s time', async () => {
    const stream = `chat:${randomUUID()}`;
    await unitOfWork.run({ actorId, operation: 'test' }, async (tx) => {
      for (const seq of [5, 3, 4]) tx.append(stream, { kind: 'message.deleted', seq });
    });
    const events = await log.read(stream, 0, 10, 10);
    assert.deepEqual(events.map((event) => [event.pos, event.ref]), [5, 3, 4].map((seq, index) => [index + 1, { kind: 'message.deleted', seq }]));
    assert.deepEqual(published, [{ stream, epoch: (await log.head(stream)).epoch, events }]);
    assert.equal(new Set(events.map((event) => event.at)).size, 1);
  });

  it('reads a part: after, up to, and at most', async () => {
    const stream = `chat:${randomUUID()}`;
    await append([...Array(10)].map(() => stream));
    const positions = async (after: number, upTo: number, limit: number) => (await log.read(stream, after, upTo, limit)).map((event) => event.pos);
    assert.deepEqual(await positions(0, 10, 3), [1, 2, 3]);
    assert.deepEqual(await positions(4, 6, 100), [5, 6]);
    assert.deepEqual(await positions(10, 20, 100), []);
  });

  it('gives a stream without events an epoch, once, however many ask at once', async () => {
    const stream = `user:${randomUUID()}`;
    assert.deepEqual(await log.heads([stream]), new Map());
    const heads = await Promise.all([...Array(10)].map(() => log.head(stream)));
    assert.equal(new Set(heads.map((head) => head.epoch)).size, 1);
    assert.deepEqual(new Set(heads.map((head) => head.head)), new Set([0]));
    await append([stream]);
    assert.equal(published[0]!.epoch, heads[0]!.epoch);
  });
});
