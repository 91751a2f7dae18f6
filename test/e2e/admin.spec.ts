import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApp } from '../../src/app.js';
import { loadConfig } from '../../src/config.js';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.js';
import { createLogger } from '../../src/lib/logger.js';
import { OmniTalk } from '../../sdk/index.js';
import { eventually, take, World, type Person } from '../testkit/world.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `npm run admin -- …`, as an operator runs it. */
async function admin(environment: Record<string, string>, ...args: string[]): Promise<{ code: number; said: string; complained: string }> {
  const { DATABASE_URL: _url, DATA_DIR: _dir, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', './scripts/register.mjs', 'scripts/admin.ts', ...args], { cwd: ROOT, env: { ...inherited, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  child.stderr.on('data', (chunk) => (complained += chunk));
  const [code] = (await once(child, 'close')) as [number];
  return { code, said: said.trim(), complained: complained.trim() };
}

describe('the first administrator', function () {
  this.timeout(60_000);

  describe('with a DATABASE_URL', () => {
    let world: World;
    let ann: Person;
    before(async () => {
      world = await World.start();
      ann = await world.person('Ann');
    });
    after(() => world.stop());
    const run = (...args: string[]) => admin({ DATABASE_URL: world.databaseUrl }, ...args);
    const roles = async () => (await ann.api.viewer()).viewer!.roles;

    it('is made by their handle while the server runs, and has the role within seconds', async () => {
      assert.deepEqual(await roles(), ['USER']);
      const inbox = ann.client.inboxEvents([(await ann.api.viewer()).viewer!.eventCursor]);
      assert.deepEqual(await run('@Ann'), { code: 0, said: 'ann is ADMIN now (was USER).', complained: '' });
      await eventually(async () => (await roles())[0] === 'ADMIN', 'the running server knows');
      const [event] = await take(inbox, 1);
      inbox.close();
      assert.ok(event!.__typename === 'AccountChanged');
      assert.deepEqual(event.roles, ['ADMIN']);
      assert.deepEqual(await run('ann'), { code: 0, said: 'ann is ADMIN already.', complained: '' });
    });

    it('or by e-mail address, with a warning while that is not verified; and may be unmade', async () => {
      const { code, said, complained } = await run('ANN@example.com', 'moderator');
      assert.deepEqual([code, said], [0, 'ann is MODERATOR now (was ADMIN).']);
      assert.match(complained, /has not shown yet/);
      await world.sql(`update users set email_verified_at = now()`);
      assert.deepEqual(await run('ann@example.com', 'USER'), { code: 0, said: 'ann is USER now (was MODERATOR).', complained: '' });
    });

    it('says what is wrong, and changes nothing', async () => {
      const [unknown, ...misused] = await Promise.all([run('nobody'), run(), run('ann', 'EMPEROR'), run('ann', 'ADMIN', 'more')]);
      assert.equal(unknown.code, 1);
      for (const { code, complained } of misused) {
        assert.equal(code, 2);
        assert.match(complained, /^Usage: npm run admin/);
      }
      assert.deepEqual(await world.sql('select role from users'), [{ role: 'USER' }]);
    });
  });

  it('is made in the embedded database, while the server runs on it and while it does not', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'omnitalk-admin-'));
    const silent = { info: () => undefined, warn: () => undefined };
    const embedded = await startEmbeddedPostgres({ dataDir, log: silent });
    try {
      const app = await startApp({ ...loadConfig({ PORT: '0', LOG_LEVEL: 'silent' }), DATABASE_URL: embedded.url }, createLogger('silent'));
      const client = new OmniTalk({ url: `${app.url}/graphql` });
      await client.api.signUp({ input: { email: 'ann@example.com', password: 'password of ann', handle: 'ann', displayName: 'Ann' } });
      assert.deepEqual(await admin({ DATA_DIR: dataDir }, 'ann'), { code: 0, said: 'ann is ADMIN now (was USER).', complained: '' });
      await client.close();
      await app.stop();
      await embedded.stop();
      assert.deepEqual(await admin({ DATA_DIR: dataDir }, 'ann', 'USER'), { code: 0, said: 'ann is USER now (was ADMIN).', complained: '' });
    } finally {
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
