import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from './errors.js';
import { decodeAnyId, decodeId, decodeMessageId, encodeId, encodeMessageId, ID_PREFIXES, type IdType } from './ids.js';

type Named = Exclude<IdType, 'Message'>;
const named = fc.constantFrom(...(Object.keys(ID_PREFIXES) as IdType[]).filter((type): type is Named => type !== 'Message'));

describe('public ids', () => {
  it('are read as they were written, and as no other type', () =>
    fc.assert(
      fc.property(named, named, fc.uuid({ version: 7 }), (type, other, uuid) => {
        const id = encodeId(type, uuid);
        assert.equal(decodeId(type, id), uuid);
        assert.deepEqual(decodeAnyId(id), { type, uuid });
        if (other !== type) assert.throws(() => decodeId(other, id), DomainError);
      }),
    ));

  it('of messages name the chat and the number', () =>
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (chatId, seq) => {
        assert.deepEqual(decodeMessageId(encodeMessageId(chatId, seq)), { chatId, seq });
      }),
    ));

  it('of anybody else’s making are INVALID_ID, or one that could have been written here', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.tuple(fc.constantFrom(...Object.values(ID_PREFIXES)), fc.stringMatching(/^[0-9a-f_]{0,44}$/)).map(([prefix, rest]) => `${prefix}_${rest}`)), (text) => {
        try {
          const { type, uuid, seq } = decodeAnyId(text);
          assert.equal(type === 'Message' ? encodeMessageId(uuid, seq!) : encodeId(type, uuid), text);
        } catch (error) {
          assert.ok(error instanceof DomainError, String(error));
          assert.equal(error.code, 'INVALID_ID');
        }
      }),
      { numRuns: 2_000 },
    ));
});
