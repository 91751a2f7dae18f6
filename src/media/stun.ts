import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MAGIC_COOKIE = 0x2112a442;
const FINGERPRINT_XOR = 0x5354554e;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** The binding request by which the controlling side of ICE names a pair of addresses (RFC 8445, USE-CANDIDATE) to an ICE lite peer. */
export function nomination(peer: { usernameFragment: string; password: string }): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(BINDING_REQUEST, 0);
  head.writeUInt32BE(MAGIC_COOKIE, 4);
  randomBytes(12).copy(head, 8);
  const priority = Buffer.alloc(4);
  priority.writeUInt32BE(0x7e0000ff);
  const body = Buffer.concat([
    attribute(0x0006, Buffer.from(`${peer.usernameFragment}:omnitalk`)),
    attribute(0x0024, priority),
    attribute(0x802a, randomBytes(8)),
    attribute(0x0025, Buffer.alloc(0)),
  ]);
  // Each of the two closing attributes covers a header whose length already counts the attribute itself.
  head.writeUInt16BE(body.length + 24, 2);
  const signed = Buffer.concat([head, body]);
  const integrity = attribute(0x0008, createHmac('sha1', peer.password).update(signed).digest());
  head.writeUInt16BE(body.length + 32, 2);
  const covered = Buffer.concat([head, body, integrity]);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(covered) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([covered, attribute(0x8028, fingerprint)]);
}

/** STUN shares its port with DTLS and RTP; its first byte tells it apart (RFC 7983). */
export const isStun = (packet: Buffer): boolean => packet.length >= 20 && packet[0]! < 4;
export const isBindingSuccess = (packet: Buffer): boolean => isStun(packet) && packet.readUInt16BE(0) === BINDING_SUCCESS;
