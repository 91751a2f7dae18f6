import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { OutboundError } from './errors.js';

/** What we can unpack, as `Accept-Encoding` says it. */
export const ENCODINGS = 'gzip, deflate, br';

const UNPACK: Readonly<Record<string, () => Transform>> = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };
/** Packed more than twice, a few bytes could keep a core busy for long. */
const MAX_ENCODINGS = 2;

export interface BodyLimits {
  /** Counted as it arrives and again as it is unpacked. */
  maxBytes: number;
  /** What to do with more: fail, or keep the beginning. */
  overflow: 'fail' | 'cut';
}

export interface Body {
  bytes: Buffer;
  /** There was more. */
  cut: boolean;
}

/** Of a packed body whose beginning is enough, so much more may come before its beginning is unpacked: it is what stands in the pipes. */
const PIPES_BYTES = 262_144;

/** Ends a reading early without its being a failure. */
const ENOUGH = Symbol('enough');

/** Reads and unpacks an answer's body within its limits: never more than `maxBytes` and a chunk stand in memory, whatever was announced. */
export async function readBody(stream: Readable, encoding: string, { maxBytes, overflow }: BodyLimits): Promise<Body> {
  const encodings = encoding.split(',').map((one) => one.trim().toLowerCase()).filter((one) => one && one !== 'identity').reverse();
  const unpackers = encodings.map((one) => UNPACK[one]?.());
  if (encodings.length > MAX_ENCODINGS || unpackers.includes(undefined)) {
    stream.on('error', () => undefined).destroy(); // its being cut off is what we want
    throw new OutboundError('UNREADABLE', `packed as ${encoding.slice(0, 100)}`);
  }
  const chunks: Buffer[] = [];
  let cut = false;
  const counted = (keep: boolean) => {
    const most = !keep && overflow === 'cut' ? maxBytes + PIPES_BYTES : maxBytes;
    let bytes = 0;
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const room = maxBytes - bytes;
        bytes += chunk.length;
        if (keep && room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
        if (bytes <= most) return done(null, keep ? undefined : chunk);
        cut = keep;
        done(keep && overflow === 'cut' ? (ENOUGH as unknown as Error) : new OutboundError('TOO_LARGE', `more than ${maxBytes} bytes`));
      },
    });
  };
  try {
    const steps = [counted(!unpackers.length), ...(unpackers.length ? [...(unpackers as Transform[]), counted(true)] : [])];
    const last = steps.at(-1)!;
    last.resume(); // it hands nothing on: what it keeps is in `chunks`
    await pipeline([stream, ...steps]);
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return { bytes: Buffer.concat(chunks), cut };
}
