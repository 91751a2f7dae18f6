import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseTimestamp } from './timestamps.js';

describe('parseTimestamp', () => {
  it('reads what PostgreSQL writes of any moment in UTC', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), fc.nat(999), (date, micros) => {
        const fraction = `${String(date.getUTCMilliseconds()).padStart(3, '0')}${String(micros).padStart(3, '0')}`.replace(/0+$/, '');
        const written = `${date.toISOString().slice(0, 19).replace('T', ' ')}${fraction && `.${fraction}`}`;
        assert.equal(parseTimestamp(`${written}+00`).getTime(), date.getTime(), written);
      }),
    );
  });
  const others: [string, string][] = [
    ['2026-01-31 12:00:00+00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31 12:00:00.5+00', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31 12:00:00.123456+02', '2026-01-31T10:00:00.123Z'],
    ['2026-01-31 12:00:00.12+05:30', '2026-01-31T06:30:00.120Z'],
  ];
  for (const [text, expected] of others) it(`reads ${text}`, () => assert.equal(parseTimestamp(text).toISOString(), expected));
  it('leaves infinity to the general parser', () => assert.equal(parseTimestamp('infinity') as unknown, Infinity));
});
