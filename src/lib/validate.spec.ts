import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from './errors.js';
import { cleanText, cleanUrl } from './validate.js';

const refused = (error: unknown) => error instanceof DomainError && error.code === 'INVALID_INPUT' && error.details.field === 'it';
const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string().map((text) => `\ud800${text}`), fc.constantFrom('\0', '\r\n', '\u202e', '\u0085', ' '));

describe('texts that are kept', () => {
  it('are well-formed, trimmed, without controls and within their bytes; cleaned again they stay', () =>
    fc.assert(
      fc.property(fc.array(any).map((parts) => parts.join('')), fc.integer({ min: 1, max: 60 }), fc.boolean(), (value, maxBytes, multiline) => {
        try {
          const text = cleanText(value, { field: 'it', maxBytes, multiline });
          assert.ok(text.isWellFormed() && text === text.trim() && text.length > 0 && Buffer.byteLength(text) <= maxBytes);
          // eslint-disable-next-line no-control-regex -- naming control characters is the point
          assert.doesNotMatch(text, multiline ? /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/ : /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          assert.equal(cleanText(text, { field: 'it', maxBytes, multiline }), text);
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          assert.ok(refused(error));
        }
      }),
      { numRuns: 500 },
    ));

  it('that are addresses lead to the web, and hold no password', () =>
    fc.assert(
      fc.property(fc.oneof(any, fc.webUrl(), fc.constantFrom('javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://a:b@c.d/', 'HTTPS://EXAMPLE.COM', 'http:/a', 'http:\\\\a')), (value) => {
        try {
          const { protocol, username, password } = new URL(cleanUrl(value, 'it'));
          assert.ok(/^https?:$/.test(protocol) && !username && !password);
        } catch (error) {
          assert.ok(refused(error), String(error));
        }
      }),
      { numRuns: 300 },
    ));
});
