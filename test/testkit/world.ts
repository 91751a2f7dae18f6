import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OmniTalk, OmniTalkError, type EventStream } from '../../sdk/index.js';
import { startApp, type App } from '../../src/app.js';
import { loadConfig, type Config } from '../../src/config.js';
import type { Outside } from '../../src/container.js';
import type { Bus } from '../../src/events/bus.js';
import { ShiftedClock } from '../../src/lib/clock.js';
import { createLogger, type Logger } from '../../src/lib/logger.js';
import type { Media } from '../../src/media/contract.js';
import type { Summarizer } from '../../src/news/summarizer.js';
import type { Gateways } from '../../src/payments/contract.js';
import { Passwords } from '../../src/services/passwords.js';
import type { ObjectStore } from '../../src/storage/store.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { FakeMedia } from './fake-media.js';
import { Outbox } from './outbox.js';
import { sharedReader } from './shared-reader.js';

export interface WorldOptions {
  /** Settings, as in the environment. */
  settings?: Record<string, string>;
  /** How many processes' worth of servers share the database; more than one needs Redis. */
  nodes?: number;
  /** What differs from the settings in one node. */
  configOf?: (node: number) => Partial<Config>;
  /** The media of each node; a fake one unless told. */
  media?: (node: number) => Media | undefined;
  /** Makes articles short, instead of the one that picks sentences. */
  summarizer?: Summarizer;
  /** Gateways for payments, beside or in place of our own. */
  gateways?: Gateways;
  /** Hashes passwords at another cost than next to none. */
  passwords?: Passwords;
  /** Where files are kept, instead of the store that the settings would choose. */
  store?: ObjectStore;
  /** A database of its own making, instead of one of the PostgreSQL that the tests run on. */
  database?: TestDatabase;
  /** Where it logs, instead of standard output. */
  log?: Logger;
  /** The bus of each node, instead of the one that the settings would make. */
  bus?: (node: number) => Bus;
}

export interface Person {
  id: string;
  handle: string;
  client: OmniTalk;
  api: OmniTalk['api'];
  accessToken: string;
  refreshToken: string;
  sessionId: string;
}

/** Worlds are full of people who sign up: at the true cost of a hash, an hour of tests would have half a minute of it. */
const CHEAP = new Passwords({ memoryCost: 64, timeCost: 1 });

/** The real application on a real database of its own, and people who use it through the SDK. */
export class World {
  readonly clock = new ShiftedClock();
  /** The mails and text messages that were sent. */
  readonly outbox = new Outbox();
  readonly apps: App[] = [];
  /** The media of each node, where it is the fake one. */
  readonly media: FakeMedia[] = [];
  readonly #clients: OmniTalk[] = [];
  #keys = 0;

  private constructor(
    readonly databaseUrl: string,
    readonly config: Config & { DATABASE_URL: string },
    private readonly drop: () => Promise<void>,
    private readonly bus: ((node: number) => Bus) | null,
    private readonly makeMedia: ((node: number) => Media | undefined) | null,
    private readonly own: Pick<Outside, 'summarizer' | 'store' | 'gateways' | 'passwords'> & Pick<WorldOptions, 'log' | 'configOf'>,
  ) {}

  static async start({ settings = {}, nodes = 1, bus, media, database: given, ...own }: WorldOptions = {}): Promise<World> {
    const database = given ?? (await createTestDatabase());
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-world-'));
    const redis = nodes > 1 && !bus ? { REDIS_URL: process.env['TEST_REDIS_URL']! } : {};
    const config = loadConfig({
      PORT: '0', DATABASE_URL: database.url, DATA_DIR: folder, DATABASE_POOL: '8', LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent', RECONCILE: '1',
      RATE_LIMIT_COST: '100000000', RATE_LIMIT_ADDRESS: '10000000', RATE_LIMIT_AUTH: '100000', MAX_SOCKETS_EACH: '20000', NEWS: 'false', LINK_PREVIEWS: 'false',
      // They come by themselves, a moment later: where a test counts what is told, it asks for them.
      NOTIFICATIONS: 'false', WEBHOOKS: 'false', BOTS: 'false', ASSISTANT: 'false', MODERATION: 'false', ...redis, ...settings,
    });
    const world = new World(database.url, { ...config, DATABASE_URL: database.url }, () => database.drop().finally(() => rm(folder, { recursive: true, force: true })), bus ?? null, media ?? null, own);
    for (let node = 0; node < nodes; node++) await world.addNode();
    return world;
  }

  /** One more server on the same database (and Redis). */
  async addNode(): Promise<App> {
    const fake = new FakeMedia();
    const media = this.makeMedia ? this.makeMedia(this.apps.length) : fake;
    const { log = createLogger(this.config.LOG_LEVEL), configOf, ...own } = this.own;
    const app = await startApp({ ...this.config, ...configOf?.(this.apps.length) }, log, this.clock, {
      mailer: this.outbox, sms: this.outbox, passwords: CHEAP, reader: sharedReader(), ...own, ...(media ? { media } : {}), ...(this.bus ? { bus: this.bus(this.apps.length) } : {}),
    });
    this.media.push(fake);
    this.apps.push(app);
    return app;
  }

