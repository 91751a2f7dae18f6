// A container as compose.yaml has it, by an OCI runtime alone: read-only, without capabilities, under the image's own user. It shares the machine's network.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageConfig } from './local-image.js';

interface Spec {
  process: { terminal: boolean; user: object; args: string[]; env: string[]; cwd: string; capabilities: Record<string, string[]>; noNewPrivileges: boolean; rlimits?: object };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options?: string[] }[];
  linux: { namespaces: { type: string }[]; resources?: object };
}

const STOP_MS = 60_000;

export class Container {
  log = '';
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);

  /** `folder`: for its bundle; `data`: what is mounted at /data, and stays. */
  constructor(
    private readonly folder: string,
    private readonly rootfs: string,
    private readonly image: ImageConfig,
    private readonly data: string,
    private readonly name: string,
  ) {}

  start(settings: Readonly<Record<string, string>>): void {
    const file = join(this.folder, 'config.json');
    rmSync(file, { force: true });
    this.#runc('spec', '--bundle', this.folder);
    const spec = JSON.parse(readFileSync(file, 'utf8')) as Spec;
    const given = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    spec.process = {
      terminal: false, user: this.#user(), args: this.image.Cmd, cwd: this.image.WorkingDir, env: [...this.image.Env.filter((line) => !(line.split('=')[0]! in settings)), ...given],
      capabilities: Object.fromEntries(['bounding', 'effective', 'inheritable', 'permitted', 'ambient'].map((set) => [set, []])), noNewPrivileges: true,
    };
    spec.root = { path: this.rootfs, readonly: true };
    spec.mounts = [
      ...spec.mounts.filter(({ type }) => type !== 'cgroup' && type !== 'sysfs'),
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
      { destination: '/data', type: 'bind', source: this.data, options: ['bind', 'rw'] },
    ];
    spec.linux = { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) };
    writeFileSync(file, JSON.stringify(spec));
    this.log = '';
    this.#child = spawn('runc', ['--root', join(this.folder, 'state'), 'run', '--bundle', this.folder, this.name], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.on('data', (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-200_000)));
    this.#ended = new Promise((resolve) => this.#child!.once('exit', resolve));
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What a command answers that runs inside, as `docker exec` runs it. Throws where it ends with another code than 0. */
  exec(...command: string[]): string {
    return this.#runc('exec', this.name, ...command);
  }

  /** As `docker stop` does it, or `docker kill`. Answers the code that the server ended with. */
  async stop(signal = this.image.StopSignal): Promise<number | null> {
    if (!this.running) return this.#ended;
    this.#runc('kill', this.name, signal);
    const late = setTimeout(() => this.#runc('kill', this.name, 'KILL'), STOP_MS);
    return this.#ended.finally(() => clearTimeout(late));
  }

  /** The image names its user; the number is in its own list of users. */
  #user(): { uid: number; gid: number } {
    const line = readFileSync(join(this.rootfs, 'etc/passwd'), 'utf8').split('\n').find((entry) => entry.startsWith(`${this.image.User}:`));
    const [, , uid, gid] = line!.split(':');
    return { uid: Number(uid), gid: Number(gid) };
  }

  #runc(...args: string[]): string {
    return execFileSync('runc', ['--root', join(this.folder, 'state'), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }
}
