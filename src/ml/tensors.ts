import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';

/** Dense products by TensorFlow.js: where it is the right tool (docs/ML.md has the figures). */
export interface Tensors {
  readonly backend: Backend;
  /** A × B of row-major matrices, n × inner and inner × m. */
  product(a: Float32Array, n: number, inner: number, b: Float32Array, m: number): Promise<Float32Array>;
  /** The products of all rows with each other. */
  productWithOwn(rows: Float32Array, n: number, d: number): Promise<Float32Array>;
}
export type Backend = 'tfjs-node' | 'tfjs-wasm' | 'tfjs-cpu';

type Tf = Pick<typeof import('@tensorflow/tfjs'), 'tensor2d' | 'matMul' | 'setBackend' | 'ready' | 'enableProdMode' | 'engine'>;

/** The package may be absent: it is asked for by a name that the compiler does not follow. */
const NATIVE = '@tensorflow/tfjs-node';

let opened: Promise<Tensors> | undefined;

/** The best backend that gets a small product right; loaded when it is first needed, which takes a second. */
export function tensors(): Promise<Tensors> {
  return (opened ??= open());
}

async function open(): Promise<Tensors> {
  for (const attempt of [native, wasm, cpu]) {
    const found = await attempt().catch(() => null);
    if (found && (await isRight(found))) return found;
  }
  throw new Error('No backend of TensorFlow.js gets a product of two by two right.');
}

async function native(): Promise<Tensors> {
  const tf = (await import(NATIVE)) as Tf;
  await tf.ready();
  return over(tf, 'tfjs-node');
}

async function wasm(): Promise<Tensors | null> {
  const tf = await import('@tensorflow/tfjs');
  const backend = await import('@tensorflow/tfjs-backend-wasm');
  tf.enableProdMode();
  backend.setWasmPaths(join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist', '/'));
  // A wrong path makes it false; nothing is thrown.
  return (await tf.setBackend('wasm')) ? over(tf, 'tfjs-wasm') : null;
}

async function cpu(): Promise<Tensors | null> {
  const tf = await import('@tensorflow/tfjs');
  tf.enableProdMode();
  return (await tf.setBackend('cpu')) ? over(tf, 'tfjs-cpu') : null;
}

function over(tf: Tf, backend: Backend): Tensors {
  const product: Tensors['product'] = async (a, n, inner, b, m) => {
    const left = tf.tensor2d(a, [n, inner]);
    const right = tf.tensor2d(b, [inner, m]);
    // Without its own transposing, which is six times slower in WebAssembly.
    const result = tf.matMul(left, right);
    try {
      return (await result.data()) as Float32Array;
    } finally {
      for (const tensor of [left, right, result]) tensor.dispose();
    }
  };
  return { backend, product, productWithOwn: (rows, n, d) => product(rows, n, d, transposed(rows, n, d), n) };
}

async function isRight({ product }: Tensors): Promise<boolean> {
  const result = await product(Float32Array.of(1, 2, 3, 4), 2, 2, Float32Array.of(5, 6, 7, 8), 2);
  return [19, 22, 43, 50].every((value, place) => result[place] === value);
}

/** n × d as d × n. */
export function transposed(rows: Float32Array, n: number, d: number): Float32Array {
  const columns = new Float32Array(n * d);
  for (let row = 0; row < n; row++) for (let j = 0; j < d; j++) columns[j * n + row] = rows[row * d + j]!;
  return columns;
}
