import assert from 'node:assert/strict';
import fc from 'fast-check';
import { opusSamples } from './opus.js';
import { readRtp, writeRtp } from './rtp.js';

describe('Opus and RTP', () => {
  const packets: [number[], number | null][] = [
    [[0xf8, 1], 960],
    [[0xf9, 1, 2], 1_920],
    [[0xf9, 1], null],
    [[0xfb, 6, 0], 5_760],
    [[0xfb, 7, 0], null],
    [[0xfb, 0, 0], null],
    [[0x00], 480],
    [[0x18], 2_880],
    [[0x1a, 1], 5_760],
    [[0x80], 120],
    [[], null],
  ];
  for (const [bytes, samples] of packets) it(`reads ${samples} samples from ${JSON.stringify(bytes)}`, () => assert.equal(opusSamples(Buffer.from(bytes)), samples));

  it('answers for any bytes, within 120 ms', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const samples = opusSamples(Buffer.from(bytes));
        assert.ok(samples === null || (samples >= 120 && samples <= 5_760));
      }),
    );
  });

  it('reads any bytes as RTP without failing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readRtp(Buffer.from(bytes))));
  });

  it('reads what it wrote', () => {
    const extension = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.uint8Array({ minLength: 1, maxLength: 16 }));
    const packet = fc.record({
      payloadType: fc.integer({ min: 0, max: 127 }),
      marker: fc.boolean(),
      sequence: fc.integer({ min: 0, max: 0xffff }),
      timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
      ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
      extensions: fc.array(extension, { maxLength: 5 }).map((all) => new Map(all.map(([id, value]) => [id, Buffer.from(value)]))),
      payload: fc.uint8Array({ minLength: 1, maxLength: 1_200 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(fc.property(packet, (written) => assert.deepEqual(readRtp(writeRtp(written)), { ...written })));
  });
});
