import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { builtServer } from './built-server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 12_000;

/** Ended with us by the kernel, where there is setpriv: a test run that is killed leaves nothing behind. */
export function tied(command: string, args: readonly string[], { within }: { within: readonly string[] } = { within: [] }): [string, string[]] {
  const all = [...within, ...(process.platform === 'linux' ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : []), command, ...args];
  return [all[0]!, all.slice(1)];
}

/** Outside of what the system gives to connections that go out, as are those up to 10,000 apart: a server that is started again must find its port free. */
const PORTS = { from: 12_000, count: 10_000 };

/** One that nobody has, and nobody those that are so far apart from it. */
export async function freePort(apart: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    const free = await Promise.all([0, ...apart].map((distance) => isFree(port + distance)));
    if (free.every(Boolean)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  if (!(await Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)]))) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** Where a process runs: here, or on a host of its own (`Hosts`). */
export interface Place {
  address: string;
  /** The command that runs another one there. */
  within: readonly string[];
}
export const HERE: Place = { address: '127.0.0.1', within: [] };

export interface ServerOptions {
  port?: number;
  place?: Place;
  /** For Node itself. */
  nodeOptions?: readonly string[];
}

/** The server as it is deployed, in a process of its own. */
export class ServerProcess {
  #child: ChildProcess | null = null;
  /** What it has said, for a failure's message. */
  said = '';
  /** Where its debugger listens, where it was started with one. */
  debugger: string | null = null;

  private constructor(
    readonly port: number,
    private readonly env: Record<string, string>,
    private readonly place: Place,
    private readonly nodeOptions: readonly string[],
    private readonly filesPort: number,
  ) {}

  /** Fails with what it has said, when it ends instead of listening. */
  static async start(env: Record<string, string>, { port, place = HERE, nodeOptions = [] }: ServerOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(port ?? (await freePort()), env, place, nodeOptions, await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `http://${this.place.address}:${this.port}/graphql`;
  }
  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it (again), on the same port. */
  async start(): Promise<void> {
    const settings = { LOG_LEVEL: 'info', CALLS: 'false', ASSISTANT: 'false', RECONCILE: '1', DATABASE_POOL: '8', RATE_LIMIT_COST: '100000000', RATE_LIMIT_ADDRESS: '10000000', RATE_LIMIT_AUTH: '100000', MAX_SOCKETS_EACH: '20000', DRAIN: '2' };
    const main = await builtServer();
    const [command, args] = tied(process.execPath, [...this.nodeOptions, main], this.place);
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...settings, ...this.env, HOST: this.place.address, PORT: String(this.port), FILES_PORT: String(this.filesPort) }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) {
      let rest = '';
      output.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop()!;
        const listening = lines.map((line) => /^Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
        if (listening) this.debugger = listening;
        const worthSaying = lines.filter((line) => !line.includes('"msg":"request"')).map((line) => `${line}\n`);
        this.said = (this.said + worthSaying.join('')).slice(-20_000);
      });
    }
    this.said = '';
    const end = Date.now() + START_WITHIN_MS;
    while (!this.said.includes('ready: GraphiQL at')) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`the server did not start: ${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** How it stands and what it said last, for a failure's message. */
  get state(): string {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    return `${exitCode ?? signalCode ?? 'running'}\n${this.said.slice(-3_000)}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with its exit code once it has ended by itself. */
  async ended(): Promise<number | null> {
    return ((await once(this.#child!, 'close')) as [number | null])[0];
  }

  /** Ends it, and waits until it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
    return child.exitCode;
  }
}

/** A redis-server that is ours: asked, signalled and killed at will. */
export abstract class RedisChild {
  protected child: ChildProcess | null = null;

  protected constructor(
    readonly port: number,
    protected readonly place: Place,
  ) {}

  /** A command, as an operator types it. */
  async ask(...command: string[]): Promise<string> {
    return (await promisify(execFile)('redis-cli', ['-h', this.place.address, '-p', String(this.port), ...command])).stdout;
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  protected run(args: readonly string[]): void {
    const binary = process.env['TEST_REDIS_SERVER'];
    if (!binary) throw new Error('This test kills and restarts a Redis of its own: put redis-server on the PATH.');
    this.child = spawn(...tied(binary, [...args, '--bind', this.place.address, '--port', String(this.port)], this.place), { stdio: 'ignore' });
  }
}

/** A Redis of a test's own, which can be killed, frozen and started again. */
export class RedisProcess extends RedisChild {
  private constructor(
    port: number,
    place: Place,
    private readonly folder: string,
  ) {
    super(port, place);
  }

  static async start(place: Place = HERE): Promise<RedisProcess> {
    const redis = new RedisProcess(await freePort(), place, await mkdtemp(join(tmpdir(), 'omnitalk-redis-')));
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://${this.place.address}:${this.port}`;
  }

  async start(): Promise<void> {
    this.run(['--protected-mode', 'no', '--save', '', '--appendonly', 'no', '--dir', this.folder]);
    const end = Date.now() + START_WITHIN_MS;
    while (!(await accepts(this.port, this.place.address))) {
      if (this.child!.exitCode !== null || Date.now() > end) throw new Error(`redis-server did not start on port ${this.port}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function accepts(port: number, address = '127.0.0.1'): Promise<boolean> {
  const socket = createConnection(port, address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
