import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onPath } from '../lib/on-path.js';
import { SENDERS, srtpKey, type MakeRig, type Rig } from '../lib/rtp.js';
import { freePort, VAR } from '../lib/server-process.js';

const CONFIGURATION = fileURLToPath(new URL('../peers/janus/', import.meta.url));
const ROOM = 1;
/** What Janus 1.1.2 knows the first stream of a remote publisher by: it drops every other. */
const FIRST_STREAM_SSRC = 1_000;
const START_WITHIN_MS = 15_000;
const NOTE =
  'Janus: its VideoRoom, where senders are remote publishers (`add_remote_publisher`: plain RTP, as for the others) and receivers are `rtp_forward`s with SRTP; its CPU is that of the whole process. ' +
  'A forward is less than a consumer: no RTCP goes to or comes from receivers, so nothing is sent again, and no sender report is made. Janus doesn’t count what it forwards: loss is that seen by those who are read.';

/** Janus' VideoRoom, if it is installed, and what its figures are of. */
export function findJanus(): { rig: MakeRig; note: string } | null {
  const binary = onPath('janus');
  return binary ? { rig: videoRoom(binary), note: NOTE } : null;
}

const videoRoom = (binary: string): MakeRig => async (codec, receivers, sinks) => {
  const janus = await Janus.start(binary);
  try {
    const room = await janus.videoRoom();
    const name = codec.rtp.mimeType.split('/')[1]!.toLowerCase();
    await room({ request: 'create', room: ROOM, publishers: SENDERS, audiocodec: 'opus', videocodec: 'vp8' });
    const keys = Array.from({ length: receivers }, srtpKey);
    const ingest: Rig['ingest'] = [];
    for (let sender = 1; sender <= SENDERS; sender++) {
      const streams = [{ type: codec.kind, codec: name, mid: '0', mindex: 0 }];
      const { port } = await room({ request: 'add_remote_publisher', room: ROOM, id: sender, iface: '127.0.0.1', streams });
      ingest.push({ port: port as number, ssrc: FIRST_STREAM_SSRC });
      // It is answered before it is in the room.
      while (!((await room({ request: 'listparticipants', room: ROOM }))['participants'] as { id: number }[]).some(({ id }) => id === sender)) await pause();
      for (const [receiver, key] of keys.entries()) {
        const to = [{ mid: '0', port: sinks.portOf(receiver), ssrc: FIRST_STREAM_SSRC + sender }];
        const { forwarders } = await room({ request: 'rtp_forward', room: ROOM, publisher_id: sender, host: '127.0.0.1', host_family: 'ipv4', streams: to, srtp_suite: 80, srtp_crypto: key });
        if ((forwarders as { srtp: boolean }[])[0]?.srtp !== true) throw new Error('Janus forwards without SRTP: there is nothing to compare');
      }
    }
    return { pid: janus.pid, ingest, consumers: SENDERS * receivers, close: () => janus.stop() };
  } catch (error) {
    await janus.stop();
    throw error;
  }
};

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

type Asked = { request: string } & Record<string, unknown>;
interface Answer {
  janus: string;
  data?: { id: number };
  error?: { reason: string };
  plugindata?: { data: Record<string, unknown> };
}

/** A Janus of our own, on the loopback, asked over HTTP. */
class Janus {
  private constructor(
    readonly pid: number,
    private readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(binary: string): Promise<Janus> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'omnitalk-janus-'));
    for (const file of readdirSync(CONFIGURATION)) writeFileSync(join(folder, file), readFileSync(join(CONFIGURATION, file), 'utf8').replace('= PORT', `= ${port}`));
    mkdirSync(VAR, { recursive: true });
    const child = spawn(binary, ['-F', folder, '-C', join(folder, 'janus.jcfg')], { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(`${VAR}janus.log`);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const ended = once(child, 'exit');
    const janus = new Janus(child.pid!, `http://127.0.0.1:${port}/janus`, async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    });
    for (const deadline = performance.now() + START_WITHIN_MS; !(await janus.#answers()); ) {
      if (child.exitCode !== null || performance.now() > deadline) {
        await janus.stop();
        throw new Error(`Janus did not start; see ${VAR}janus.log`);
      }
      await pause();
    }
    return janus;
  }

  /** What asks the VideoRoom something and has its answer. */
  async videoRoom(): Promise<(asked: Asked) => Promise<Record<string, unknown>>> {
    const session = await this.#post('', { janus: 'create' });
    const handle = await this.#post(`/${session.data!.id}`, { janus: 'attach', plugin: 'janus.plugin.videoroom' });
    return async (body) => {
      const { plugindata } = await this.#post(`/${session.data!.id}/${handle.data!.id}`, { janus: 'message', body });
      const answer = plugindata?.data ?? { error: 'no answer' };
      if (answer['error']) throw new Error(`Janus, ${body.request}: ${String(answer['error'])}`);
      return answer;
    };
  }

  #answers(): Promise<boolean> {
    return fetch(`${this.url}/info`).then(({ ok }) => ok, () => false);
  }

  async #post(path: string, body: object): Promise<Answer> {
    const response = await fetch(this.url + path, { method: 'POST', body: JSON.stringify({ transaction: 'bench', ...body }) });
    const answer = (await response.json()) as Answer;
    if (answer.janus === 'error') throw new Error(`Janus: ${answer.error?.reason}`);
    return answer;
  }
}
