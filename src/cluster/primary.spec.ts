import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import { eventually } from '../../test/testkit/world.js';
import { loadConfig } from '../config.js';
import { createLogger } from '../lib/logger.js';
import { Workers, type Fork } from './primary.js';
import type { FromPrimary } from './talk.js';

/** A process that serves at once, and ends when it is told to. */
class FakeWorker extends EventEmitter {
  readonly pid = 4_000_000;
  readonly told: FromPrimary[] = [];

  constructor() {
    super();
    setImmediate(() => this.emit('message', { kind: 'serving', url: 'http://127.0.0.1:1', filesPort: 2 }));
  }

  send(message: FromPrimary): void {
    this.told.push(message);
    if (message.kind === 'stop') setImmediate(() => this.emit('exit', 0, null));
    if (message.kind === 'read-figures') setImmediate(() => this.emit('message', { kind: 'figures-read', id: message.id, figures: [] }));
  }

  kill(): void {}

  async figure(name: string): Promise<number> {
    this.told.length = 0;
    this.emit('message', { kind: 'figures-wanted', id: 1 });
    let text = '';
    await eventually(() => this.told.some((message) => message.kind === 'figures' && Boolean((text = message.text))), 'the figures are told');
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  }
}

/** As Node leaves one that the system did not start: it has no process, no channel, and says one thing. */
function unborn(): EventEmitter {
  const child = Object.assign(new EventEmitter(), { pid: undefined, kill: () => false });
  process.nextTick(() => child.emit('error', Object.assign(new Error('spawn node EAGAIN'), { code: 'EAGAIN' })));
  return child;
}

describe('a primary that can’t start a process', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  /** What the system does at each start: a process unless told. */
  const start = async (...plan: ('fails' | 'throws' | 'starts')[]) => {
    const born: FakeWorker[] = [];
    let tries = 0;
    const fork: Fork = () => {
      tries++;
      const next = plan.shift();
      if (next === 'throws') throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
      if (next === 'fails') return unborn() as ChildProcess;
      born.push(new FakeWorker());
      return born.at(-1) as unknown as ChildProcess;
    };
    const config = { ...loadConfig({ WORKERS: '2', PORT: '0', DATABASE_POOL: '4', REDIS_URL: 'redis://127.0.0.1:1' }), DATABASE_URL: database.url };
    const loops: string[] = [];
    const workers = Workers.start(config, createLogger('silent'), ({ message }) => loops.push(message), fork);
    return { workers, born, plan, loops, tries: () => tries };
  };

  it('tries again, whichever way it is told, and counts none that is not there', async () => {
    const { workers, born, plan } = await start();
    const running = await workers;
    plan.push('fails', 'throws');
    born[1]!.emit('exit', null, 'SIGKILL');
    await eventually(() => born.length === 3, 'another is started');
    assert.deepEqual([await born[0]!.figure('omnitalk_workers'), await born[0]!.figure('omnitalk_worker_deaths_total')], [2, 3]);
    await running.stop();
    assert.deepEqual(born.map(({ told }) => told.some(({ kind }) => kind === 'stop')), [true, false, true]);
  });

  it('stops while one is missing', async () => {
    const { workers, born, plan, tries } = await start();
    const running = await workers;
    plan.push(...Array<'fails'>(6).fill('fails'));
    born[0]!.emit('exit', null, 'SIGKILL');
    await eventually(() => tries() > 2, 'it was tried');
    assert.equal(await born[1]!.figure('omnitalk_workers'), 1);
    await running.stop();
    assert.deepEqual([born.length, born[1]!.told.at(-1)], [2, { kind: 'stop' }]);
  });

  it('gives up when it never can', async () => {
    const { workers, born, plan, loops } = await start();
    const running = await workers;
    plan.push(...Array<'fails'>(6).fill('fails'));
    born[1]!.emit('exit', null, 'SIGKILL');
    await eventually(() => loops.length === 1, 'it gives up');
    assert.match(loops[0]!, /^worker 2 could not be started: spawn node EAGAIN\nThat was the 6th time in a row/);
    await running.stop();
  });

  it('does not start at all without one, and leaves nobody', async () => {
    for (const how of ['fails', 'throws'] as const) {
      const { workers, born } = await start('starts', how);
      await assert.rejects(workers, /^WorkerFailure: worker 2 could not be started: spawn/);
      assert.deepEqual(born.map(({ told }) => told), [[{ kind: 'stop' }]]);
    }
  });
});
