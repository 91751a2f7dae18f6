/** What the engine refuses, and why. */
export type RefusalReason = 'EMPTY' | 'SHAPE' | 'NOT_FINITE' | 'TOO_LARGE' | 'K_TOO_LARGE' | 'OPTION' | 'BUSY';

/** The caller's data or options can't be worked with. Everything else that the engine throws is a failure of its own. */
export class MlRefusal extends Error {
  override readonly name = 'MlRefusal';
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}

export const MAX_ROWS = 1_000_000;
/** Floats of one matrix: 512 MiB. */
export const MAX_VALUES = 128 * 1024 * 1024;

/** Rows of `d` floats each. */
export interface Matrix {
  values: Float32Array;
  n: number;
  d: number;
}

/** Throws unless this is a matrix of finite numbers that fits into memory. */
export function checkMatrix({ values, n, d }: Matrix, least = 1): void {
  if (!Number.isInteger(n) || !Number.isInteger(d) || n < 0 || d < 1 || d > 4_096) throw new MlRefusal('SHAPE', `${n} rows of ${d} values are no matrix.`);
  if (n > MAX_ROWS || n * d > MAX_VALUES) throw new MlRefusal('TOO_LARGE', `${n} rows of ${d} values are too many: at most ${MAX_ROWS} rows and ${MAX_VALUES} values.`);
  if (values.length !== n * d) throw new MlRefusal('SHAPE', `${values.length} values are not ${n} rows of ${d}.`);
  if (n < least) throw new MlRefusal('EMPTY', least === 1 ? 'There are no points.' : `${n} points are too few: at least ${least}.`);
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) throw new MlRefusal('NOT_FINITE', `Row ${Math.floor(i / d)} holds ${values[i]}.`);
}

/** An option that is a whole number within bounds. */
export function checkOption(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) throw new MlRefusal('OPTION', `${name} is a whole number from ${min} to ${max}, not ${value}.`);
}
