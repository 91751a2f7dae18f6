import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OmniTalk } from '../../sdk/index.js';
import { openShop, sell, type Shop, type Sold } from './commerce.js';
import { Inspector } from './inspector.js';
import { signUp, type Caller } from './lossless.js';
import { workerBinary } from './media.js';
import { PostgresProcess } from './postgres-process.js';
import { RedisProcess, ServerProcess } from './processes.js';
import { Relay } from './relay.js';
import { SmallDisk } from './small-disk.js';
import { eventually } from './world.js';

/** Loaded before each server. */
const PRELOADED = ['./jumping-clock.mjs', './media-worker-dump.mjs'].map((file) => `--import=${fileURLToPath(new URL(file, import.meta.url))}`);
/** What is written in a minute stays: rows, a copy of all of them while a replica takes over, and the log of writes. */
const DISK_MEGABYTES = 700 + 40 * Number(process.env['SOAK_MINUTES'] || 0);
/** Connections of each server's pool. */
export const POOL = 16;

/** Somebody with two devices, each a session of its own, at another node each. */
export interface Member {
  name: string;
  id: string;
  devices: [Caller, Caller];
  /** Of the first. */
  token: string;
}

/**
 * All of a platform, to be broken: a PostgreSQL on a disk of its own, a Redis, and two servers, with a relay on each way between them, so that whatever
 * is behind it can be replaced, slowed, cut and parted from one of the servers alone. Three members of a chat with two devices each, somebody who comes and goes, a stranger, and a shop.
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

  disk!: SmallDisk;
  postgres!: PostgresProcess;
  redis!: RedisProcess;
  /** Of each server. */
  toPostgres!: readonly [Relay, Relay];
  toRedis!: readonly [Relay, Relay];
  servers!: readonly [ServerProcess, ServerProcess];
  doors!: readonly [Relay, Relay];
  readonly #clock = join(tmpdir(), `omnitalk-clock-${process.pid}`);
  /** What must be closed, newest first. */
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor() {}

  static async start(): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#build();
      await stage.#people();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #build(): Promise<void> {
    const close = <Made>(made: Made, closer: (made: Made) => Promise<unknown>): Made => {
      this.#closers.push(() => closer(made));
      return made;
    };
    this.disk = close(await SmallDisk.mount(DISK_MEGABYTES), (disk) => disk.close());
    this.postgres = await PostgresProcess.start({ folder: join(this.disk.folder, 'pg'), settings: { max_wal_size: '128MB', min_wal_size: '32MB', max_connections: '60', deadlock_timeout: '200ms' } });
    this.#closers.push(() => this.postgres.close()); // another by then, perhaps
    this.redis = close(await RedisProcess.start(), (redis) => redis.close());
    const relay = async (port: number) => close(await Relay.start(port), (one) => one.close());
    const relays = async (port: number) => [await relay(port), await relay(port)] as const;
    [this.toPostgres, this.toRedis] = [await relays(this.postgres.port), await relays(this.redis.port)];
    await writeFile(this.#clock, '0');
    this.#closers.push(() => rm(this.#clock, { force: true }));
    const env = {
      ACCESS_TOKEN_TTL: '86400', HEARTBEAT: '2', DATABASE_POOL: String(POOL),
      NEWS: 'false', BOTS: 'false', MODERATION: 'false', LEARNING: 'false', WEBHOOKS: 'false', JUMPING_CLOCK: this.#clock,
      CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_PORT: '0', MEDIASOUP_WORKER_BIN: workerBinary(),
    };
    // A call of people by both is on both.
    const server = async (index: 0 | 1) => {
      const own = { DATABASE_URL: `postgres://omnitalk@127.0.0.1:${this.toPostgres[index].port}/omnitalk`, REDIS_URL: `redis://127.0.0.1:${this.toRedis[index].port}`, MEDIA_REGION: ['east', 'west'][index]! };
      return close(await ServerProcess.start({ ...env, ...own }, { nodeOptions: ['--inspect=127.0.0.1:0', ...PRELOADED] }), (one) => one.end('SIGKILL'));
    };
    this.servers = [await server(0), await server(1)];
    this.doors = [await relay(this.servers[0].port), await relay(this.servers[1].port)];
  }

  /** Statements past everything that is broken. */
  sql = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => this.postgres.sql<Row>(text, 'omnitalk', values);

  key(): string {
    return `key-${++this.#keys}`;
  }

  /** Sets a server's clock forward or back, as against the true time. */
  async setClock(server: 0 | 1, offsetMs: number): Promise<void> {
    await writeFile(this.#clock, String(offsetMs));
    this.servers[server].signal('SIGUSR2');
    const inspector = await Inspector.open(this.servers[server]);
    try {
      await eventually(async () => Math.abs(((await inspector.evaluate('Date.now()')) as number) - Date.now() - offsetMs) < 5_000, 'the clock has jumped');
    } finally {
      inspector.close();
    }
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

  /** Idempotent. */
  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0).reverse()) await closer();
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
    for (const { client } of [...this.members.flatMap(({ devices }) => devices), this.guest, this.stranger]) this.#closers.push(() => client.close());
    const [ann, bob, carol] = this.members as [Member, Member, Member];
    const { api } = ann.devices[0].client;
    this.chatId = (await api.createChat({ input: { kind: 'GROUP', title: 'All', memberIds: [bob.id, carol.id], idempotencyKey: this.key() } })).createChat.chat.id;
    this.shop = await openShop(this, bob.devices[0].client);
    this.goods = await sell(this, this.shop, 'Tea', { amount: 733, stock: 1_000_000 });
  }
}
