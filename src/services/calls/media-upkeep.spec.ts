import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { createLogger } from '../../lib/logger.js';
import type { SeatHere } from '../../media/contract.js';
import { MediaUpkeep } from './media-upkeep.js';

describe('what media has and the database has not', () => {
  it('is let go, though another call can not be looked at', async () => {
    const seats: SeatHere[] = ['locked', 'over'].map((roomId) => ({ roomId, peerId: `gone from ${roomId}`, producers: [] }));
    const left: string[] = [];
    const media = { seats: (roomId?: string) => seats.filter((seat) => roomId === undefined || seat.roomId === roomId), leave: async (_roomId: string, peerId: string) => void left.push(peerId) };
    const sql = async (_text: string, [callId]: unknown[] = []) => {
      if (callId === 'locked') throw new Error('It is locked.');
      return [];
    };
    const unitOfWork = { run: (_options: unknown, work: (tx: unknown) => Promise<unknown>) => work({ sql }) } as unknown as UnitOfWork;
    const upkeep = new MediaUpkeep(sql as never, unitOfWork, media, 'here', createLogger('silent'));
    await upkeep.sweep();
    assert.deepEqual(left, ['gone from over']);
    await upkeep.close();
  });

  it('stays while its seat has no place yet, because it is just being taken; and is let go where it was taken for lost', async () => {
    const left: string[] = [];
    const media = { seats: (): SeatHere[] => [{ roomId: 'call', peerId: 'ann', producers: ['new'] }], leave: async (_roomId: string, peerId: string) => void left.push(peerId) };
    const sql = async (text: string) => (text.startsWith('select p.id') ? [{ id: 'ann', producers: null }] : []);
    const unitOfWork = { run: (_options: unknown, work: (tx: unknown) => Promise<unknown>) => work({ sql }) } as unknown as UnitOfWork;
    const upkeep = new MediaUpkeep(sql as never, unitOfWork, media, 'here', createLogger('silent'));
    let now = performance.now();
    mock.method(performance, 'now', () => now);
    try {
      for (let time = 0; time < 2; time++) {
        await upkeep.sweep();
        now += 5_000;
      }
      assert.deepEqual(left, []);
      await upkeep.sweep();
      assert.deepEqual(left, ['ann']);
    } finally {
      mock.restoreAll();
    }
    await upkeep.close();
  });
});
