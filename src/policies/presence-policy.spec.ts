import assert from 'node:assert/strict';
import fc from 'fast-check';
import { maySeePresence, type PresenceSight } from './presence-policy.js';

const sight = fc.record<PresenceSight>({ privacy: fc.constantFrom('EVERYONE', 'CONTACTS', 'NOBODY'), self: fc.boolean(), blocked: fc.boolean(), contactOfOwner: fc.boolean() });

describe('presence policy', () => {
  it('nobody sees across a block, whatever else holds', () => {
    fc.assert(fc.property(sight, (given) => !maySeePresence({ ...given, self: false, blocked: true })));
  });

  it('a person always sees their own', () => {
    fc.assert(fc.property(sight, (given) => maySeePresence({ ...given, self: true })));
  });

  it('each privacy lets in exactly those it names', () => {
    const others = (privacy: PresenceSight['privacy']) => [true, false].map((contactOfOwner) => maySeePresence({ privacy, self: false, blocked: false, contactOfOwner }));
    assert.deepEqual({ everyone: others('EVERYONE'), contacts: others('CONTACTS'), nobody: others('NOBODY') }, { everyone: [true, true], contacts: [true, false], nobody: [false, false] });
  });
});
