import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { systemClock } from '../../lib/clock.js';
import { createLogger } from '../../lib/logger.js';
import { CallNode } from './call-node.js';
import { CallUpkeep } from './call-upkeep.js';

const LEASE_MS = 9_000;

describe('the lease of a process that carries calls', () => {
  let node: CallNode;
  let now: number;
  let away: boolean;
  let renewed: number;
  let revived: number;
  const log = createLogger('silent');
  beforeEach(async () => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    now = performance.now();
    mock.method(performance, 'now', () => now);
    [away, renewed, revived] = [false, 0, 0];
    const sql = (async () => {
      if (away) throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
      renewed++;
      return [{ fresh: false }];
    }) as unknown as Sql;
    node = new CallNode(sql, systemClock, { state: () => ({ state: 'ready' }) }, log, { region: '', workers: 1, capacity: 1, leaseMs: LEASE_MS, onRevived: async () => void revived++ });
    await node.start();
  });
  afterEach(async () => {
    await node.close();
    mock.timers.reset();
    mock.restoreAll();
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      now += 50;
      mock.timers.tick(50);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };

  it('stands again as soon as PostgreSQL is back, and not only at the next beat', async () => {
    await pass(LEASE_MS);
    assert.deepEqual([renewed, revived], [4, 0]);
    away = true;
    await pass(2 * LEASE_MS + 100);
    const before = renewed;
    away = false;
    await pass(300);
    assert.deepEqual([renewed - before, revived], [1, 1]);
    await pass(LEASE_MS);
    assert.deepEqual([renewed - before, revived], [4, 1]);
  });

  it('is what others are taken for dead by, once it has stood for as long as theirs', async () => {
    const asked: string[] = [];
    const sql = (async (text: string) => {
      asked.push(text);
      return [];
    }) as unknown as Sql;
    const upkeep = new CallUpkeep(sql, {} as UnitOfWork, {} as never, systemClock, node, log);
    const buries = async () => {
      asked.length = 0;
      await upkeep.reconcile();
      return asked.some((text) => text.includes('call_nodes'));
    };
    assert.equal(await buries(), true);
    away = true;
    await pass(LEASE_MS + 1_000);
    assert.equal(await buries(), false);
    away = false;
    await pass(LEASE_MS - 1_000);
    assert.equal(await buries(), false);
    await pass(2_000);
    assert.equal(await buries(), true);
  });
});
