import assert from 'node:assert/strict';
import pino from 'pino';
import { ShiftedClock } from '../lib/clock.js';
import { DueWatch, type Ask } from './due-watch.js';
import { Sweeper } from './sweeper.js';

const log = pino({ level: 'silent' });

/** Resolves with the first so many answers of what is pushed into it. */
function gather<Value>(count: number): { take(value: Value): void; all: Promise<Value[]> } {
  const values: Value[] = [];
  let done: (all: Value[]) => void;
  const all = new Promise<Value[]>((resolve) => (done = resolve));
  return {
    all,
    take(value) {
      values.push(value);
      if (values.length === count) done(values);
    },
  };
}

describe('what is due', () => {
  const clock = new ShiftedClock();
  let stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    stops = [];
  });

  function watch(sweepers: Sweeper[], ask: Ask): void {
    const made = new DueWatch(sweepers, ask, clock, log);
    stops.push(() => made.stop(), ...sweepers.map((sweeper) => () => sweeper.stop()));
    for (const sweeper of sweepers) sweeper.start();
    made.start();
  }

  const sweeper = (name: string, due: string | undefined, run: () => Promise<boolean>) => new Sweeper({ name, ...(due === undefined ? { everyMs: 3_600_000 } : { due }), run }, log);

  it('is asked for all sweeps by one statement, at the time of the clock, and woken alone, until there is no more', async () => {
    const ran = gather<string>(3);
    let more = 2;
    const runs = (name: string) => async () => {
      ran.take(name);
      return more-- > 0;
    };
    const asked: Parameters<Ask>[0][] = [];
    const ask: Ask = async (statement) => {
      asked.push(statement);
      return { rows: [{ due: asked.length === 1 ? ['b'] : [] }] };
    };
    watch([sweeper('a', 'exists (a)', runs('a')), sweeper('b', 'exists (b)', runs('b')), sweeper('c', undefined, runs('c'))], ask);
    assert.deepEqual(await ran.all, ['b', 'b', 'b']);
    assert.equal(asked[0]!.text, "select array_remove(array[case when exists (a) then 'a' end, case when exists (b) then 'b' end]::text[], null) as due");
    assert.ok(asked[0]!.values[0] instanceof Date);
  });

  it('is looked for again after a failure, of the look and of a sweep', async () => {
    const ran = gather<number>(2);
    let looks = 0;
    let runs = 0;
    const ask: Ask = async () => {
      if (++looks === 1) throw new Error('the database is away');
      return { rows: [{ due: ['a'] }] };
    };
    const failing = async () => {
      ran.take(++runs);
      throw new Error('not now');
    };
    watch([sweeper('a', 'true', failing)], ask);
    assert.deepEqual(await ran.all, [1, 2]);
  });

  it('wakes a sweep that is at work no second time', async () => {
    const looked = gather<null>(3);
    let atWork = 0;
    let finish = (): void => undefined;
    const run = () =>
      new Promise<boolean>((resolve) => {
        atWork++;
        finish = () => resolve(false);
      });
    const ask: Ask = async () => {
      looked.take(null);
      return { rows: [{ due: ['a'] }] };
    };
    watch([sweeper('a', 'true', run)], ask);
    await looked.all;
    assert.equal(atWork, 1);
    finish();
  });
});
