// `npm run image:try`: is the image of `Dockerfile` one that serves? It is really built, all stages, where no Docker engine is (buildah, on a base made here), and really started,
// twice: by itself, with its own database; and with the settings of compose.yaml, beside a PostgreSQL and a Redis. Root on Debian; docs/OPERATIONS.md says what it does not show.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { OmniTalk } from '../sdk/index.js';
import { loadConfig } from '../src/config.js';
import { connect } from './lib/connect.js';
import { Container } from './lib/container.js';
import { LocalImage, type ImageConfig } from './lib/local-image.js';
import { bring } from './prerequisites.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 90_000;
/** Of the image's user, whose numbers both images of Node have. */
const USER = 1_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** The environment of the service `api`, as compose fills it in. */
function composeSettings(given: Readonly<Record<string, string>>): Record<string, string> {
  const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as { services: { api: { environment: Record<string, string | number> } } };
  const fill = (text: string) => text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_all, name: string, kind: string, rest: string) => given[name] || (kind === '-' ? rest : assert.fail(`compose refuses to start without ${name}`)));
  return Object.fromEntries(Object.entries(services.api.environment).map(([name, value]) => [name, fill(String(value))]));
}

/** Waits until it can serve, with its media worker and its bus; answers what it says of itself. */
async function ready(container: Container, url: string): Promise<Record<string, unknown>> {
  for (const until = Date.now() + START_MS; ; await sleep(300)) {
    const health = await fetch(`${url}/health`).then((answer) => answer.json() as Promise<Record<string, unknown>>, () => null);
    if (health?.['calls'] === 'ready' && health['bus'] === 'ok' && (await fetch(`${url}/ready`)).ok) return health;
    if (!container.running || Date.now() > until) throw new Error(`The container does not serve (${JSON.stringify(health)}):\n${container.log}`);
  }
}

/** What the image promises of itself, asked from within. */
function assertConfined(container: Container, image: ImageConfig): void {
  const status = new Map(container.exec('cat', '/proc/1/status').split('\n').map((line) => line.split(/:\s*/) as [string, string]));
  assert.equal(status.get('Uid'), Array(4).fill(USER).join('\t'), 'it runs as its own user');
  assert.deepEqual([status.get('CapEff'), status.get('NoNewPrivs')], ['0'.repeat(16), '1']);
  assert.throws(() => container.exec('touch', '/app/x'), 'its root is read-only');
  const [kind, ...check] = image.Healthcheck.Test;
  assert.equal(kind, 'CMD');
  container.exec(...check);
  assert.match(container.exec('ffmpeg', '-version'), /^ffmpeg version/);
}

/** People talk, send a picture, and call each other: the database, files, sharp, and the media worker take part. */
async function use(url: string, run: string): Promise<void> {
  const clients: OmniTalk[] = [];
  const client = (accessToken: string | null = null): OmniTalk => {
    const made = new OmniTalk({ url: `${url}/graphql`, accessToken });
    clients.push(made);
    return made;
  };
  try {
    const enter = async (name: string) => {
      const handle = `${name}_${run}`;
      const { signUp } = await client().api.signUp({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, handle, displayName: name, device: 'try' } });
      return { id: signUp.user.id, client: client(signUp.accessToken) };
    };
    const [ann, bob] = [await enter('ann'), await enter('bob')];
    await ann.client.api.addContact({ input: { userId: bob.id } });
    await bob.client.api.addContact({ input: { userId: ann.id } });
    const { chat } = (await ann.client.api.createChat({ input: { kind: 'DIRECT', memberIds: [bob.id], idempotencyKey: `${run}-1` } })).createChat;
    const events = bob.client.chatEvents(chat.id, chat.eventCursor);
    const { default: sharp } = await import('sharp');
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#e33' } }).png().toBuffer();
    const file = await ann.client.upload(new Blob([new Uint8Array(png)]), { name: 'red.png', contentType: 'image/png' });
    await ann.client.api.sendMessage({ input: { chatId: chat.id, text: 'from a container', attachments: [{ fileId: file.id! }], idempotencyKey: `${run}-2` } });
    const { value } = await events.next();
    assert.ok(value?.__typename === 'MessageSent' && value.message?.text === 'from a container');
    assert.deepEqual(Buffer.from(await (await fetch(value.message.attachments[0]!.file.url!)).arrayBuffer()), png);
    events.close();
    const { call } = (await ann.client.api.startCall({ input: { chatId: chat.id, kind: 'VOICE', idempotencyKey: `${run}-3` } })).startCall;
    const { joinCall } = await ann.client.api.joinCall({ input: { callId: call.id } });
    assert.ok(joinCall.rtpCapabilities, 'the media worker has a room for the call');
    await ann.client.api.endCall({ input: { callId: call.id } });
  } finally {
    await Promise.all(clients.map((made) => made.close()));
  }
}

