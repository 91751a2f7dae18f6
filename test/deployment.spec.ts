// That the files of Docker say what they must, and name only what exists. `npm run image:try` builds and starts the image; docs/OPERATIONS.md says what nobody has tried.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { describeSettings } from '../src/config.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

interface Service {
  image?: string;
  environment?: Record<string, string | number>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }> | string[];
  profiles?: string[];
  volumes?: string[];
}

describe('compose.yaml', () => {
  const { services, volumes } = parse(read('compose.yaml')) as { services: Record<string, Service>; volumes: Record<string, null> };
  const api = services['api']!;

  it('passes the server settings that exist', () => {
    const known = describeSettings().map(({ name }) => name);
    assert.deepEqual(Object.keys(api.environment!).filter((name) => !known.includes(name)), []);
    assert.equal(api.environment!['HOST'], '0.0.0.0');
  });

  it('refuses to start without its secrets, and holds none', () => {
    for (const [service, name] of [['api', 'JWT_SECRET'], ['api', 'DATABASE_URL'], ['postgres', 'POSTGRES_PASSWORD']] as const) {
      assert.match(String(services[service]!.environment![name]), /\$\{[A-Z_]+:\?set [A-Z_]+/, `${service} ${name}`);
    }
  });

  it('starts the server after its database and Redis are healthy', () => {
    assert.deepEqual(api.depends_on, { postgres: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } });
    for (const name of Object.keys(api.depends_on!)) assert.ok(services[name]!.healthcheck, `${name} has a health check`);
  });

  it('starts what watches and what relays only where somebody asks for it', () => {
    assert.deepEqual(Object.entries(services).filter(([, { profiles }]) => profiles).map(([name, { profiles }]) => [name, profiles]), [['coturn', ['turn']], ['prometheus', ['watch']], ['grafana', ['watch']]]);
  });

  it('pins majors, and keeps data in named volumes', () => {
    for (const name of ['postgres', 'redis']) assert.match(services[name]!.image!, /^[a-z]+:\d+-bookworm$/);
    const used = Object.values(services).flatMap((service) => (service.volumes ?? []).map((volume) => volume.split(':')[0]!));
    assert.deepEqual(used.filter((name) => !name.startsWith('./')).sort(), Object.keys(volumes).sort());
    for (const folder of used.filter((name) => name.startsWith('./'))) assert.ok(existsSync(`${root}${folder}`), folder);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n').filter((line) => /^[A-Z]+ /.test(line));
  const final = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('builds on one exact Node', () => {
    const stages = lines.flatMap((line) => /^FROM \S+ AS (\S+)$/.exec(line)?.[1] ?? []);
    const images = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]!).filter((image) => !stages.includes(image));
    assert.deepEqual([...new Set(images)], ['${NODE_IMAGE}']);
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    assert.equal(lines[0], `ARG NODE_IMAGE=node:${devDependencies['node']}-bookworm-slim`, 'the Node of the image is the Node of the tests');
  });

  it('runs as an ordinary user, in the foreground, in production, and says whether it is well', () => {
    const at = (start: string): number => final.findIndex((line) => line.startsWith(start));
    assert.ok(at('USER node') > 0 && at('USER node') < at('CMD '));
    assert.equal(final[at('CMD ')], 'CMD ["node", "--max-semi-space-size=48", "dist/src/main.js"]');
    assert.ok(final.includes('STOPSIGNAL SIGTERM'));
    assert.match(final[at('HEALTHCHECK ')]!, /\/health`/);
    assert.match(final[at('ENV ')]!, /NODE_ENV=production HOST=0\.0\.0\.0/);
  });

  it('copies what exists, which .dockerignore lets through', () => {
    const letThrough = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from')).flatMap((line) => line.split(' ').slice(1, -1));
    for (const file of copied) assert.ok(existsSync(`${root}${file}`), `${file} exists`);
    assert.deepEqual([...copied].sort(), [...letThrough].sort());
  });
});

describe('docs/OPERATIONS.md', () => {
  it('holds the settings as src/config.ts has them', () => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', './scripts/register.mjs', 'scripts/docs-settings.ts', '--check'], { cwd: root, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});

describe('.ci/run', () => {
  it('can be executed, and calls npm scripts that exist', () => {
    assert.ok(statSync(`${root}.ci/run`).mode & 0o100);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const called = [...read('.ci/run').matchAll(/^npm (?:run )?(\S+)$/gm)].map((match) => match[1]!);
    assert.deepEqual(called, ['lint', 'typecheck', 'schema:check', 'codegen:check', 'kernels:check', 'build', 'media:build', 'test']);
    assert.deepEqual(called.filter((name) => !(name in scripts)), []);
  });

  it('says last of all that nothing was audited, however it ends', () => {
    const [, beginning] = /^(step\(\)[\s\S]*?)^step 'Install'/m.exec(read('.ci/run'))!;
    const run = (said: string) => spawnSync('bash', ['-c', `set -euo pipefail\n${beginning}\necho '${said}' | tee "$AUDIT_SAID"\necho '7 passed, 1 failed'\nexit 3`], { encoding: 'utf8' });
    const silent = run('Dependencies were NOT audited: no network');
    assert.deepEqual([silent.status, silent.stdout.trimEnd().split('\n').at(-1)], [3, '!! Dependencies were NOT audited: no network']);
    const audited = run('No known hole.');
    assert.deepEqual([audited.status, audited.stdout.trimEnd().split('\n').at(-1)], [3, '7 passed, 1 failed']);
  });
});
