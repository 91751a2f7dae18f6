import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { MediaError } from './contract.js';
import { CommandFailed, run } from './commands.js';

const PACKAGES = ['g++', 'cmake', 'ninja-build', 'pkg-config', 'libssl-dev', 'libuv1-dev', 'libsrtp2-dev', 'libabsl-dev', 'libflatbuffers-dev', 'flatbuffers-compiler'];
/** The compiler takes this much for the worst files. */
const MEMORY_A_JOB = 1024 ** 3;
const REPORT_EVERY_PERCENT = 10;

export interface BuildOptions {
  /** scripts/mediasoup-worker */
  recipe: string;
  /** The folder worker/ of the npm package. */
  source: string;
  /** Where it is built; holds `mediasoup-worker` at the end. */
  folder: string;
  report: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Builds the worker from the C++ that the npm package carries.
 * @throws MediaError UNAVAILABLE with the line to run where packages are missing and we may not install them; CommandFailed
 */
export async function buildWorker({ recipe, source, folder, report, signal }: BuildOptions): Promise<void> {
  const options = signal ? { signal } : {};
  await bringPackages(report, options);
  const started = performance.now();
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / MEMORY_A_JOB)));
  report(`building the media worker once, on ${jobs} ${jobs === 1 ? 'core' : 'cores'}; this takes some minutes, and everything but calls works meanwhile`);
  await run(['cmake', '-S', recipe, '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', `-DWORKER=${source}`], options);
  let told = 0;
  const onLine = (line: string) => {
    const [, done, all] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? [];
    const percent = done ? Math.floor((Number(done) / Number(all)) * 100) : 0;
    if (percent < told + REPORT_EVERY_PERCENT) return;
    told = percent - (percent % REPORT_EVERY_PERCENT);
    report(`building the media worker: ${told} % (${done} of ${all} files, ${Math.round((performance.now() - started) / 1000)} s)`);
  };
  await run(['nice', '-n', '10', 'ninja', '-C', folder, '-j', String(jobs)], { ...options, onLine });
}

/** On Debian: makes sure that what the build needs is installed. Elsewhere the build itself says what it lacks. */
async function bringPackages(report: (line: string) => void, options: { signal?: AbortSignal }): Promise<void> {
  if (!existsSync('/etc/debian_version')) return;
  const missing: string[] = [];
  for (const name of PACKAGES) {
    const status = await run(['dpkg-query', '-W', '-f', '${Status}', name], options).catch(() => '');
    if (!status.includes('install ok installed')) missing.push(name);
  }
  if (missing.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    throw new MediaError('UNAVAILABLE', `The media worker must be built, which needs packages of Debian. Run: sudo ${line}`);
  }
  report(`installing what the media worker is built with: ${missing.join(' ')}`);
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  try {
    await run([...quiet, 'apt-get', 'update'], options);
    await run([...quiet, ...line.split(' ')], options);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new MediaError('UNAVAILABLE', `The media worker must be built, which needs packages of Debian, and installing them failed. Run: apt-get update && ${line}`);
  }
}
