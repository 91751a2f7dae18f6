import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OmniTalk } from '../../sdk/index.js';
import type { Ground } from '../lib/ground.js';
import type { Row } from '../lib/report.js';
import type { ServerProcess } from '../lib/server-process.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';

const MiB = 1024 * 1024;
const BYTES = 2 * 1024 * MiB;
const LOOK_MS = 100;

export const FILES_NOTE =
  'One file of 2 GiB through the SDK: `upload()` (its own SHA-256, 256 parts, 3 at a time, then the server’s look at every byte), and its download; both checksums compared. Client, server, database and the ' +
  'folder that keeps the file share the machine. Resident memory is the server’s process, looked at every 100 ms: that is the figure. The machine did other work ' +
  'meanwhile, so the times are upper bounds and not to be compared.';

/** What the server holds while a file passes through it that is larger than its memory should ever be. */
export async function runFiles(ground: Ground): Promise<Record<string, Row>> {
  const folder = await mkdtemp(join(tmpdir(), 'omnitalk-bench-files-'));
  let target: OmniTalkTarget | null = null;
  try {
    const path = join(folder, 'large');
    const sha256 = await makeFile(path);
    target = await OmniTalkTarget.start(ground, { settings: { DATA_DIR: join(folder, 'data'), CALLS: 'false' } });
    const [person] = await target.people(1);
    const client = new OmniTalk({ url: `http://127.0.0.1:${target.port}/graphql`, accessToken: person!.token });
    await client.upload(new Blob([randomBytes(MiB)])); // what runs for the first time
    const before = target.server.resident();
    let url = '';
    const sent = await watched(target.server, async () => {
      const file = await client.upload(await openAsBlob(path));
      if (file.state !== 'READY') throw new Error(`The file is ${file.state}: ${file.failure}`);
      url = file.url!;
    });
    const fetched = await watched(target.server, async () => {
      const hash = createHash('sha256');
      for await (const chunk of (await fetch(url)).body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
      if (hash.digest('hex') !== sha256) throw new Error('Other bytes came back.');
    });
    await client.close();
    const row = ({ seconds, cpu, most }: Watched): Row => ({
      'MiB/s': BYTES / MiB / seconds,
      'server CPU s / GiB': cpu / (BYTES / MiB / 1024),
      'resident before, MiB': before / MiB,
      'most resident, MiB': most / MiB,
    });
    return { upload: row(sent), download: row(fetched) };
  } finally {
    await target?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Watched {
  seconds: number;
  cpu: number;
  most: number;
}

async function watched(server: ServerProcess, work: () => Promise<void>): Promise<Watched> {
  let most = server.resident();
  const looking = setInterval(() => (most = Math.max(most, server.resident())), LOOK_MS);
  const [began, cpu] = [performance.now(), server.cpu()];
  try {
    await work();
  } finally {
    clearInterval(looking);
  }
  return { seconds: (performance.now() - began) / 1000, cpu: server.cpu() - cpu, most };
}

/** Bytes that nothing can make smaller, and no two blocks alike. Answers their SHA-256. */
async function makeFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const block = randomBytes(16 * MiB);
  const blocks = function* () {
    for (let at = 0; at < BYTES; at += block.length) {
      block.writeUInt32BE(at / block.length);
      hash.update(block);
      yield Buffer.from(block);
    }
  };
  await pipeline(Readable.from(blocks()), createWriteStream(path));
  return hash.digest('hex');
}
