import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within, type World } from './world.js';

const START_MS = 60_000;

/** A server in a process of its own, on the world's database and Redis: what can be stopped by a signal, or killed without a goodbye. */
export class ServerProcess {
  readonly exited: Promise<number | null>;

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    /** What it has logged, one object a line. */
    readonly lines: readonly Record<string, unknown>[],
  ) {
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
  }

  /** Fails with what the server said, when it ends instead of listening. */
  static async start(world: Pick<World, 'databaseUrl'>, settings: Record<string, string> = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, ['--import', './scripts/register.mjs', 'src/main.ts'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, PORT: '0', DATABASE_URL: world.databaseUrl, DATABASE_POOL: '4', REDIS_URL: process.env['TEST_REDIS_URL']!, LOG_LEVEL: 'info', JOBS: 'false', CALLS: 'false', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: Record<string, unknown>[] = [];
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ready = new Promise<string>((resolve, reject) => {
      let rest = '';
      child.stdout.on('data', (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split('\n');
        rest = parts.pop()!;
        for (const part of parts.filter(Boolean)) {
          const line = JSON.parse(part) as Record<string, unknown>;
          lines.push(line);
          const url = /^ready: GraphiQL at (http:\S+)\/graphql$/.exec(String(line['msg']))?.[1];
          if (url) resolve(url);
        }
      });
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
    try {
      return new ServerProcess(await within(ready, 'the server process to listen', START_MS), child, lines);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Without a word to anybody. Idempotent. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
