import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, HERE, RedisChild } from './processes.js';
import { eventually } from './world.js';

const run = promisify(execFile);
const PATIENCE_MS = 40_000;
/** A node of a cluster listens for the others at its port and this. */
const BUS_OFFSET = 10_000;

/** One redis-server of several, by its own port. */
export class FarmedRedis extends RedisChild {
  constructor(
    port: number,
    private readonly args: readonly string[],
    private readonly folder: string,
  ) {
    super(port, HERE);
  }

  get address(): string {
    return `${this.place.address}:${this.port}`;
  }

  start(): void {
    this.run([...this.args, '--dir', this.folder]);
  }
}

const DISKLESS = ['--save', '', '--appendonly', 'no'];

abstract class Farm {
  readonly all: FarmedRedis[] = [];

  protected constructor(protected readonly folder: string) {}

  /** Starts what it is of. Where that fails, nothing is left running. */
  protected abstract build(): Promise<void>;

  protected async built(): Promise<this> {
    try {
      await this.build();
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  protected async add(args: readonly string[], name: string, { conf = '', portsApart = [] }: { conf?: string; portsApart?: readonly number[] } = {}): Promise<FarmedRedis> {
    const file = join(this.folder, `${name}.conf`);
    await writeFile(file, conf);
    const redis = new FarmedRedis(await freePort(portsApart), [file, ...args], this.folder);
    this.all.push(redis);
    redis.start();
    await eventually(() => redis.ask('ping').then((answer) => answer.includes('PONG'), () => false), `${name} answers`, PATIENCE_MS);
    return redis;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((redis) => redis.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A master, a replica, and three sentinels that make the replica master when the master is gone. */
export class SentinelFarm extends Farm {
  readonly sentinels: FarmedRedis[] = [];
  master!: FarmedRedis;
  replica!: FarmedRedis;

  static async start(): Promise<SentinelFarm> {
    return new SentinelFarm(await mkdtemp(join(tmpdir(), 'omnitalk-sentinels-'))).built();
  }

  protected async build(): Promise<void> {
    this.master = await this.add(DISKLESS, 'master');
    this.replica = await this.add([...DISKLESS, '--replicaof', '127.0.0.1', String(this.master.port), '--repl-diskless-sync-delay', '0'], 'replica');
    await eventually(() => this.replica.ask('info', 'replication').then((text) => text.includes('master_link_status:up')), 'the replica follows', PATIENCE_MS);
    for (let n = 0; n < 3; n++) {
      const conf = `sentinel monitor mymaster 127.0.0.1 ${this.master.port} 2\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n`;
      this.sentinels.push(await this.add(['--sentinel'], `sentinel-${n}`, { conf }));
    }
    const known = async () => (await Promise.all(this.sentinels.map((one) => one.ask('sentinel', 'master', 'mymaster')))).every((text) => /num-other-sentinels\n2\n/.test(text) && /num-slaves\n1\n/.test(text));
    await eventually(known, 'the sentinels know one another and the replica', PATIENCE_MS);
  }

  /** Who is master, as the first sentinel says. */
  async masterPort(): Promise<number> {
    return Number((await this.sentinels[0]!.ask('sentinel', 'get-master-addr-by-name', 'mymaster')).split('\n')[1]);
  }
}

/** Three masters, and a replica of the first. */
export class ClusterFarm extends Farm {
  readonly masters: FarmedRedis[] = [];
  replica!: FarmedRedis;

  static async start(): Promise<ClusterFarm> {
    return new ClusterFarm(await mkdtemp(join(tmpdir(), 'omnitalk-cluster-'))).built();
  }

  protected async build(): Promise<void> {
    const args = (name: string) => [...DISKLESS, '--cluster-enabled', 'yes', '--cluster-config-file', `${name}.nodes`, '--cluster-node-timeout', '1500', '--repl-diskless-sync-delay', '0', '--cluster-require-full-coverage', 'no'];
    for (let n = 0; n < 3; n++) this.masters.push(await this.add(args(`master-${n}`), `master-${n}`, { portsApart: [BUS_OFFSET] }));
    this.replica = await this.add(args('replica'), 'replica', { portsApart: [BUS_OFFSET] });
    await run('redis-cli', ['--cluster', 'create', ...this.masters.map(({ address }) => address), '--cluster-yes']);
    const first = (await this.masters[0]!.ask('cluster', 'myid')).trim();
    await this.replica.ask('cluster', 'meet', '127.0.0.1', String(this.masters[0]!.port));
    await eventually(() => this.replica.ask('cluster', 'replicate', first).then((text) => text.includes('OK'), () => false), 'the replica joins', PATIENCE_MS);
    await eventually(async () => (await Promise.all(this.all.map((one) => one.ask('cluster', 'info')))).every((text) => /cluster_state:ok/.test(text) && /cluster_known_nodes:4/.test(text)), 'the cluster is whole', PATIENCE_MS);
    await eventually(() => this.replica.ask('info', 'replication').then((text) => text.includes('master_link_status:up')), 'the replica follows', PATIENCE_MS);
  }
}
