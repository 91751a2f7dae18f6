/** Words are counted in so many buckets. */
export const BUCKETS = 32_768;
/** Floats of a vector. */
export const DIMENSIONS = 128;
/** Each bucket stands in so many of them. */
const SPREAD = 8;

const STOP_WORDS = new Set(
  ('the and for with that this from you your are was were have has had not but all any can will just out our its about into over than then they them their there here what when who how why ' +
    'some more most very one two too also been being did does doing each few only other same she her him his let let’s don’t i’m i’ll it’s').split(' '),
);

/** The words of a text that say something: three letters or more, in lower case, common ones aside. */
export function wordsOf(text: string): string[] {
  return (text.normalize('NFKC').toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}’'-]+/gu) ?? []).filter((word) => word.length > 2 && !STOP_WORDS.has(word));
}

/** FNV-1a of 32 bits over UTF-16 units, stirred (the finaliser of MurmurHash3): neighbouring buckets have nothing in common. */
export function hashOf(token: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193);
  return stirred(hash);
}
function stirred(bits: number): number {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** What somebody, or something, is about: weights by bucket. */
export class Bag {
  readonly counts = new Map<number, number>();
  constructor(private readonly most = 400) {}

  add(token: string, weight = 1): void {
    const bucket = hashOf(token) % BUCKETS;
    const count = this.counts.get(bucket);
    if (count !== undefined) this.counts.set(bucket, count + weight);
    else if (this.counts.size < this.most) this.counts.set(bucket, weight);
  }
}

/**
 * Vectors of what people and things are about: TF-IDF (G. Salton, C. Buckley, 1988: (1 + ln tf) × (1 + ln((1 + n) / (1 + df)))) over hashed words (K. Weinberger et al., "Feature Hashing", ICML 2009), projected to
 * 128 floats by a sparse sign matrix (D. Kane, J. Nelson, "Sparser Johnson-Lindenstrauss Transforms", 2014) and made of length 1. Nothing is downloaded, and what is new has a vector at once.
 */
export class ContentSpace {
  constructor(
    /** Bags in which each bucket stands. */
    readonly frequencies: Uint32Array,
    public bags: number,
  ) {}

  static empty(): ContentSpace {
    return new ContentSpace(new Uint32Array(BUCKETS), 0);
  }

  learn({ counts }: Bag): void {
    for (const bucket of counts.keys()) this.frequencies[bucket]!++;
    this.bags++;
  }

  /** Zeros for who has given no signal. */
  vector({ counts }: { counts: Iterable<[bucket: number, count: number]> }): Float32Array {
    const vector = new Float32Array(DIMENSIONS);
    for (const [bucket, count] of counts) {
      const weight = Math.log1p(count) * (1 + Math.log((1 + this.bags) / (1 + this.frequencies[bucket]!)));
      for (let s = 0; s < SPREAD; s++) {
        const bits = stirred(bucket * SPREAD + s + 1);
        // One place in each eighth, so that they never meet.
        vector[s * (DIMENSIONS / SPREAD) + (bits % (DIMENSIONS / SPREAD))]! += bits & 0x80000000 ? weight : -weight;
      }
    }
    return unit(vector);
  }
}

/** The vector, made of length 1; zeros stay. */
export function unit(vector: Float32Array): Float32Array {
  let norm = 0;
  for (const value of vector) norm += value * value;
  if (norm > 0) for (let i = 0; i < vector.length; i++) vector[i]! /= Math.sqrt(norm);
  return vector;
}
