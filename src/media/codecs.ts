import type { RouterRtpCodecCapability } from 'mediasoup/types';

const START_BITRATE = { 'x-google-start-bitrate': 1_000 };
const h264 = (profile: string) => ({ 'packetization-mode': 1, 'profile-level-id': profile, 'level-asymmetry-allowed': 1, ...START_BITRATE });

/** What rooms speak. A browser picks the first of its own preference among them; VP8 comes first because every one has it. */
export const MEDIA_CODECS: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, parameters: START_BITRATE },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 0, ...START_BITRATE } },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000, parameters: { 'profile-id': 2, ...START_BITRATE } },
  { kind: 'video', mimeType: 'video/H264', clockRate: 90_000, parameters: h264('42e01f') },
  { kind: 'video', mimeType: 'video/H264', clockRate: 90_000, parameters: h264('4d0032') },
  { kind: 'video', mimeType: 'video/AV1', clockRate: 90_000, parameters: START_BITRATE },
];
