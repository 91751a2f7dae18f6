import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, release } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { MediaError } from './contract.js';
import { CommandFailed, run } from './commands.js';
import { underLock } from './file-lock.js';
import { buildWorker } from './worker-build.js';
import { loads, proveWorker } from './worker-check.js';

export interface WorkerBinaryOptions {
  /** MEDIASOUP_WORKER_BIN: this one and no other. */
  given?: string | undefined;
  /** The user's cache folder; what was downloaded or built is kept in `omnitalk` inside. */
  cacheDir: string;
  /** Told what goes on, line by line: a build takes minutes. */
  report: (line: string) => void;
  signal?: AbortSignal;
  /** Where prebuilt workers are downloaded from; default: mediasoup's releases. `null`: not at all. */
  downloadFrom?: string | null;
}

/** The user's cache folder by the XDG rules, which take no relative path. */
export const cacheFolder = (xdgCacheHome: string | undefined): string => (xdgCacheHome && isAbsolute(xdgCacheHome) ? xdgCacheHome : join(homedir(), '.cache'));

const DOWNLOAD_MS = 30_000;
const MOST_BYTES = 200 * 1024 * 1024;

/** The npm package mediasoup, or an error with the remedy where it was not installed. */
function mediasoupPackage(): { folder: string; version: string } {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve('mediasoup')), '..', '..');
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version };
  } catch {
    throw new MediaError('UNAVAILABLE', 'The npm package mediasoup is not installed: run `npm ci`, with npm 11.16 or newer.');
  }
}

/** scripts/mediasoup-worker of this project, from src/ as from dist/src/; undefined where it was not shipped. */
function recipeFolder(): string | undefined {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const recipe = join(folder, 'scripts', 'mediasoup-worker');
    if (existsSync(join(recipe, 'CMakeLists.txt'))) return recipe;
  }
  return undefined;
}

function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

interface Places {
  folder: string;
  version: string;
  recipe: string | undefined;
  /** Where a downloaded or built worker is kept: by version, platform and recipe, so that none is taken for another. */
  kept: string;
}

function places(cacheDir: string): Places {
  const { folder, version } = mediasoupPackage();
  const recipe = recipeFolder();
  const hash = createHash('sha256');
  for (const file of recipe ? filesIn(recipe) : []) hash.update(readFileSync(file));
  const kept = join(cacheDir, 'omnitalk', `mediasoup-worker-${version}-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 8)}`);
  return { folder, version, recipe, kept };
}

/**
 * A worker that is here already: the given one, the one that mediasoup's own install step left, or the one in the cache.
 * @returns null where there is none
 * @throws MediaError UNAVAILABLE where the given one is no worker, or mediasoup is not installed
 */
export async function findWorker({ given, cacheDir }: WorkerBinaryOptions): Promise<string | null> {
  if (given) {
    if (await loads(given)) return given;
    throw new MediaError('UNAVAILABLE', `MEDIASOUP_WORKER_BIN names ${given}, which is no mediasoup worker that runs here. Correct it or unset it.`);
  }
  const { folder, kept } = places(cacheDir);
  for (const candidate of [join(folder, 'worker', 'out', 'Release', 'mediasoup-worker'), join(kept, 'mediasoup-worker')]) {
    if (existsSync(candidate) && (await loads(candidate))) return candidate;
  }
  return null;
}

/**
 * A worker, if need be downloaded or else built; that takes minutes, once for a version of mediasoup. Several starts at once wait for the first.
 * @throws MediaError UNAVAILABLE with the remedy; the signal's reason when aborted
 */
export async function obtainWorker(options: WorkerBinaryOptions): Promise<string> {
  const found = await findWorker(options);
  if (found) return found;
  const { report, signal } = options;
  const where = places(options.cacheDir);
  const binary = join(where.kept, 'mediasoup-worker');
  await mkdir(dirname(where.kept), { recursive: true });
  const work = async () => {
    if (existsSync(binary) && (await loads(binary))) return binary;
    const made = (await downloaded(where, options)) ?? (await built(where, options));
    await mkdir(where.kept, { recursive: true });
    // In one step: whoever looks finds the whole of it or nothing.
    await rename(made, binary);
    await rm(dirname(made), { recursive: true, force: true });
    report(`the media worker is ready: ${binary}`);
    return binary;
  };
  return underLock(`${where.kept}.lock`, work, { ...(signal ? { signal } : {}), onWait: () => report('another process is fetching or building the media worker; waiting for it') });
}

/** mediasoup's own prebuilt worker, once and for a limited time: most networks without it answer nothing at all. */
async function downloaded(where: Places, { report, signal, downloadFrom = 'https://github.com/versatica/mediasoup/releases/download' }: WorkerBinaryOptions): Promise<string | null> {
  if (downloadFrom === null) return null;
  const kernel = process.platform === 'linux' ? `-kernel${release().split('.')[0]}` : '';
  const url = `${downloadFrom}/${where.version}/mediasoup-worker-${where.version}-${process.platform}-${process.arch}${kernel}.tgz`;
  report(`looking for a prebuilt media worker at ${url}`);
  const folder = await mkdtemp(`${where.kept}.download-`);
  try {
    const limits = [AbortSignal.timeout(DOWNLOAD_MS), ...(signal ? [signal] : [])];
    const answer = await fetch(url, { signal: AbortSignal.any(limits) });
    if (!answer.ok) throw new Error(`the answer was ${answer.status}`);
    if (Number(answer.headers.get('content-length') ?? 0) > MOST_BYTES) throw new Error('it is too big to be one');
    const archive = join(folder, 'worker.tgz');
    await writeFile(archive, Buffer.from(await answer.arrayBuffer()));
    await run(['tar', '-xzf', archive, '-C', folder, 'mediasoup-worker']);
    const binary = join(folder, 'mediasoup-worker');
    await chmod(binary, 0o755);
    if (!(await loads(binary))) throw new Error('it does not run here');
    await proveWorker(binary);
    return binary;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    signal?.throwIfAborted();
    report(`no prebuilt media worker: ${(error as Error).message}`);
    return null;
  }
}

/** In a folder that outlives a killed build, so that the next start goes on where it ended. */
async function built(where: Places, options: WorkerBinaryOptions): Promise<string> {
  if (!where.recipe) throw new MediaError('UNAVAILABLE', 'There is no media worker. Build one with `npm run media:build` in the source tree, and name it by MEDIASOUP_WORKER_BIN.');
  const folder = `${where.kept}.build`;
  await mkdir(folder, { recursive: true });
  try {
    await buildWorker({ recipe: where.recipe, source: join(where.folder, 'worker'), folder, report: options.report, ...(options.signal ? { signal: options.signal } : {}) });
    const binary = join(folder, 'mediasoup-worker');
    await proveWorker(binary);
    return binary;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof MediaError) throw error;
    const log = join(folder, 'failure.log');
    await writeFile(log, String((error as Error).stack));
    const what = error instanceof CommandFailed ? 'did not build' : `is of no use (${(error as Error).message})`;
    throw new MediaError('UNAVAILABLE', `The media worker ${what}; see ${log}. Try again with \`npm run media:build\`, or name a worker by MEDIASOUP_WORKER_BIN.`);
  }
}
