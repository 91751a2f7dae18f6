// `npm run kernels`: compiles src/ml/assembly/kernels.ts to WebAssembly and writes it into src/ml/binary.ts. `--check` says whether that file is of today's source (docs/adr/0010).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [SOURCE, TARGET] = [at('src/ml/assembly/kernels.ts'), at('src/ml/binary.ts')];
const OPTIONS = ['--runtime', 'stub', '-Ospeed', '--noAssert', '--enable', 'simd', '--enable', 'bulk-memory', '--maximumMemory', '32768'];

function compile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnitalk-kernels-'));
  try {
    const wasm = join(folder, 'kernels.wasm');
    execFileSync(process.execPath, [at('node_modules/assemblyscript/bin/asc.js'), SOURCE, '-o', wasm, ...OPTIONS], { stdio: ['ignore', 'inherit', 'inherit'] });
    return readFileSync(wasm).toString('base64');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const lines = compile().match(/.{1,180}/g)!;
const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex');
const text = `// Written by \`npm run kernels\` from src/ml/assembly/kernels.ts: do not edit.
export const SOURCE_SHA256 = '${digest}';
export const KERNELS_WASM =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error('src/ml/binary.ts is not what src/ml/assembly/kernels.ts compiles to: run `npm run kernels`.');
  process.exitCode = 1;
}
