import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuOfTree, residentBytes } from './system.js';

export const VAR = fileURLToPath(new URL('../var/', import.meta.url));
const OBSERVER = new URL('./observer.mjs', import.meta.url).href;
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

export interface Launch {
  name: string;
  /** The file to run. */
  script: string;
  cwd: string;
  env: Record<string, string>;
  nodeOptions?: string[];
  /** Recognises the line of standard output that says it listens. */
  ready: RegExp;
}

/** A server under measurement: a process of its own with the observer inside. */
export class ServerProcess {
  #asked = 0;
  private constructor(
    private readonly child: ChildProcess,
    /** What the pattern of `ready` has caught. */
    readonly readyMatch: RegExpExecArray,
  ) {}

  static async start({ name, script, cwd, env, nodeOptions = [], ready }: Launch): Promise<ServerProcess> {
    mkdirSync(VAR, { recursive: true });
    const log = createWriteStream(`${VAR}${name}.log`);
    const child = fork(script, { cwd, env: { ...process.env, NODE_ENV: 'production', ...env }, execArgv: ['--expose-gc', '--import', OBSERVER, ...nodeOptions], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    child.stderr!.pipe(log, { end: false });
    let said = '';
    const match = await new Promise<RegExpExecArray>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name} did not say that it listens; see ${VAR}${name}.log`)), START_WITHIN_MS);
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}; see ${VAR}${name}.log`)));
      child.stdout!.on('data', (chunk: Buffer) => {
        log.write(chunk);
        if (said.length > 65_536) return;
        said += chunk.toString();
        const found = ready.exec(said);
        if (!found) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    return new ServerProcess(child, match);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** CPU seconds so far, children included. */
  cpu(): number {
    return cpuOfTree(this.pid);
  }

  resident(): number {
    return residentBytes(this.pid);
  }

  watchLoop(): Promise<unknown> {
    return this.#ask('watch-loop');
  }
  longestStall(): Promise<number> {
    return this.#ask('longest-stall') as Promise<number>;
  }
  longestWork(): Promise<number> {
    return this.#ask('longest-work') as Promise<number>;
  }
  memory(): Promise<NodeJS.MemoryUsage> {
    return this.#ask('memory') as Promise<NodeJS.MemoryUsage>;
  }
  startProfile(): Promise<unknown> {
    return this.#ask('start-profile');
  }
  endProfile(file: string): Promise<unknown> {
    return this.#ask('end-profile', { file });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  #ask(what: string, details: object = {}): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const hear = (message: { id: number; value: unknown }) => {
        if (message.id !== id) return;
        this.child.off('message', hear);
        resolve(message.value);
      };
      this.child.on('message', hear);
      this.child.send({ bench: what, id, ...details });
    });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
