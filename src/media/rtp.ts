/** RTP packets (RFC 3550) as far as this server makes and reads them itself. */

const VERSION = 0x80;
const HEADER = 12;
const ONE_BYTE_EXTENSIONS = 0xbede;

export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** One-byte header extensions (RFC 8285), by their id. */
  extensions: ReadonlyMap<number, Buffer>;
  payload: Buffer;
}

export function writeRtp({ payloadType, marker, sequence, timestamp, ssrc, extensions, payload }: RtpPacket): Buffer {
  const head = Buffer.alloc(HEADER);
  head[0] = VERSION | (extensions.size > 0 ? 0x10 : 0);
  head[1] = (marker ? 0x80 : 0) | payloadType;
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(timestamp >>> 0, 4);
  head.writeUInt32BE(ssrc >>> 0, 8);
  if (extensions.size === 0) return Buffer.concat([head, payload]);
  const elements = [...extensions].flatMap(([id, value]) => [Buffer.from([(id << 4) | (value.length - 1)]), value]);
  const length = elements.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.alloc((4 - (length % 4)) % 4);
  const extensionHead = Buffer.alloc(4);
  extensionHead.writeUInt16BE(ONE_BYTE_EXTENSIONS, 0);
  extensionHead.writeUInt16BE((length + padding.length) / 4, 2);
  return Buffer.concat([head, extensionHead, ...elements, padding, payload]);
}

/** @returns null for what is no RTP packet */
export function readRtp(packet: Buffer): RtpPacket | null {
  if (packet.length < HEADER || (packet[0]! & 0xc0) !== VERSION) return null;
  let at = HEADER + (packet[0]! & 0x0f) * 4;
  let extensions: ReadonlyMap<number, Buffer> = new Map();
  if (packet[0]! & 0x10) {
    if (packet.length < at + 4) return null;
    const end = at + 4 + packet.readUInt16BE(at + 2) * 4;
    if (packet.length < end) return null;
    if (packet.readUInt16BE(at) === ONE_BYTE_EXTENSIONS) extensions = readExtensions(packet.subarray(at + 4, end));
    at = end;
  }
  const padding = packet[0]! & 0x20 ? packet[packet.length - 1]! : 0;
  if (packet.length < at + padding) return null;
  return {
    payloadType: packet[1]! & 0x7f,
    marker: (packet[1]! & 0x80) !== 0,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    extensions,
    payload: packet.subarray(at, packet.length - padding),
  };
}

function readExtensions(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const id = bytes[at]! >> 4;
    if (id === 0) {
      at++;
      continue;
    }
    const length = (bytes[at]! & 0x0f) + 1;
    if (id === 15) break;
    found.set(id, bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return found;
}
