// Runs TypeScript sources as they are: SWC strips the types and emits the decorator metadata that type-graphql and TypeORM want.
// SWC (not esbuild or Node's own type stripping) because only it knows decorators. In the thread that loads, since asking another one
// for each module takes longer than all else together; what was translated once, and what V8 made of it, is kept beside the packages.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';

const require = createRequire(import.meta.url);
// Named, these would keep an older Node from coming as far as the words about it; src/node-version.ts says them where there is a build.
const { enableCompileCache, registerHooks } = nodeModule;
if (!registerHooks) {
  process.stderr.write(`OmniTalk needs Node 24 or newer, and this is ${process.version}. \`npm start\` brings its own.\n`);
  process.exit(1);
}
const OURS = /^file:(?!.*\/node_modules\/)/;
const SOURCE = /^file:(?!.*\/node_modules\/).*\.ts$/;
const OPTIONS = {
  swcrc: false,
  isModule: true,
  module: { type: 'es6' },
  sourceMaps: 'inline',
  inlineSourcesContent: false,
  jsc: {
    target: 'es2023',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false, verbatimModuleSyntax: true },
    experimental: { keepImportAttributes: true },
  },
};
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/omnitalk/', import.meta.url));
/** Of whatever else than the source decides what becomes of it. */
const VERSION = JSON.stringify([require('@swc/core/package.json').version, OPTIONS]);

const hash = (...parts) => createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 32);

/** A file's JavaScript: one entry a file, replaced when the file changes, so that they stay as many as there are files. */
function translate(file) {
  const source = readFileSync(file, 'utf8');
  const entry = join(FOLDER, 'swc', hash(file));
  // On the first line, so that all others keep their numbers.
  const key = `/*${hash(VERSION, source)}*/`;
  const kept = readIfThere(entry);
  if (kept?.startsWith(key)) return kept;
  const { code } = require('@swc/core').transformSync(source, { ...OPTIONS, filename: file, sourceFileName: basename(file) });
  keep(entry, key + code);
  return key + code;
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Where nothing can be written, each process translates for itself. */
function keep(entry, text) {
  const draft = `${entry}.${process.pid}.${threadId}`;
  try {
    mkdirSync(join(FOLDER, 'swc'), { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, entry);
  } catch {
    return;
  }
}

registerHooks({
  resolve(specifier, context, next) {
    if (/^\.\.?\/.*\.js$/.test(specifier) && OURS.test(context.parentURL ?? '')) {
      const url = new URL(specifier.replace(/js$/, 'ts'), context.parentURL);
      if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!SOURCE.test(url)) return next(url, context);
    return { format: 'module', source: translate(fileURLToPath(url)), shortCircuit: true };
  },
});
enableCompileCache(join(FOLDER, 'v8'));
