import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decode } from './decode.js';

describe('foreign bytes as text', () => {
  it('are some text, whatever they are and say they are', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.oneof(fc.string(), fc.constantFrom('text/html; charset=utf-16', 'text/xml; charset="nonsense"', 'charset=utf-7', 'text/html;charset=iso-2022-jp')), fc.constantFrom('', '<?xml encoding="', '<meta charset=', '\u00fe\u00ff', '\u00ff\u00fe'), (bytes, type, head) => {
        assert.equal(typeof decode(Buffer.concat([Buffer.from(head, 'latin1'), bytes]), type), 'string');
      }),
      { numRuns: 300 },
    ));

  it('that are UTF-8 come back as they were, unless they say that they are something else', () =>
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }).filter((text) => !/charset|encoding|\ufeff|^\p{Cc}/iu.test(text)), (text) => assert.equal(decode(Buffer.from(text), 'text/plain'), text)), { numRuns: 200 }));
});
