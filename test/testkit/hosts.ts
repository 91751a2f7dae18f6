import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { isAlive } from '../../src/db/process-identity.js';
import type { Place } from './processes.js';

const run = promisify(execFile);
const ip = (...args: string[]) => run('ip', args);

/** Names tell the process that made them: what one left that was killed is removed by the next. A link's name has 15 characters at the most. */
const PREFIX = 'omt';
const OURS = new RegExp(`^${PREFIX}(\\d+)(?:[bvn]\\d*)$`);

/**
 * Hosts of their own on this machine: network namespaces with an address each, on one switch, to which this process belongs by `here`. Needs
 * root on Linux. What runs on a host is ended with us; the namespaces are removed by `close`, or by the next start.
 */
export class Hosts {
  readonly #places = new Map<string, Place & { namespace: string; link: string }>();
  /** This process's own address on the switch. */
  readonly here: string;
  readonly #parted = new Set<string>();

  private constructor(
    private readonly bridge: string,
    private readonly network: string,
  ) {
    this.here = `${network}.1`;
  }

  static async start(names: readonly string[]): Promise<Hosts> {
    if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/sbin/ip')) throw new Error('Hosts of their own are network namespaces: run this as root on Linux, with iproute2 installed.');
    await sweep();
    // A network that nobody else on this machine uses: two runs may go on beside each other.
    const taken = (await ip('-o', '-4', 'addr')).stdout;
    let third = process.pid % 200;
    while (taken.includes(` 10.213.${third}.`)) third = (third + 1) % 250;
    const hosts = new Hosts(`${PREFIX}${process.pid}b`, `10.213.${third}`);
    try {
      await ip('link', 'add', hosts.bridge, 'type', 'bridge');
      await ip('addr', 'add', `${hosts.here}/24`, 'dev', hosts.bridge);
      await ip('link', 'set', hosts.bridge, 'up');
      for (const [index, name] of names.entries()) await hosts.#add(name, index);
      return hosts;
    } catch (error) {
      await hosts.close();
      throw error;
    }
  }

  place(name: string): Place {
    const place = this.#places.get(name);
    if (!place) throw new Error(`no host is called ${name}`);
    return place;
  }

  /** Pulls a host's cable: nothing goes in or out, and nobody is told. */
  async cut(name: string): Promise<void> {
    await ip('link', 'set', this.#places.get(name)!.link, 'down');
  }

  async mend(name: string): Promise<void> {
    await ip('link', 'set', this.#places.get(name)!.link, 'up');
  }

  /**
   * Whatever `server` sends to `client` is lost, and nobody is told: the client sees a server that has fallen silent, and what it sends may still
   * be done, which is the worst of both.
   */
  async part(client: string, server: string): Promise<void> {
    this.#parted.add(`${client} ${server}`);
    await this.#on(server, 'route', 'add', 'blackhole', `${this.place(client).address}/32`);
  }

  async join(client: string, server: string): Promise<void> {
    if (!this.#parted.delete(`${client} ${server}`)) return;
    await this.#on(server, 'route', 'del', 'blackhole', `${this.place(client).address}/32`);
  }

  /** Mends whatever was cut or parted. */
  async mendAll(): Promise<void> {
    for (const pair of [...this.#parted]) await this.join(...(pair.split(' ') as [string, string]));
    for (const name of this.#places.keys()) await this.mend(name);
  }

  async close(): Promise<void> {
    for (const { namespace } of this.#places.values()) await ip('netns', 'del', namespace).catch(() => undefined);
    await ip('link', 'del', this.bridge).catch(() => undefined);
  }

  async #add(name: string, index: number): Promise<void> {
    const namespace = `${PREFIX}${process.pid}n${index}`;
    const link = `${PREFIX}${process.pid}v${index}`;
    const address = `${this.network}.${index + 10}`;
    await ip('netns', 'add', namespace);
    this.#places.set(name, { address, within: ['nsenter', `--net=/run/netns/${namespace}`], namespace, link });
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await ip('link', 'set', link, 'master', this.bridge, 'up');
    await this.#on(name, 'link', 'set', 'lo', 'up');
    await this.#on(name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await this.#on(name, 'link', 'set', 'eth0', 'up');
  }

  #on(name: string, ...args: string[]): Promise<unknown> {
    return ip('-n', this.#places.get(name)!.namespace, ...args);
  }
}

/** Removes what runs left that have ended without a goodbye. */
async function sweep(): Promise<void> {
  const isLeft = (name: string) => {
    const pid = OURS.exec(name)?.[1];
    return pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)));
  };
  const namespaces = (await ip('netns', 'list')).stdout.split('\n').map((line) => line.split(' ')[0]!);
  for (const name of namespaces.filter(isLeft)) await ip('netns', 'del', name);
  const links = (await ip('-o', 'link')).stdout.split('\n').map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? '');
  // A cable goes with its namespace; the switch does not.
  for (const name of links.filter(isLeft)) await ip('link', 'del', name).catch(() => undefined);
}
