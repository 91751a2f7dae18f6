import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OmniTalk } from '../../sdk/index.js';
import { openShop, sell, type Shop, type Sold } from './commerce.js';
import { signUp, type Caller } from './lossless.js';
import { PostgresProcess } from './postgres-process.js';
import { RedisProcess, ServerProcess } from './processes.js';
import { Relay } from './relay.js';
import { SmallDisk } from './small-disk.js';

const CLOCK = fileURLToPath(new URL('./jumping-clock.mjs', import.meta.url));
const DISK_MEGABYTES = 700;

/** Somebody with two devices, each a session of its own, at another node each. */
export interface Member {
  name: string;
  id: string;
  devices: [Caller, Caller];
  /** Of the first. */
  token: string;
}

/**
 * All of a platform, to be broken: a PostgreSQL on a disk of its own, a Redis, two servers, and a relay before each, so that whatever is behind
 * it can be replaced, slowed and cut. Three members of a chat with two devices each, somebody who comes and goes, a stranger, and a shop.
 */
export class Stage {
  members: Member[] = [];
  guest!: Caller;
  stranger!: Caller;
  chatId = '';
  shop!: Shop;
  goods!: Sold;
  #keys = 0;
  #replicas = 0;

  private constructor(
    readonly disk: SmallDisk,
    public postgres: PostgresProcess,
    readonly redis: RedisProcess,
    readonly toPostgres: Relay,
    readonly toRedis: Relay,
    readonly servers: readonly [ServerProcess, ServerProcess],
    readonly doors: readonly [Relay, Relay],
    private readonly clock: string,
  ) {}

  static async start(): Promise<Stage> {
    const disk = await SmallDisk.mount(DISK_MEGABYTES);
    const postgres = await PostgresProcess.start({ folder: join(disk.folder, 'pg'), settings: { max_wal_size: '128MB', min_wal_size: '32MB', max_connections: '60', deadlock_timeout: '200ms' } });
    const redis = await RedisProcess.start();
    const [toPostgres, toRedis] = [await Relay.start(postgres.port), await Relay.start(redis.port)];
    const clock = join(tmpdir(), `omnitalk-clock-${process.pid}`);
    await writeFile(clock, '0');
    const env = {
      DATABASE_URL: `postgres://omnitalk@127.0.0.1:${toPostgres.port}/omnitalk`, REDIS_URL: `redis://127.0.0.1:${toRedis.port}`, ACCESS_TOKEN_TTL: '86400', HEARTBEAT: '2',
      NEWS: 'false', BOTS: 'false', MODERATION: 'false', LEARNING: 'false', WEBHOOKS: 'false', JUMPING_CLOCK: clock,
    };
    const options = { nodeOptions: ['--inspect=127.0.0.1:0', `--import=${CLOCK}`] };
    const servers = [await ServerProcess.start(env, options), await ServerProcess.start(env, options)] as const;
    const doors = [await Relay.start(servers[0].port), await Relay.start(servers[1].port)] as const;
    const stage = new Stage(disk, postgres, redis, toPostgres, toRedis, servers, doors, clock);
    await stage.#people();
    return stage;
  }

  /** Statements past everything that is broken. */
  sql = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => this.postgres.sql<Row>(text, 'omnitalk', values);

  key(): string {
    return `key-${++this.#keys}`;
  }

  /** Sets a server's clock forward or back, as against the true time. */
  async setClock(server: 0 | 1, offsetMs: number): Promise<void> {
    await writeFile(this.clock, String(offsetMs));
    this.servers[server].signal('SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  /** A replica of PostgreSQL, on the same disk. */
  replica(): Promise<PostgresProcess> {
    return this.postgres.replica(join(this.disk.folder, `replica-${++this.#replicas}`));
  }

  /** Where the chat's log ends. */
  async head(): Promise<number> {
    const uuid = this.chatId.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return Number((await this.sql<{ head: string }>('select head from streams where id = $1', [`chat:${uuid}`]))[0]!.head);
  }

  async close(): Promise<void> {
    for (const { client } of [...this.members.flatMap(({ devices }) => devices), this.guest, this.stranger].filter(Boolean)) await client.close();
    for (const relay of [...this.doors, this.toPostgres, this.toRedis]) await relay.close();
    for (const server of this.servers) await server.end('SIGKILL');
    await this.redis.close();
    await this.postgres.close();
    await this.disk.close();
    await rm(this.clock, { force: true });
  }

  async #people(): Promise<void> {
    for (const [index, name] of ['Ann', 'Bob', 'Carol'].entries()) {
      const first = await signUp(this.doors[(index % 2) as 0 | 1].url, name);
      const other = this.doors[((index + 1) % 2) as 0 | 1].url;
      const anonymous = new OmniTalk({ url: other });
      const handle = name.toLowerCase();
      const { signIn } = await anonymous.api.signIn({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, device: 'second' } });
      await anonymous.close();
      this.members.push({ name, id: first.id, token: first.accessToken, devices: [first, { id: first.id, client: new OmniTalk({ url: other, accessToken: signIn.accessToken }) }] });
    }
    this.guest = await signUp(this.doors[1].url, 'Eve');
    this.stranger = await signUp(this.doors[0].url, 'Mallory');
    const [ann, bob, carol] = this.members as [Member, Member, Member];
    const { api } = ann.devices[0].client;
    this.chatId = (await api.createChat({ input: { kind: 'GROUP', title: 'All', memberIds: [bob.id, carol.id], idempotencyKey: this.key() } })).createChat.chat.id;
    this.shop = await openShop(this, bob.devices[0].client);
    this.goods = await sell(this, this.shop, 'Tea', { amount: 733, stock: 1_000_000 });
  }
}