  get app(): App {
    return this.apps[0]!;
  }

  /** A client that speaks to one of the nodes, for a token or for nobody. */
  client(accessToken: string | null | (() => string | null) = null, node = 0): OmniTalk {
    const client = new OmniTalk({ url: `${this.apps[node]!.url}/graphql`, accessToken });
    this.#clients.push(client);
    return client;
  }

  /** A fresh idempotency key. */
  key(): string {
    return `key-${++this.#keys}`;
  }

  /** Signs a new person up. */
  async person(name: string, node = 0): Promise<Person> {
    const handle = name.toLowerCase();
    const { signUp } = await this.client(null, node).api.signUp({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, handle, displayName: name, device: 'test' } });
    const client = this.client(signUp.accessToken, node);
    return { id: signUp.user.id, handle, client, api: client.api, accessToken: signUp.accessToken, refreshToken: signUp.refreshToken, sessionId: signUp.session.id };
  }

  async people<const Names extends readonly string[]>(...names: Names): Promise<{ [Index in keyof Names]: Person }> {
    return (await Promise.all(names.map((name) => this.person(name)))) as { [Index in keyof Names]: Person };
  }

  async directChat(from: Person, to: Person): Promise<string> {
    return (await from.api.createChat({ input: { kind: 'DIRECT', memberIds: [to.id], idempotencyKey: this.key() } })).createChat.chat.id;
  }

  async groupChat(owner: Person, members: Person[], title = 'A chat'): Promise<string> {
    return (await owner.api.createChat({ input: { kind: 'GROUP', memberIds: members.map((member) => member.id), title, idempotencyKey: this.key() } })).createChat.chat.id;
  }

  async say(person: Person, chatId: string, text: string): Promise<{ id: string; seq: number }> {
    return (await person.api.sendMessage({ input: { chatId, text, idempotencyKey: this.key() } })).sendMessage.message;
  }

  /** Lets time pass: the server's clock, and that by which jobs wait. (What only asks the clock needs `clock.advance` alone.) */
  async passTime(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await this.sql('update graphile_worker._private_jobs set run_at = run_at - make_interval(secs => $1) where locked_at is null', [milliseconds / 1000]);
    await this.sql(`select pg_notify('jobs:insert', '{"count":1}')`);
  }

  /** Rows of the database, for asserting that nothing changed: what a partner can't do, tests don't do by SQL. */
  async sql<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.app.container.db.sql<Row>(text, values);
  }

  /** Uploads bytes as a person's app would; answers the file as `completeUpload` does. */
  async upload(person: Person, body: Uint8Array, { name = 'a file', contentType = 'application/octet-stream', voice = false }: { name?: string; contentType?: string; voice?: boolean } = {}) {
    const sha256 = createHash('sha256').update(body).digest('hex');
    const { file, upload } = (await person.api.createUpload({ input: { name, contentType, bytes: body.length, sha256, voice, idempotencyKey: this.key() } })).createUpload;
    for (const { url, headers, offset, bytes } of upload!.url ? [{ url: upload!.url, headers: upload!.headers, offset: 0, bytes: body.length }] : upload!.parts) {
      const sent = await fetch(url, { method: 'PUT', headers: Object.fromEntries(headers.map((header) => [header.name, header.value])), body: body.slice(offset, offset + bytes) });
      assert.ok(sent.ok, `${sent.status} ${await sent.text()}`);
    }
    return (await person.api.completeUpload({ input: { fileId: file.id! } })).completeUpload.file;
  }

  /** Waits until every mail and text message that was due has been sent, so that a test can tell what was not. */
  async sent(): Promise<void> {
    await eventually(async () => !(await this.sql(`select from graphile_worker.jobs where task_identifier like 'send-%'`)).length, 'everything is sent');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.drop();
  }
}

/** Asserts that a call fails with exactly this code (and field). */
export async function fails(call: Promise<unknown>, code: string, field?: string): Promise<OmniTalkError> {
  const error = await call.then(
    () => assert.fail(`expected ${code}, but the call succeeded`),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof OmniTalkError, `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  if (field !== undefined) assert.equal(error.errors[0]!.extensions?.field, field);
  return error;
}

const PATIENCE_MS = 8_000;

/** The next events of a stream that are not ephemeral, exactly `count` of them. */
export async function take<Event extends { __typename: string }>(stream: EventStream<Event>, count: number, skip: readonly string[] = ['ReceiptsChanged', 'ViewerReceiptChanged', 'InboxCheckpoint']): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const result = await within(stream.next(), `event ${events.length + 1} of ${count}; so far: ${events.map((event) => event.__typename).join(', ')}`);
    if (result.done) assert.fail(`the stream ended after ${events.length} of ${count} events`);
    if (!skip.includes(result.value.__typename)) events.push(result.value);
  }
  return events;
}

export async function within<Result>(promise: Promise<Result>, what: string, patience = PATIENCE_MS): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([promise, new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`waited ${patience} ms for ${what}`)), patience)))]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something holds, looking often. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string, patience = PATIENCE_MS): Promise<void> {
  const end = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${patience} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves when a subscription that was just opened certainly stands: its own next event has arrived. */
export const settle = (ms = 150): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