async function stopped(container: Container): Promise<void> {
  assert.equal(await container.stop(), 0, container.log);
  assert.deepEqual(container.log.split('\n').filter((line) => /"level":(50|60)|"level":"(error|fatal)"/.test(line)), [], 'it logged no error');
}

async function alone(image: ImageConfig, rootfs: string, folder: string): Promise<void> {
  const [port, filesPort, mediaPort, data] = [await freePort(), await freePort(), await freePort(), join(folder, 'data')];
  await mkdir(data, { mode: 0o700 });
  await chown(data, USER, USER);
  await mkdir(join(folder, 'alone'));
  const container = new Container(join(folder, 'alone'), rootfs, image, data, `omnitalk-alone-${process.pid}`);
  const url = `http://127.0.0.1:${port}`;
  const settings = { PORT: String(port), FILES_PORT: String(filesPort), FILES_URL: `http://127.0.0.1:${filesPort}`, MEDIA_PORT: String(mediaPort), MEDIA_WORKERS: '1', MEDIA_ANNOUNCED_ADDRESS: '127.0.0.1', NEWS: 'false' };
  try {
    container.start(settings);
    say(`By itself, with the database it brings: ${JSON.stringify(await ready(container, url))}`);
    assertConfined(container, image);
    await use(url, 'alone');
    // A container that was killed finds its folder locked by process 1, which it is itself.
    await container.stop('KILL');
    container.start(settings);
    await ready(container, url);
    await use(url, 'again');
    await stopped(container);
    say('It served; killed, it came back on the same data; SIGTERM ended it with code 0 and no error in its log.');
  } finally {
    await container.stop('KILL');
  }
}

async function asInCompose(image: ImageConfig, rootfs: string, folder: string): Promise<void> {
  const [port, filesPort, redisPort, mediaPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const database = await connect(loadConfig({ DATA_DIR: join(folder, 'postgres') }));
  const redis = spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  const data = join(folder, 'compose-data');
  await mkdir(data, { mode: 0o700 });
  await chown(data, USER, USER);
  await mkdir(join(folder, 'compose'));
  const container = new Container(join(folder, 'compose'), rootfs, image, data, `omnitalk-compose-${process.pid}`);
  const url = `http://127.0.0.1:${port}`;
  try {
    // As compose.yaml says it, but for names and ports that compose's own network has.
    const settings = composeSettings({ POSTGRES_PASSWORD: 'x', JWT_SECRET: 'x'.repeat(40), WORKERS: '2', MEDIA_WORKERS: '2', FILES_URL: `http://127.0.0.1:${filesPort}` });
    container.start({ ...settings, DATABASE_URL: database.url, REDIS_URL: `redis://127.0.0.1:${redisPort}`, PORT: String(port), FILES_PORT: String(filesPort), MEDIA_PORT: String(mediaPort), NEWS: 'false' });
    say(`As in compose.yaml, by two workers: ${JSON.stringify(await ready(container, url))}`);
    assertConfined(container, image);
    assert.match(await (await fetch(`${url}/metrics`)).text(), /^omnitalk_workers 2$/m);
    await use(url, 'compose');
    await stopped(container);
    say('It served; SIGTERM ended it with code 0 and no error in its log.');
  } finally {
    await container.stop('KILL');
    redis.kill();
    await database.stop();
  }
}

bring('Trying the image', { buildah: 'buildah', debootstrap: 'debootstrap', runc: 'runc', 'redis-server': 'redis-server' });
const images = new LocalImage(ROOT, join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'omnitalk', 'image'), say);
const image = images.build();
const { rootfs, remove } = images.unpack();
const folder = await mkdtemp(join(tmpdir(), 'omnitalk-image-'));
try {
  say(`Built: ${execFileSync('du', ['-sh', rootfs], { encoding: 'utf8' }).split('\t')[0]}, runs as ${image.User}.`);
  await alone(image, rootfs, folder);
  await asInCompose(image, rootfs, folder);
} finally {
  remove();
  await rm(folder, { recursive: true, force: true });
}
