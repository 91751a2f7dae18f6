import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ownerOf } from './data-lock.js';

/**
 * How to connect to the embedded PostgreSQL that another process of this machine runs on a data folder, as the owner of the database;
 * null when none runs there. The port stands in postmaster.pid, line 4 (PostgreSQL's `pidfile.h`), the password beside the data.
 */
export async function runningEmbeddedUrl(folder: string): Promise<string | null> {
  const dataDir = await realpath(folder).catch(() => null);
  if (dataDir === null || !(await ownerOf(dataDir))) return null;
  const [pidFile, passwords] = await Promise.all([
    readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'),
    readFile(join(dataDir, 'postgres.passwords'), 'utf8'),
  ]);
  const port = Number(pidFile.split('\n')[3]);
  const { app } = JSON.parse(passwords) as { app: string };
  return `postgres://omnitalk:${app}@127.0.0.1:${port}/omnitalk`;
}
