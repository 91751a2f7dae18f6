import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within, type World } from './world.js';

const START_MS = 30_000;

/** A server in a process of its own, on the world's database and Redis: what can be killed without a goodbye. */
export class ServerProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(world: World, settings: Record<string, string> = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, ['--import', './scripts/register.mjs', 'src/main.ts'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, PORT: '0', DATABASE_URL: world.databaseUrl, DATABASE_POOL: '4', REDIS_URL: process.env['TEST_REDIS_URL']!, LOG_LEVEL: 'info', JOBS: 'false', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ready = new Promise<string>((resolve, reject) => {
      let said = '';
      child.stdout!.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const url = /ready: GraphiQL at (http:\S+)\/graphql/.exec(said)?.[1];
        if (url) resolve(url);
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
    try {
      return new ServerProcess(await within(ready, 'the server process to listen', START_MS), child);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Without a word to anybody. Idempotent. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
