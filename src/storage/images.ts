import { encode } from 'blurhash';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { Room } from '../lib/room.js';

/** 64 million: more than cameras of telephones make, and less than a decompression bomb. All frames of an animation count. */
export const MAX_PIXELS = 64_000_000;
/**
 * Of this process: pictures that are read at the same moment have no more pixels than one may have. Some formats (progressive, interlaced, turned) stand in memory
 * as a whole, 4 bytes a pixel, more than once.
 */
const room = new Room(MAX_PIXELS);
const THUMBNAIL_EDGE = 480;
const HASH_EDGE = 32;

// One picture takes one core; nothing of it is kept in memory; and only what people send is read at all.
sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadNsgif', 'VipsForeignLoadHeif', 'VipsForeignLoadTiff'] });

export interface Picture {
  width: number;
  height: number;
  blurhash: string;
  thumbnail: { body: Buffer; width: number; height: number; contentType: string };
  /** Written to `cleanPath` because the picture held more than its pixels: places, people, cameras. */
  cleaned: boolean;
}

export class PictureError extends Error {
  override readonly name = 'PictureError';
  constructor(
    readonly kind: 'UNREADABLE' | 'TOO_MANY_PIXELS',
    cause?: unknown,
  ) {
    super(kind, { cause });
  }
}

/** Reads a picture, makes what is shown instead of it, and where it tells more than its pixels writes one that does not. Throws PictureError. */
export async function readPicture(path: string, cleanPath: string): Promise<Picture> {
  const open = (animated = false): Sharp => sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true, animated });
  try {
    // Its head alone.
    const facts = await open(true).metadata();
    const pixels = facts.width * facts.height;
    if (pixels > MAX_PIXELS) throw new PictureError('TOO_MANY_PIXELS');
    return await room.within(pixels, () => made(open, facts, cleanPath));
  } catch (error) {
    if (error instanceof PictureError) throw error;
    const { message } = error as Error;
    if (/exceeds pixel limit/i.test(message)) throw new PictureError('TOO_MANY_PIXELS', error);
    // sharp tells everything that is wrong with a picture by its message; what is wrong with the machine has a code.
    if ((error as NodeJS.ErrnoException).code !== undefined || /ENOSPC|No space left|unable to (open|write)/i.test(message)) throw error;
    throw new PictureError('UNREADABLE', error);
  }
}

async function made(open: (animated?: boolean) => Sharp, facts: Metadata, cleanPath: string): Promise<Picture> {
  const thumbnail = await open().autoOrient().resize(THUMBNAIL_EDGE, THUMBNAIL_EDGE, { fit: 'inside', withoutEnlargement: true }).webp({ quality: 78 }).toBuffer({ resolveWithObject: true });
  const small = await sharp(thumbnail.data).resize(HASH_EDGE, HASH_EDGE, { fit: 'inside' }).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const blurhash = encode(new Uint8ClampedArray(small.data), small.info.width, small.info.height, 4, 3);
  const tells = Boolean(facts.exif ?? facts.xmp ?? facts.iptc ?? facts.tifftagPhotoshop ?? facts.comments);
  if (tells) await encoded(open(true).autoOrient().keepIccProfile(), facts.format).toFile(cleanPath);
  const turned = tells && (facts.orientation ?? 1) > 4;
  const height = facts.pageHeight ?? facts.height;
  return {
    width: turned ? height : facts.width,
    height: turned ? facts.width : height,
    blurhash,
    thumbnail: { body: thumbnail.data, width: thumbnail.info.width, height: thumbnail.info.height, contentType: 'image/webp' },
    cleaned: tells,
  };
}

/** As good as it was, to the eye. */
function encoded(picture: Sharp, format: string): Sharp {
  switch (format) {
    case 'jpeg':
      return picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' });
    case 'png':
      return picture.png();
    case 'webp':
      return picture.webp({ quality: 92 });
    case 'gif':
      return picture.gif();
    case 'heif':
      return picture.avif({ quality: 75, effort: 2 });
    case 'tiff':
      return picture.tiff({ compression: 'lzw' });
    default:
      throw new PictureError('UNREADABLE');
  }
}
