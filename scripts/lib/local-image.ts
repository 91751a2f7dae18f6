// Builds the image of `Dockerfile` where there is neither a Docker engine nor a registry of images: buildah builds it, on a base that is made here of Debian's packages and the
// project's own Node. Root on Debian; everything lies in one folder.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As buildah tells it of an image in Docker's format. */
export interface ImageConfig {
  User: string;
  Env: string[];
  Cmd: string[];
  WorkingDir: string;
  StopSignal: string;
  Healthcheck: { Test: string[] };
  Volumes: Record<string, object>;
}

const IMAGE = 'localhost/omnitalk';
/** Where machines keep certificates of their own (a proxy's, say), which a base made on them must know, too. */
const CERTIFICATES = '/usr/local/share/ca-certificates';

export class LocalImage {
  constructor(
    private readonly root: string,
    private readonly folder: string,
    private readonly say: (text: string) => void,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  /** Builds all stages; what did not change since the last time is taken from there. */
  build(): ImageConfig {
    const base = this.#base();
    const npmrc = join(this.folder, 'npmrc');
    // Of this machine, for the steps of building alone: mounted, so that nothing of it is in the image.
    writeFileSync(npmrc, `registry=${run('npm', ['config', 'get', 'registry'])}\ncafile=/etc/ssl/certs/ca-certificates.crt\n`);
    this.say('Building the image, all stages: minutes, when the media worker must be compiled.');
    this.#buildah(['build', '--isolation=chroot', '--layers', '--format=docker', `--build-arg=NODE_IMAGE=${base}`, `--volume=${npmrc}:/root/.npmrc:ro`, `--tag=${IMAGE}`, '.'], 'inherit');
    const told = JSON.parse(this.#buildah(['inspect', '--type=image', IMAGE])) as { Docker: { config: ImageConfig } };
    return told.Docker.config;
  }

  /** The image as a file system, in which containers can run; `remove` takes it away. */
  unpack(): { rootfs: string; remove(): void } {
    const container = this.#buildah(['from', '--pull-never', IMAGE]);
    const rootfs = this.#buildah(['mount', container]);
    return { rootfs, remove: () => void this.#buildah(['rm', container]) };
  }

  /** Stands for the image of Node that `Dockerfile` names: the same Debian, the same Node, a user `node` of the same number. Its npm is this machine's. */
  #base(): string {
    const node = /^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)-bookworm-slim$/m.exec(readFileSync(join(this.root, 'Dockerfile'), 'utf8'))![1]!;
    if (process.versions.node !== node) throw new Error(`The image is of Node ${node}, and this is ${process.version}: run it by npm, which brings the project’s own.`);
    const name = `localhost/omnitalk-base:${node}`;
    if (this.#buildah(['images', '--quiet', '--filter', `reference=${name}`])) return name;
    this.say(`Making a base: Debian 12 and Node ${node}.`);
    const rootfs = mkdtempSync(join(this.folder, 'base-'));
    try {
      run('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', rootfs]);
      if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(rootfs, CERTIFICATES), { recursive: true });
      run('chroot', [rootfs, 'update-ca-certificates']);
      run('chroot', [rootfs, 'useradd', '--uid', '1000', '--user-group', '--create-home', '--shell', '/bin/bash', 'node']);
      cpSync(process.execPath, join(rootfs, 'usr/local/bin/node'));
      const npm = dirname(dirname(process.env['npm_execpath'] ?? run('realpath', [run('which', ['npm'])])));
      cpSync(npm, join(rootfs, 'usr/local/lib/node_modules/npm'), { recursive: true });
      for (const command of ['npm', 'npx']) run('chroot', [rootfs, 'ln', '-s', `../lib/node_modules/npm/bin/${command}-cli.js`, `/usr/local/bin/${command}`]);
      const container = this.#buildah(['from', 'scratch']);
      this.#buildah(['copy', '--quiet', container, rootfs, '/']);
      this.#buildah(['config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', '--cmd', 'node', container]);
      this.#buildah(['commit', '--quiet', '--rm', '--format=docker', container, name]);
    } finally {
      rmSync(rootfs, { recursive: true, force: true });
    }
    return name;
  }

  #buildah(args: string[], output: 'inherit' | 'pipe' = 'pipe'): string {
    return run('buildah', [`--root=${join(this.folder, 'images')}`, `--runroot=${join(this.folder, 'run')}`, ...args], { cwd: this.root, output });
  }
}

function run(command: string, args: readonly string[], { cwd, output = 'pipe' }: { cwd?: string; output?: 'inherit' | 'pipe' } = {}): string {
  const told = execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', output, 'inherit'], maxBuffer: 64 * 1024 ** 2 }) as string | null;
  return told?.trim() ?? '';
}
