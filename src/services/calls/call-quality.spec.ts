import assert from 'node:assert/strict';
import { eventually, within } from '../../../test/testkit/world.js';
import type { Sql } from '../../db/database.js';
import { createLogger } from '../../lib/logger.js';
import type { MediaCounts } from '../../media/contract.js';
import { CallQuality } from './call-quality.js';

describe('how connections are', () => {
  it('is asked of one worker at a time, and keeps no process from stopping where it does not answer', async () => {
    let asked = 0;
    const media = {
      rooms: () => ({ peers: 1 }) as MediaCounts,
      stats: () => {
        asked++;
        return new Promise<never>(() => undefined);
      },
    };
    const sql = (async () => [{ id: 'ann', callId: 'call' }]) as unknown as Sql;
    const quality = new CallQuality(sql, media, 'here', createLogger('silent'), 5);
    quality.start();
    await eventually(() => asked === 1, 'she is measured');
    await within(quality.close(), 'the stop');
    assert.equal(asked, 1);
  });
});
