import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../../lib/errors.js';
import { Transfers, type Transfer } from './transfers.js';

const KiB = 1024;
const isCode = (code: string) => (error: unknown) => error instanceof DomainError && error.code === code && error.details.retryAfter! > 0;
const still = (): Transfer => ({ moved: () => 0, waits: () => true, end: () => undefined });

describe('files that are sent and fetched at once', () => {
  it('so many of an address, so many in all, and room again when one ends', () => {
    const transfers = new Transfers({ most: 3, each: 2 });
    const leave = transfers.enter('10.0.0.1', still());
    transfers.enter('10.0.0.1', still());
    assert.throws(() => transfers.enter('10.0.0.1', still()), isCode('RATE_LIMITED'));
    transfers.enter('2001:db8::1', still());
    assert.throws(() => transfers.enter('10.0.0.2', still()), isCode('OVERLOADED'));
    leave();
    leave();
    transfers.enter('2001:db8::2', still());
    assert.throws(() => transfers.enter('10.0.0.1', still()), isCode('OVERLOADED'));
  });

  it('ends who hardly moves, and nobody for whom the store is too slow', () => {
    const transfers = new Transfers({ most: 10, each: 10 });
    const ended: string[] = [];
    const bytes: Record<string, number> = {};
    const begin = (name: string, waits = true) => transfers.enter('::1', { moved: () => bytes[name] ?? 0, waits: () => waits, end: () => ended.push(name) });
    begin('dribbles');
    begin('walks');
    begin('held up by us', false);
    transfers.look();
    begin('begins late');
    assert.deepEqual(ended, [], 'a first look only looks');
    bytes['dribbles'] = 32 * KiB - 1;
    bytes['walks'] = 32 * KiB;
    transfers.look();
    assert.deepEqual(ended, ['dribbles']);
  });

  it('whatever comes and goes, no bound is passed and every place comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ who: fc.constantFrom('a', 'b', 'c'), leaves: fc.nat(9) }), { maxLength: 60 }), (steps) => {
        const transfers = new Transfers({ most: 5, each: 2 });
        const under: { who: string; leave: () => void }[] = [];
        for (const { who, leaves } of steps) {
          const mine = under.filter((one) => one.who === who).length;
          const expected = under.length >= 5 ? 'OVERLOADED' : mine >= 2 ? 'RATE_LIMITED' : null;
          if (expected) assert.throws(() => transfers.enter(who, still()), isCode(expected));
          else under.push({ who, leave: transfers.enter(who, still()) });
          if (leaves < under.length) under.splice(leaves, 1)[0]!.leave();
        }
      }),
    );
  });
});
