import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { decodeCursor, encodeCursor } from './cursor.js';

describe('event cursors', () => {
  it('are read as they were written', () => {
    const stream = fc.tuple(fc.constantFrom('chat', 'user'), fc.uuid()).map(([kind, id]) => `${kind}:${id}`);
    fc.assert(
      fc.property(stream, fc.uuid(), fc.integer({ min: 0, max: 999_999_999_999_999 }), (name, epoch, pos) => {
        assert.deepEqual(decodeCursor(encodeCursor(name, epoch, pos)), { stream: name, epoch, pos });
      }),
    );
  });

  it('of anybody else’s making are refused by INVALID_CURSOR', () => {
    const refused = (text: string) =>
      assert.throws(
        () => decodeCursor(text),
        (error: unknown) => error instanceof DomainError && error.code === 'INVALID_CURSOR' && error.details.field === 'after',
      );
    const good = encodeCursor('chat:00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000', 7);
    assert.equal(decodeCursor(good).pos, 7);
    const of = (text: string) => Buffer.from(text).toString('base64url');
    const id = '00000000-0000-4000-8000-000000000000';
    for (const text of ['', 'x', '∞', good.slice(0, -3), 'A'.repeat(100_000), of(`chat:${id}|${id}|-1`), of(`chat:${id}|${id}|1.5`), of(`chat:${id}|${id}|01`), of(`chat:${id}|${id}|1e3`),
      of(`chat:${id}|${id}|9999999999999999`), of(`shop:${id}|${id}|1`), of(`chat:${id}'|${id}|1`), of(`chat:${id}|${id}`), of(`chat:${id}|${id}|1|2`), of(`chat:${id}\n|${id}|1`)]) refused(text);
    fc.assert(fc.property(fc.string(), (text) => refused(text)));
  });
});
