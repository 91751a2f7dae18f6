import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FakeLog, quiet, turns } from '../../test/testkit/fake-log.js';
import type { LoggedEvent } from './catalogue.js';
import type { Published } from './log.js';
import { Tail } from './tail.js';

const STREAM = 'chat:x';

class Heard {
  readonly offsets: number[] = [];
  started = 0;
  resets = 0;
  onStart() {
    this.started++;
  }
  onEvent({ pos }: { pos: number }) {
    this.offsets.push(pos);
  }
  onReset() {
    this.resets++;
  }
}

const upTo = (count: number, from = 1) => [...Array(count - from + 1)].map((_, index) => from + index);

describe('Tail', () => {
  let log: FakeLog;
  let heard: Heard;
  let tail: Tail;
  beforeEach(() => {
    log = new FakeLog();
    heard = new Heard();
    tail = new Tail<LoggedEvent>(STREAM, log, heard, quiet);
  });
  afterEach(() => tail.close());
  const commit = (count: number): Published => log.commit(STREAM, ...[...Array(count)].map((_, seq) => ({ kind: 'message.sent' as const, seq: seq + 1 })));
  const start = async () => tail.start(await log.head(STREAM));

  it('hands on each event once and in order, whatever became of the hints', async () => {
    const hints = fc.array(fc.record({ from: fc.nat(29), length: fc.integer({ min: 1, max: 10 }), pause: fc.boolean(), reconcile: fc.boolean() }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(hints, fc.nat(10), async (given, startAt) => {
        log = new FakeLog();
        heard = new Heard();
        tail = new Tail<LoggedEvent>(STREAM, log, heard, quiet);
        const { epoch, events } = commit(30);
        const split = Math.floor(given.length / 3);
        const hint = ({ from, length }: { from: number; length: number }) => tail.accept({ stream: STREAM, epoch, events: events.slice(from, from + length) });
        // Hints may come before the head is known.
        given.slice(0, split).forEach(hint);
        tail.start({ epoch, head: startAt });
        for (const one of given.slice(split)) {
          if (one.reconcile) tail.reconcile({ epoch, head: 30 });
          hint(one);
          if (one.pause) await turns(1);
        }
        tail.reconcile(await log.head(STREAM));
        await turns(8);
        tail.close();
        assert.deepEqual(heard.offsets, upTo(30, startAt + 1));
        assert.equal(heard.resets, 0);
      }),
      { numRuns: 150 },
    );
  });

  it('closes a gap by itself, also one that it starts with', async () => {
    await start();
    commit(1); // whose hint is lost
    tail.accept(commit(1));
    assert.deepEqual(heard.offsets, []);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(heard.offsets, [1, 2]);

    const early = new Tail(STREAM, log, heard, quiet);
    commit(1);
    early.accept(commit(1));
    early.start({ epoch: (await log.head(STREAM)).epoch, head: 2 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(heard.offsets, [1, 2, 3, 4]);
    early.close();
  });

  it('does not ask the log while what is missing is only late', async () => {
    await start();
    const first = commit(1);
    tail.accept(commit(1));
    tail.accept(first);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(heard.offsets, [1, 2]);
    assert.equal(log.reads, 0);
  });

  it('holds a bounded number of early events, and reads the rest', async () => {
    await start();
    commit(1);
    for (let batch = 0; batch < 30; batch++) tail.accept(commit(100));
    await turns(30);
    assert.deepEqual(heard.offsets, upTo(3_001));
  });

  it('waits for the next comparison when the log can’t be read', async () => {
    await start();
    commit(3);
    log.failures.push(new Error('away'));
    tail.reconcile(await log.head(STREAM));
    await turns(5);
    assert.deepEqual(heard.offsets, []);
    tail.reconcile(await log.head(STREAM));
    await turns(5);
    assert.deepEqual(heard.offsets, [1, 2, 3]);
  });

  it('ends when the epoch has changed, when events are missing from the log, and when the log was cut back; once', async () => {
    for (const end of [
      () => tail.accept({ stream: STREAM, epoch: 'other', events: [{ pos: 1, at: 0, ref: { kind: 'chat.updated' } }] }),
      () => tail.reconcile({ epoch: 'other', head: 0 }),
      () => tail.cutBack(),
      () => {
        commit(5);
        log.stream(STREAM).droppedUpTo = 3;
        tail.reconcile({ epoch: log.stream(STREAM).epoch, head: 5 });
      },
    ]) {
      heard = new Heard();
      tail = new Tail<LoggedEvent>(STREAM, log, heard, quiet);
      tail.start({ epoch: log.stream(STREAM).epoch, head: 0 });
      end();
      await turns(3);
      assert.equal(heard.resets, 1);
      tail.accept(commit(1));
      tail.reconcile({ epoch: 'third', head: 9 });
      tail.cutBack();
      await turns(3);
      assert.equal(heard.resets, 1);
      assert.deepEqual(heard.offsets, []);
    }
  });

  it('drops hints of another history that came before it started', async () => {
    commit(2);
    tail.accept({ stream: STREAM, epoch: 'before the restore', events: [{ pos: 1, at: 0, ref: { kind: 'chat.updated' } }] });
    tail.start({ epoch: log.stream(STREAM).epoch, head: 0 });
    await turns(5);
    assert.deepEqual(heard.offsets, [1, 2]);
    assert.equal(heard.resets, 0);
  });

  it('is silent once closed', async () => {
    await start();
    tail.accept({ ...commit(2), events: [] });
    tail.close();
    tail.accept(commit(1));
    tail.reconcile(await log.head(STREAM));
    await turns(5);
    assert.deepEqual(heard, Object.assign(new Heard(), { started: 1 }));
  });
});
