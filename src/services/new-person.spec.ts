import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanHandle } from './account-input.js';
import { handleLike } from './new-person.js';

describe('a handle like a name from elsewhere', () => {
  it('keeps what it can', () => {
    assert.equal(handleLike('Ann Lee'), 'ann_lee');
    assert.equal(handleLike('ann.lee@example.com'), 'ann.lee');
    assert.equal(handleLike('Zoë Müller'), 'zoe_muller');
    assert.equal(handleLike('李'), null);
    assert.equal(handleLike('..'), null);
  });

  it('is always a handle, or null', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', '_', '.', '@', 'Z', '9') })), (name) => {
        const handle = handleLike(name);
        if (handle !== null) assert.equal(cleanHandle(handle), handle);
      }),
    );
  });
});
