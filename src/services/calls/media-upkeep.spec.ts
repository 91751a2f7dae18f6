import assert from 'node:assert/strict';
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
});
