// `npm run expand:check`: the server of the last release on a database that this code has migrated, talked to by the SDK of that release; then this code's server on what the
// old one has written, by both SDKs. docs/OPERATIONS.md has the rule that it proves (expand, then contract).
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDataSource } from '../ormconfig.js';
import type { OmniTalk } from '../sdk/index.js';
import { loadConfig } from '../src/config.js';
import { migrate } from '../src/db/migrate.js';
import { connect } from './lib/connect.js';

type Sdk = { OmniTalk: typeof OmniTalk };
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 60_000;
const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 }).trim();
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The newest tag vX.Y.Z; where there is none yet, the commit that last wrote the released schema (`npm run schema:release`). */
function released(): { name: string; revision: string } {
  const tag = git('tag', '--list', 'v[0-9]*', '--merged', 'HEAD', '--sort=-version:refname').split('\n')[0];
  const revision = tag ? git('rev-list', '-1', tag) : git('log', '-1', '--format=%H', '--', 'docs/schema/released.graphql');
  if (!revision) throw new Error('The last release is not in this clone: fetch its history (git fetch --unshallow --tags).');
  return { name: tag || revision.slice(0, 10), revision };
}

/** The release, built, in the user's cache: once for each. */
async function build(revision: string): Promise<string> {
  const releases = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'omnitalk', 'releases');
  const folder = join(releases, revision);
  if (existsSync(folder)) return folder;
  await mkdir(releases, { recursive: true });
  const making = await mkdtemp(join(releases, 'making-'));
  execFileSync('bash', ['-c', 'git archive "$1" | tar -x -C "$2"', '-', revision, making], { cwd: ROOT });
  // Its own packages, where they are others than ours.
  if (readFileSync(join(making, 'package-lock.json'), 'utf8') === readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) await symlink(join(ROOT, 'node_modules'), join(making, 'node_modules'));
  else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: making, stdio: 'inherit', env: { ...process.env, MEDIASOUP_WORKER_BIN: 'none' } });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { cwd: making, stdio: 'inherit' });
  await rename(making, folder);
  return folder;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Runs a server until it answers; `stop` asks it to end and says with which code it did. */
async function serve(folder: string, command: string[], settings: Record<string, string>): Promise<{ url: string; stop(): Promise<void> }> {
  const [port, files] = [await freePort(), await freePort()];
  const child: ChildProcess = spawn(process.execPath, command, { cwd: folder, env: { ...process.env, ...settings, PORT: String(port), FILES_PORT: String(files), CALLS: 'false', NEWS: 'false', LINK_PREVIEWS: 'false', LOG_LEVEL: 'warn', DRAIN: '2' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000));
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  try {
    for (const until = Date.now() + START_MS; ; await sleep(200)) {
      const ready = await fetch(`${url}/ready`).catch(() => null);
      if (ready?.ok) break;
      if (child.exitCode !== null || Date.now() > until) throw new Error(`The server in ${folder} did not start:\n${log}`);
    }
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const code = await ended;
      clearTimeout(late);
      assert.equal(code, 0, `The server in ${folder} ended with code ${code}:\n${log}`);
      const errors = log.split('\n').filter((line) => /"level":(50|60)|"level":"(error|fatal)"/.test(line));
      assert.deepEqual(errors, [], `The server in ${folder} logged errors.`);
    },
  };
}

interface Talk {
  email: string;
  password: string;
  chatId: string;
}

