import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { Documents } from './documents.js';
import { readOperation, readRequest } from './read-request.js';

const NAMES = ['query', 'documentId', 'operationName', 'variables', 'extensions'];

/** Whatever is read is of its type; all else is refused by code. */
function judged(read: () => ReturnType<typeof readOperation>): void {
  try {
    const { query, documentId, operationName, variables, extensions } = read();
    for (const text of [query, documentId, operationName]) assert.ok(text === null || typeof text === 'string');
    for (const object of [variables, extensions]) assert.ok(object === null || (typeof object === 'object' && !Array.isArray(object)));
  } catch (error) {
    assert.ok(error instanceof DomainError && error.code === 'BAD_REQUEST', String(error));
  }
}

describe('an operation that is asked for', () => {
  const parameters = fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), fc.jsonValue());

  it('is one, or refused, as the body of a POST', () => fc.assert(fc.property(fc.oneof(parameters, fc.jsonValue()), (body) => judged(() => readRequest({ method: 'POST', body } as Parameters<typeof readRequest>[0]))), { numRuns: 500 }));

  it('is one, or refused, as the query of a GET', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.string(), fc.json()))), (pairs) => judged(() => readRequest({ method: 'GET', url: `/graphql?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&')}` } as Parameters<typeof readRequest>[0]))),
      { numRuns: 500 },
    ));

  it('goes on behind a question mark, which stands in the query of an address as it is (RFC 3986, 3.4)', () => {
    const read = (url: string) => readRequest({ method: 'GET', url } as Parameters<typeof readRequest>[0]).query;
    assert.deepEqual([read('/graphql?query={a(b:"why?")}'), read('/graphql?'), read('/graphql')], ['{a(b:"why?")}', null, null]);
  });

  it('has a text, or is refused by code, whatever it is named by', () => {
    const CODES = ['BAD_REQUEST', 'OPERATION_NOT_FOUND', 'OPERATION_NOT_ALLOWED'];
    const hash = fc.oneof(fc.constant('a'.repeat(64)), fc.string(), fc.jsonValue());
    return fc.assert(
      fc.property(fc.boolean(), fc.option(fc.string()), fc.option(fc.string()), fc.option(fc.record({ persistedQuery: fc.oneof(fc.record({ version: fc.constantFrom(1, 2), sha256Hash: hash }), fc.jsonValue()) })), (only, query, documentId, extensions) => {
        try {
          assert.ok(new Documents({ known: '{ a }' }, only).find({ query, documentId, extensions }).length > 0);
        } catch (error) {
          assert.ok(error instanceof DomainError && CODES.includes(error.code), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
