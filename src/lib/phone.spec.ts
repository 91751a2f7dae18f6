import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanPhone, parsePhone } from './phone.js';

describe('a phone number', () => {
  it('is one in E.164, however it is written', () => {
    for (const written of ['+41791234567', '+41 79 123 45 67', ' +41 (0)79 123-45-67', '+41.79.123.45.67']) assert.equal(cleanPhone(written), '+41791234567', written);
    assert.equal(cleanPhone('+1 (202) 555-0123'), '+12025550123');
  });

  it('is none without its country, or of no country, or with anything else in it', () => {
    const none = ['', '+', '0791234567', '41791234567', '+999123456789', '+4179', `+41${'7'.repeat(40)}`, '+41791234567 ext 5', '+41791234567;x', '\u0000+41791234567'];
    for (const written of none) assert.throws(() => cleanPhone(written), { code: 'INVALID_INPUT', details: { field: 'phone' } }, written);
  });

  it('read again is itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200_000_000, max: 999_999_999 }), (digits) => {
        const phone = parsePhone(`+41 ${digits}`);
        assert.equal(phone && cleanPhone(phone), phone);
      }),
    );
  });
});
