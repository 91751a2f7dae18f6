/** Samples at 48 kHz of one frame, by the lowest bits of the configuration (RFC 6716, table 2). */
const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];
/** 120 ms: no packet is longer. */
const MOST_SAMPLES = 5_760;
export const MOST_OPUS_BYTES = 1_275;

/**
 * How long an Opus packet plays, in samples at 48 kHz.
 * @returns null for what can't be an Opus packet
 */
export function opusSamples(packet: Buffer): number | null {
  if (packet.length === 0 || packet.length > MOST_OPUS_BYTES) return null;
  const configuration = packet[0]! >> 3;
  const frame = configuration < 12 ? SILK[configuration & 3]! : configuration < 16 ? HYBRID[configuration & 1]! : CELT[configuration & 3]!;
  const count = framesIn(packet);
  const samples = frame * count;
  return count === 0 || samples > MOST_SAMPLES ? null : samples;
}

/** 0 where the packet contradicts its own first byte. */
function framesIn(packet: Buffer): number {
  switch (packet[0]! & 3) {
    case 0:
      return 1;
    case 1:
      return (packet.length - 1) % 2 === 0 ? 2 : 0;
    case 2:
      return packet.length >= 2 ? 2 : 0;
    default:
      return packet.length >= 2 ? packet[1]! & 0x3f : 0;
  }
}
