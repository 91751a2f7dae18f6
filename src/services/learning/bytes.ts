/** Floats as they are kept: four bytes each, the lowest first. */
export const toBytes = (floats: Float32Array | Float64Array | Uint32Array): Buffer => Buffer.from(floats.buffer.slice(floats.byteOffset, floats.byteOffset + floats.byteLength) as ArrayBuffer);
export const toFloats = (bytes: Buffer): Float32Array => new Float32Array(copied(bytes));
export const toDoubles = (bytes: Buffer): Float64Array => new Float64Array(copied(bytes));
export const toCounts = (bytes: Buffer): Uint32Array => new Uint32Array(copied(bytes));

/** A buffer of the pool stands at any byte; views of floats want one of four. */
const copied = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;
