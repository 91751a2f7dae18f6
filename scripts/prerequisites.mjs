// Finds the real peers that the tests talk to, and installs what is missing where that is allowed (root on Debian). A test of Redis
// or of a browser that runs without one proves nothing, so what can't be had is an error with its remedy, never a skip.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const POLICY = '/usr/sbin/policy-rc.d';
/** Packages that bring a system service of the same name. */
const SERVICES = ['redis-server', 'coturn', 'clamav-daemon', 'prometheus', 'postgresql'];

/** @returns {string | undefined} the first of these commands on the PATH */
function onPath(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here; the next folder may have it.
      }
    }
  }
  return undefined;
}

/**
 * Paths of a redis-server and a Chromium. A Redis given by URL makes the binary optional.
 * @param {{ redisUrl?: string, chromiumPath?: string }} given
 * @returns {{ redisServer?: string, chromium: string }}
 */
export function findPrerequisites({ redisUrl, chromiumPath }) {
  if (chromiumPath && !existsSync(chromiumPath)) throw new Error(`CHROMIUM_PATH names ${chromiumPath}, which does not exist. Correct it or unset it.`);
  const redis = () => onPath('redis-server');
  const chromium = () => chromiumPath || onPath('chromium', 'chromium-browser', 'google-chrome');
  const missing = [];
  if (!redis() && !redisUrl) missing.push('redis-server');
  if (!chromium()) missing.push('chromium');
  // What the server records calls with; tests of recordings look into the files by it too.
  if (!onPath('ffmpeg')) missing.push('ffmpeg');
  // A TURN server as operators run one beside ours.
  if (!onPath('turnserver')) missing.push('coturn');
  // The scanner that files are shown to.
  if (!onPath('clamd')) missing.push('clamav-daemon');
  // What backups are made by, and a PostgreSQL that operators bring.
  if (!onPath('pg_dump') || !existsSync('/usr/lib/postgresql')) missing.push('postgresql');
  // Whose promtool tries the rules of alerts.
  if (!onPath('promtool')) missing.push('prometheus');
  // Hosts of their own are made by it.
  if (!onPath('ip')) missing.push('iproute2');
  if (missing.length > 0) install(missing);
  const found = { redisServer: redis(), chromium: chromium() };
  if ((!found.redisServer && !redisUrl) || !found.chromium) throw new Error(`${missing.join(' and ')} installed, but not on the PATH (${process.env.PATH}).`);
  return found;
}

/**
 * Installs the packages whose commands are missing, in the same way.
 * @param {string} who what needs them, for people: "The tests"
 * @param {Record<string, string>} packages by their commands
 */
export function bring(who, packages) {
  const missing = Object.entries(packages).filter(([command]) => !onPath(command)).map(([, name]) => name);
  if (missing.length > 0) install(missing, who);
}

function install(packages, who = 'The tests') {
  const line = `apt-get install -y ${packages.join(' ')}`;
  const need = `${who} need${who.endsWith('s') ? '' : 's'} ${packages.join(' and ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || !onPath('apt-get')) {
    throw new Error(`${need}. Run: sudo ${line}`);
  }
  console.log(`${need}: installing with apt-get`);
  // Debian starts a server once it is installed, unless this policy forbids it: the tests use a private one.
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // stdin of its own: a package that asks something must not wait for a keyboard.
    const options = { env, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 };
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
    // Under systemd a package also enables its server for the next boot.
    const services = packages.filter((name) => SERVICES.includes(name));
    if (services.length > 0 && existsSync('/run/systemd/system')) execFileSync('systemctl', ['disable', ...services], options);
  } catch (error) {
    throw new Error(`${need}, and installing failed:\n${error.stderr ?? error}\nRun: apt-get update && ${line}`, { cause: error });
  } finally {
    if (ownPolicy) rmSync(POLICY);
  }
}
