import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clamd } from '../../src/storage/scanner.js';
import { eventually } from './world.js';

export const SIGNATURE = 'Omnitalk.Test';
/** What the signature below finds. */
export const INFECTED = Buffer.from('this text plays the part of a virus in the tests of OmniTalk');

/** The real clamd, with one signature instead of Debian's gigabyte of them, on a socket of its own. */
export class ClamdProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<ClamdProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-clamd-'));
    const socket = join(folder, 'clamd.sock');
    await writeFile(join(folder, 'test.ndb'), `${SIGNATURE}:0:*:${INFECTED.toString('hex')}\n`);
    await writeFile(join(folder, 'clamd.conf'), `Foreground yes\nLocalSocket ${socket}\nDatabaseDirectory ${folder}\nStreamMaxLength 2M\nOfficialDatabaseOnly no\nMaxThreads 2\n`);
    const child = spawn('clamd', ['--config-file', join(folder, 'clamd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const clamd = new ClamdProcess(`unix://${socket}`, child, folder);
    try {
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`clamd ended: ${said}`);
        const scan = await new Clamd(clamd.url).begin().catch(() => null);
        scan?.abort();
        return scan !== null;
      }, 'clamd listens', 30_000);
    } catch (error) {
      await clamd.stop();
      throw error;
    }
    return clamd;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
