import assert from 'node:assert/strict';
import { eventually } from '../../../test/testkit/world.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { createLogger } from '../../lib/logger.js';
import { CallLinks } from './call-links.js';

describe('who is connected to a call, while PostgreSQL is away', () => {
  let links: CallLinks;
  let written: string[];
  let failing: number;
  let failed: number;
  beforeEach(() => {
    [written, failing, failed] = [[], 0, 0];
    const unitOfWork = {
      run: async ({ operation }: { operation: string }) => {
        if (failing > 0) {
          failing--;
          failed++;
          throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
        }
        written.push(operation);
      },
    } as unknown as UnitOfWork;
    links = new CallLinks(unitOfWork, 'here', createLogger('silent'));
  });
  afterEach(() => links.close());
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('is written once it is back: that they are lost', async () => {
    await links.opened('call', 'ann');
    failing = 2;
    links.closed('ann');
    await eventually(() => written.length === 2, 'it is written');
    await pass(700);
    assert.deepEqual([written, failed, links.size], [['linkCall', 'unlinkCall'], 2, 0]);
  });

  it('is written once it is back: that they are there', async () => {
    failing = 2;
    await links.opened('call', 'ann');
    assert.deepEqual([written, failed], [['linkCall'], 2]);
  });

  it('is what holds by then: who is back meanwhile was not away', async () => {
    await links.opened('call', 'ann');
    failing = 2;
    links.closed('ann');
    await eventually(() => failed === 1, 'that they are lost could not be written');
    await links.opened('call', 'ann');
    await pass(700);
    assert.deepEqual([written.at(-1), written.includes('unlinkCall'), links.size], ['linkCall', false, 1]);
  });

  it('is said again where they may have been taken for lost', async () => {
    await links.opened('call', 'ann');
    await links.opened('call', 'bob');
    links.closed('bob');
    await links.stillThere();
    assert.deepEqual(written, ['linkCall', 'linkCall', 'linkCall']);
  });

  it('is tried no more once the process stops', async () => {
    await links.opened('call', 'ann');
    failing = 100;
    links.closed('ann');
    await eventually(() => failed === 1, 'that they are lost could not be written');
    await links.close();
    const before = failed;
    await pass(700);
    assert.equal(failed, before);
  });
});
