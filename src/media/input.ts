import type { RtpHeaderExtensionUri } from 'mediasoup/types';
import { z } from 'zod';
import { MEDIA_SOURCES, MediaError, type DtlsParameters, type RtpCapabilities, type RtpParameters, type SctpStreamParameters } from './contract.js';

// Checked as strictly as this, because mediasoup writes a request to its worker field by field into a buffer that all requests share: one
// that throws half way would spoil the requests of everybody behind it.

const MAX_JSON = 64 * 1024;
const MAX_APP_DATA = 1024;
const name = z.string().min(1).max(128);
const kind = z.enum(['audio', 'video']);
const uint32 = z.int().min(0).max(0xffff_ffff);
const payloadType = z.int().min(0).max(127);
const values = z.record(name, z.union([z.string().max(256), z.number(), z.boolean()]));
const rtcpFeedback = z.array(z.object({ type: name, parameter: z.string().max(128).optional() })).max(16);

const URIS: [RtpHeaderExtensionUri, ...RtpHeaderExtensionUri[]] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'urn:mediasoup:params:rtp-hdrext:packet-id',
];

const codec = { mimeType: name, clockRate: z.int().min(1).max(1_000_000), channels: z.int().min(1).max(8).optional(), parameters: values.optional(), rtcpFeedback: rtcpFeedback.optional() };

const rtpParameters = z.object({
  mid: name.optional(),
  codecs: z.array(z.object({ ...codec, payloadType })).min(1).max(32),
  headerExtensions: z.array(z.object({ uri: z.enum(URIS), id: z.int().min(1).max(255), encrypt: z.boolean().optional(), parameters: values.optional() })).max(32).optional(),
  encodings: z
    .array(
      z.object({
        ssrc: uint32.optional(),
        rid: name.optional(),
        codecPayloadType: payloadType.optional(),
        rtx: z.object({ ssrc: uint32 }).optional(),
        dtx: z.boolean().optional(),
        scalabilityMode: name.optional(),
        maxBitrate: uint32.optional(),
      }),
    )
    .min(1)
    .max(8),
  // Browsers that send several sizes of a picture name no canonical end point: mediasoup then gives one.
  rtcp: z.object({ cname: z.string().max(128).optional(), reducedSize: z.boolean().optional() }).optional(),
  msid: z.string().max(256).optional(),
});

// Extensions that this server does not know are no mistake here: what both know is taken.
const rtpCapabilities = z.object({
  codecs: z.array(z.object({ ...codec, kind, preferredPayloadType: payloadType })).max(128),
  headerExtensions: z
    .array(z.object({ kind, uri: name, preferredId: z.int().min(1).max(255), preferredEncrypt: z.boolean().optional(), direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional() }))
    .max(128)
    .optional(),
});

const dtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z.array(z.object({ algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']), value: z.string().regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,63}$/) })).min(1).max(8),
});

const sctpStreamParameters = z.object({
  streamId: z.int().min(0).max(65_534),
  ordered: z.boolean().optional(),
  maxPacketLifeTime: z.int().min(0).max(65_535).optional(),
  maxRetransmits: z.int().min(0).max(65_535).optional(),
});

const appData = z.record(name, z.unknown());
const label = z.string().max(128);
const source = z.enum(MEDIA_SOURCES);

/** A copy of `value` as `schema` has it. @throws MediaError BAD_REQUEST that names the field */
function read<Schema extends z.ZodType>(schema: Schema, value: unknown, field: string, maxBytes = MAX_JSON): z.output<Schema> {
  const json = JSON.stringify(value) ?? '';
  if (Buffer.byteLength(json) > maxBytes) throw new MediaError('BAD_REQUEST', `${field} has more than ${maxBytes} bytes.`, field);
  const parsed = schema.safeParse(json === '' ? undefined : JSON.parse(json));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const where = [field, ...issue.path].join('.');
  throw new MediaError('BAD_REQUEST', `${where}: ${issue.message}`, where);
}

export function readRtpParameters(value: RtpParameters, mediaKind: 'audio' | 'video'): RtpParameters {
  const parameters = read(rtpParameters, value, 'rtpParameters');
  const other = parameters.codecs.find(({ mimeType }) => !mimeType.toLowerCase().startsWith(`${mediaKind}/`));
  if (other) throw new MediaError('BAD_REQUEST', `${other.mimeType} is no codec of ${mediaKind}.`, 'rtpParameters.codecs');
  return parameters;
}
export const readRtpCapabilities = (value: RtpCapabilities): RtpCapabilities => read(rtpCapabilities, value, 'rtpCapabilities') as RtpCapabilities;
export const readDtlsParameters = (value: DtlsParameters): DtlsParameters => read(dtlsParameters, value, 'dtlsParameters');
export const readSctpStream = (value: SctpStreamParameters): SctpStreamParameters => read(sctpStreamParameters, value, 'sctpStreamParameters');
export const readAppData = (value: Record<string, unknown> | undefined): Record<string, unknown> => read(appData, value ?? {}, 'appData', MAX_APP_DATA);
export const readLabel = (value: string, field: string): string => read(label, value, field);
export const readKind = (value: unknown): 'audio' | 'video' => read(kind, value, 'kind');
export const readSource = (value: unknown): (typeof MEDIA_SOURCES)[number] => read(source, value, 'source');
export const readLayer = (value: unknown, field: string): number => read(z.int().min(0).max(7), value, field);

export const missing = (what: string): MediaError => new MediaError('NOT_FOUND', `There is no such ${what} here.`);

/** What mediasoup, or its worker, has against parameters is the caller's mistake, unless what they were for has ended meanwhile. */
export function refusal(error: unknown, field: string): MediaError {
  if (error instanceof MediaError) return error;
  const failure = error as Error;
  if (failure.name === 'WorkerClosedError') return new MediaError('UNAVAILABLE', 'What this call ran on has ended: join again.');
  if (/no more available ports/.test(failure.message)) return new MediaError('UNAVAILABLE', 'This server has no port left for more media: try again in a moment.');
  if (failure.name === 'NotFoundError' || /not found/i.test(failure.message)) return missing('thing');
  return new MediaError('BAD_REQUEST', `These parameters do not fit: ${failure.message}`, field);
}

/** Waits for mediasoup's answer; a refusal becomes a MediaError. */
export async function answered<Answer>(asked: Promise<Answer>, field: string): Promise<Answer> {
  return asked.catch((error: unknown) => {
    throw refusal(error, field);
  });
}