/** What people do every day: it writes with everything that was released. */
async function talk({ OmniTalk: Client }: Sdk, url: string, run: string): Promise<Talk> {
  const clients: OmniTalk[] = [];
  const client = (accessToken: string | null = null): OmniTalk => {
    const made = new Client({ url: `${url}/graphql`, accessToken });
    clients.push(made);
    return made;
  };
  try {
    const enter = async (name: string) => {
      const handle = `${name}_${run}`;
      const { signUp } = await client().api.signUp({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, handle, displayName: name, device: 'check' } });
      return { id: signUp.user.id, handle, client: client(signUp.accessToken) };
    };
    const [ann, bob] = [await enter('ann'), await enter('bob')];
    let keys = 0;
    const key = () => `${run}-${++keys}`;
    await ann.client.api.addContact({ input: { userId: bob.id } });
    await bob.client.api.addContact({ input: { userId: ann.id } });
    const { chat } = (await ann.client.api.createChat({ input: { kind: 'DIRECT', memberIds: [bob.id], idempotencyKey: key() } })).createChat;
    const stream = bob.client.chatEvents(chat.id, chat.eventCursor);
    const { message } = (await ann.client.api.sendMessage({ input: { chatId: chat.id, text: 'hello', idempotencyKey: key() } })).sendMessage;
    await bob.client.api.addReaction({ input: { messageId: message.id, emoji: '👍' } });
    await ann.client.api.editMessage({ input: { messageId: message.id, text: 'hello, Bob' } });
    const seen: string[] = [];
    for (const late = Date.now() + 20_000; seen.length < 3 && Date.now() < late; ) {
      const { value } = await stream.next();
      if (value && ['MessageSent', 'MessageUpdated', 'ReactionsChanged'].includes(value.__typename)) seen.push(value.__typename);
    }
    assert.deepEqual(seen, ['MessageSent', 'ReactionsChanged', 'MessageUpdated']);
    stream.close();
    await ann.client.api.postStatus({ input: { text: 'a status', idempotencyKey: key() } });
    await ann.client.api.createGroup({ input: { name: `Group ${run}`, visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: key() } });
    await ann.client.api.createApp({ input: { name: 'An app', redirectUris: [], scopes: ['chats:read'], idempotencyKey: key() } });
    await ann.client.api.createWebhook({ input: { url: 'https://hooks.example.com/', events: ['MESSAGE_SENT'], idempotencyKey: key() } });
    const { dataExport } = (await bob.client.api.requestDataExport({ input: { idempotencyKey: key() } })).requestDataExport;
    for (const late = Date.now() + 30_000; ; await sleep(200)) {
      if ((await bob.client.api.dataExport({ id: dataExport.id })).dataExport?.state === 'READY') break;
      assert.ok(Date.now() < late, 'a copy of data was not made');
    }
    return { email: `${ann.handle}@example.com`, password: `password of ${ann.handle}`, chatId: chat.id };
  } finally {
    await Promise.all(clients.map((made) => made.close()));
  }
}

/** Reads what was written, and goes on. */
async function goOn({ OmniTalk: Client }: Sdk, url: string, { email, password, chatId }: Talk, key: string): Promise<void> {
  const nobody = new Client({ url: `${url}/graphql`, accessToken: null });
  const { signIn } = await nobody.api.signIn({ input: { email, password } });
  const ann = new Client({ url: `${url}/graphql`, accessToken: signIn.accessToken });
  try {
    const before = (await ann.api.chatMessages({ id: chatId })).chat!.messages.edges.map(({ node }) => node.text);
    assert.ok(before.includes('hello, Bob'), before.join());
    await ann.api.sendMessage({ input: { chatId, text: key, idempotencyKey: key } });
    assert.ok((await ann.api.chatMessages({ id: chatId })).chat!.messages.edges.some(({ node }) => node.text === key));
  } finally {
    await Promise.all([nobody.close(), ann.close()]);
  }
}

const { name, revision } = released();
const old = await build(revision);
const ahead = (await readdir(join(ROOT, 'migrations'))).filter((file) => !existsSync(join(old, 'migrations', file)));
say(`The release: ${name}. This code is ahead of it by ${ahead.length} migrations${ahead.length ? `: ${ahead.join(', ')}` : ''}.`);
const oldSdk = (await import(join(old, 'sdk/index.ts'))) as Sdk;
const newSdk = (await import('../sdk/index.js')) as Sdk;
const data = await mkdtemp(join(tmpdir(), 'omnitalk-expand-'));
try {
  const database = await connect(loadConfig({ DATA_DIR: data }));
  try {
    const source = await createDataSource(database.url, 2).initialize();
    await migrate(source).finally(() => source.destroy());
    say('The database was migrated by this code.');
    const settings = { DATABASE_URL: database.url, DATA_DIR: data };
    const before = await serve(old, ['dist/src/main.js'], settings);
    const written = await talk(oldSdk, before.url, 'old').finally(() => before.stop());
    say('The server of the release served the SDK of the release on it, logged no error, and ended with code 0.');
    const after = await serve(ROOT, ['--import', './scripts/register.mjs', 'src/main.ts'], settings);
    try {
      await goOn(oldSdk, after.url, written, 'by-the-old-client');
      await goOn(newSdk, after.url, written, 'by-the-new-client');
      await talk(oldSdk, after.url, 'next');
    } finally {
      await after.stop();
    }
    say('This code’s server read what it had written, and served both SDKs.');
  } finally {
    await database.stop();
  }
} finally {
  await rm(data, { recursive: true, force: true });
}
