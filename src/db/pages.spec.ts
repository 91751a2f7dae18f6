import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { encodeKey, pageRequest, type CursorPart, type CursorValue } from './pages.js';

const refused = (key: unknown, kinds: CursorPart[]) =>
  assert.throws(
    () => pageRequest({ after: encodeKey(key as CursorValue[]) }, kinds),
    (error: unknown) => error instanceof DomainError && error.code === 'INVALID_CURSOR' && error.details.field === 'after',
  );

describe('cursors of lists', () => {
  it('come back as they were given', () => {
    const key = [1_763_600_000_000, '0199f0a0-0000-7000-8000-000000000000', 7, null];
    assert.deepEqual(pageRequest({ after: encodeKey(key) }, ['time', 'uuid', 'number', 'nullable']).from, key);
    const long = ['"'.repeat(200), '\\'.repeat(200), '0199f0a0-0000-7000-8000-000000000000'];
    assert.deepEqual(pageRequest({ after: encodeKey(long) }, ['string', 'string', 'uuid']).from, long, 'that of a source of news with long names');
  });

  it('are of the list’s types or refused, whatever they are', () => {
    const KINDS = ['string', 'uuid', 'number', 'amount', 'time', 'nullable'] as const;
    const cursor = fc.oneof(fc.string(), fc.base64String(), fc.json().map((text) => Buffer.from(text).toString('base64url')), fc.array(fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constant(null), fc.uuid())).map((key) => encodeKey(key)));
    fc.assert(
      fc.property(cursor, fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 3 }), (after, kinds) => {
        try {
          const { from } = pageRequest({ after }, kinds);
          assert.equal(from!.length, kinds.length);
          from!.forEach((part, index) => assert.ok(typeof part === 'string' ? part.isWellFormed() && !part.includes('\0') : part === null ? kinds[index] === 'nullable' : Number.isSafeInteger(part)));
        } catch (error) {
          assert.ok(error instanceof DomainError && error.code === 'INVALID_CURSOR', String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are refused when no server can have made them, before they reach the database', () => {
    refused(['not a uuid'], ['uuid']);
    refused([2 ** 31], ['number']);
    refused([1.5], ['number']);
    refused([2 ** 53], ['amount']);
    refused([-1], ['amount']);
    refused([9e15], ['time']);
    refused([-1], ['time']);
    refused(['a\0b'], ['string']);
    refused(['\ud800'], ['string']);
    refused([null], ['string']);
    refused(['a', 'b'], ['string']);
    refused({ 0: 'a' }, ['string']);
    assert.throws(() => pageRequest({ after: 'no json' }, ['string']), { code: 'INVALID_CURSOR' });
  });

  it('go with their own direction', () => {
    const bad = { code: 'INVALID_INPUT' };
    assert.throws(() => pageRequest({ first: 1, last: 1 }, []), bad);
    assert.throws(() => pageRequest({ first: 1, before: 'x' }, []), bad);
    assert.throws(() => pageRequest({ last: 1, after: 'x' }, []), bad);
    assert.throws(() => pageRequest({ first: 101 }, []), bad);
    assert.throws(() => pageRequest({ first: -1 }, []), bad);
    assert.deepEqual(pageRequest({}, []), { size: 20, limit: 21, backward: false, from: null });
  });
});
