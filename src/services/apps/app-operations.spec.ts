import assert from 'node:assert/strict';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { AppOperationService } from './app-operations.js';

describe('operations that apps register', () => {
  it('are judged one by one, with a turn for others in between, and paid for before', async () => {
    const service = new AppOperationService(async () => [], { run: async () => null } as unknown as UnitOfWork);
    const seen: number[] = [];
    let [turns, done] = [0, false];
    const count = () => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const charged: unknown[] = [];
    service.checkWith({
      mistakesIn: () => {
        seen.push(turns);
        return [];
      },
      charge: async (address, documents) => void charged.push([address, documents.length, seen.length]),
    });
    await service.register({ userId: 'u', sessionId: 's', role: 'USER' }, 'a', ['{ one }', '{ two }', '{ three }'], '192.0.2.1');
    done = true;
    assert.deepEqual(charged, [['192.0.2.1', 3, 0]]);
    assert.equal(new Set(seen).size, 3, seen.join());
  });
});
