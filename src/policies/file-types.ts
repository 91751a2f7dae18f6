import type { FileFailure, FileKind } from '../entities/file.js';

/** Pictures that can be read, and so have taken out of them what they tell of places and people. */
const PICTURES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/apng', 'image/webp', 'image/gif', 'image/avif', 'image/tiff']);
/** What many formats are wrapped in: bytes that are one of these may be what was declared. */
const WRAPPINGS: ReadonlySet<string> = new Set(['application/zip', 'application/xml', 'application/x-cfb', 'application/gzip', 'application/x-7z-compressed', 'application/x-tar']);
const SCENES: ReadonlySet<string> = new Set(['image', 'video', 'audio']);

const family = (type: string): string => type.slice(0, type.indexOf('/'));

/** The kind of a file as its sender declares it; null for a voice message that is not sound. */
export function declaredKind(contentType: string, voice: boolean): FileKind | null {
  const of = family(contentType);
  // Browsers record sound into containers that are named after video.
  if (voice) return of === 'audio' || of === 'video' ? 'VOICE' : null;
  if (contentType === 'image/svg+xml') return 'OTHER'; // a document that may hold script, never shown as a picture
  return of === 'image' ? 'IMAGE' : of === 'video' ? 'VIDEO' : of === 'audio' ? 'AUDIO' : 'OTHER';
}

/** What the real bytes make of what was declared. `detected`: by their first bytes; null for what has no signature, as text. */
export function judgeType(declared: { kind: FileKind; contentType: string }, detected: string | null): { kind: FileKind; contentType: string } | FileFailure {
  const of = detected === null ? null : family(detected);
  switch (declared.kind) {
    case 'IMAGE':
      if (of !== 'image') return 'TYPE_MISMATCH';
      return PICTURES.has(detected!) ? { kind: 'IMAGE', contentType: detected! } : 'UNSUPPORTED';
    case 'VIDEO':
      return of === 'video' ? { kind: 'VIDEO', contentType: detected! } : 'TYPE_MISMATCH';
    case 'AUDIO':
    case 'VOICE':
      if (of === 'audio') return { kind: declared.kind, contentType: detected! };
      // The container alone does not tell whether there is a picture in it: that is asked when it is opened.
      return of === 'video' || detected === 'application/ogg' ? { kind: declared.kind, contentType: `audio/${detected!.split('/')[1]!}` } : 'TYPE_MISMATCH';
    case 'OTHER':
      if (detected === null || detected === declared.contentType) return SCENES.has(family(declared.contentType)) && declared.contentType !== 'image/svg+xml' ? 'TYPE_MISMATCH' : declared;
      // What nobody has said anything of is what it is; a picture among documents is treated as one, so that it keeps no secrets.
      if (SCENES.has(of!)) return declared.contentType === 'application/octet-stream' ? judgeType({ kind: declaredKind(detected, false)!, contentType: detected }, detected) : 'TYPE_MISMATCH';
      if (declared.contentType === 'application/octet-stream') return { kind: 'OTHER', contentType: detected };
      return WRAPPINGS.has(detected) ? declared : 'TYPE_MISMATCH';
  }
}

/** What a browser may show by itself: nothing of it runs. Everything else is saved, as bytes. */
const SHOWN: ReadonlySet<string> = new Set([
  'image/jpeg', 'image/png', 'image/apng', 'image/webp', 'image/gif', 'image/avif',
  'video/mp4', 'video/webm', 'video/quicktime', 'audio/mpeg', 'audio/mp4', 'audio/x-m4a', 'audio/aac', 'audio/ogg', 'audio/opus', 'audio/webm', 'audio/wav', 'audio/flac',
]);

/** The type under which a file is served, and whether a browser shows it or saves it. */
export function servedAs(contentType: string): { type: string; inline: boolean } {
  return SHOWN.has(contentType) ? { type: contentType, inline: true } : { type: 'application/octet-stream', inline: false };
}
