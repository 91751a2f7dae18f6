import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readRtp, writeRtp, type RtpPacket } from './rtp.js';
import { isBindingSuccess, isStun, nomination } from './stun.js';

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const packets: fc.Arbitrary<RtpPacket> = fc.record({
  payloadType: fc.nat(127),
  marker: fc.boolean(),
  sequence: fc.nat(0xffff),
  timestamp: fc.nat(0xffffffff),
  ssrc: fc.nat(0xffffffff),
  extensions: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 14 }), fc.uint8Array({ minLength: 1, maxLength: 16 }).map((array) => Buffer.from(array))), { selector: ([id]) => id, maxLength: 5 }).map((all) => new Map(all)),
  payload: bytes(200),
}, { noNullPrototype: true });

describe('RTP and STUN', () => {
  it('packets are read as they were written', () => fc.assert(fc.property(packets, (packet) => assert.deepEqual(readRtp(writeRtp(packet)), { ...packet }))));

  it('whatever comes is a packet or none; what is read of it lies within it', () =>
    fc.assert(
      fc.property(fc.oneof(bytes(80), bytes(80).map((rest) => Buffer.concat([Buffer.from([0xb0, 0x6f]), rest]))), (packet) => {
        const read = readRtp(packet);
        if (!read) return;
        assert.ok(read.payload.length <= packet.length - 12);
        for (const [id, value] of read.extensions) assert.ok(id >= 1 && id <= 14 && value.length <= 16);
      }),
      { numRuns: 5_000 },
    ));

  it('a packet that was cut off anywhere is one of less, or none', () =>
    fc.assert(
      fc.property(packets, fc.nat(300), (packet, at) => {
        const read = readRtp(writeRtp(packet).subarray(0, at));
        assert.ok(read === null || read.payload.length <= packet.payload.length);
      }),
    ));

  it('whatever comes is told apart, and the request that names a pair is STUN and no answer', () => {
    fc.assert(
      fc.property(bytes(60), (packet) => {
        assert.equal(isStun(packet), packet.length >= 20 && packet[0]! < 4);
        if (isBindingSuccess(packet)) assert.ok(isStun(packet));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 4, maxLength: 32 }), fc.string({ minLength: 22, maxLength: 40 }), (usernameFragment, password) => {
        const request = nomination({ usernameFragment, password });
        assert.ok(isStun(request) && !isBindingSuccess(request));
        // RFC 8489: the length counts what follows the header, in whole words.
        assert.equal(request.readUInt16BE(2), request.length - 20);
        assert.equal(request.length % 4, 0);
      }),
    );
  });
});
