import { randomUUID } from 'node:crypto';
import { OmniTalk } from '../../sdk/index.js';
import { loadConfig } from '../../src/config.js';
import { cacheFolder, obtainWorker } from '../../src/media/worker-binary.js';
import { apiMedia } from '../../test/testkit/api-media.js';
import { Seat } from '../../test/testkit/calls.js';
import { mediaWorkersOf } from '../../test/testkit/media-processes.js';
import { ClientWorker, type Receiving } from '../../test/testkit/rtc.js';
import type { Ground } from '../lib/ground.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';
import { callsReady } from './join.js';

const SEATS = 12;
const KILLS = 10;
const WITHIN_MS = 20_000;
/** A worker that died just now is not replaced at once when the next one dies too. */
const BETWEEN_MS = 1_500;

export const REJOIN_NOTE =
  `${KILLS} times: a call of ${SEATS}, half of them on each of two workers, in which everybody sends a voice to everybody; the worker that has run longest is killed (SIGKILL): after the kill before, everybody came together on it. Counted from the kill: all ${SEATS} have been told; ` +
  `the first voice is heard again; each of the ${SEATS * (SEATS - 1)} voices is. Everybody rejoins as the SDK does it, by the API: seat, transports, DTLS, a producer, and a consumer of each other voice. The ${SEATS} clients ` +
  '(real ICE, DTLS and SRTP, without browsers), the server and its database share the machine. p99 of so few is the slowest.';

interface Times {
  told: number;
  first: number;
  all: number;
}

interface Taken {
  seat: Seat;
  heard: Receiving[];
  hush: () => void;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How long a call is silent after one of its workers has died. */
export async function runRejoin(ground: Ground): Promise<Record<string, Row>> {
  const config = loadConfig();
  const binary = await obtainWorker({ given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME), report: (line) => console.error(line) });
  const settings = { MEDIASOUP_WORKER_BIN: binary, MEDIA_WORKERS: '2', MEDIA_PORT: '0', MEDIA_PEERS_PER_ROUTER: String(SEATS / 2) };
  const target = await OmniTalkTarget.start(ground, { settings });
  const clients: OmniTalk[] = [];
  let devices = await ClientWorker.start(binary);
  try {
    await callsReady(target);
    const people = await target.people(SEATS);
    const [chat] = await target.chats([people]);
    for (const { token } of people) clients.push(new OmniTalk({ url: `http://127.0.0.1:${target.port}/graphql`, accessToken: token }));
    const { startCall } = await clients[0]!.api.startCall({ input: { chatId: chat!.id, kind: 'VOICE', ring: false, idempotencyKey: randomUUID() } });
    const all: Times[] = [];
    let taken = await meet(devices, clients, startCall.call.id);
    await heard(taken);
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(BETWEEN_MS);
      const workers = mediaWorkersOf(target.server.pid);
      const killed = performance.now();
      // The one with the lowest number is the one that was left after the last kill: a new one may carry nothing yet.
      process.kill(Math.min(...workers), 'SIGKILL');
      await Promise.all(taken.map(({ seat }) => seat.until('CallMediaReset')));
      const told = performance.now() - killed;
      const before = devices;
      devices = await ClientWorker.start(binary);
      for (const { seat } of taken) seat.events.close();
      let first: number | undefined;
      taken = await meet(devices, clients, startCall.call.id, () => (first ??= performance.now()));
      const last = await heard(taken);
      all.push({ told, first: first! - killed, all: last - killed });
      await before.stop();
    }
    return rowsOf(all);
  } finally {
    await devices.stop();
    await Promise.all(clients.map((client) => client.close()));
    await target.stop();
  }
}

/** Everybody takes their seat, sends a voice, and receives every other one. */
async function meet(devices: ClientWorker, clients: OmniTalk[], callId: string, onVoice: () => void = () => undefined): Promise<Taken[]> {
  const seated = await Promise.all(clients.map(async (client) => {
    const seat = await Seat.take({ client, api: client.api }, callId);
    const device = await devices.join(apiMedia(seat), callId, { peerId: seat.participantId });
    return { seat, device, voice: await device.send('opus') };
  }));
  return Promise.all(seated.map(async ({ seat, device, voice }) => {
    const stop = voice.stream();
    const receiving = seated.filter((one) => one.seat !== seat).map(async (other) => {
      const one = await device.receive(other.voice.id);
      one.consumer.once('rtp', onVoice);
      return one;
    });
    return { seat, heard: await Promise.all(receiving), hush: stop };
  }));
}

/** Waits until every voice is heard; answers when that was so. */
async function heard(taken: Taken[]): Promise<number> {
  const voices = taken.flatMap((one) => one.heard);
  for (const deadline = performance.now() + WITHIN_MS; ; await pause(5)) {
    const count = voices.filter(({ packets }) => packets > 0).length;
    if (count === voices.length) break;
    if (performance.now() > deadline) throw new Error(`${count} of ${voices.length} voices are heard`);
  }
  for (const { hush } of taken) hush();
  return performance.now();
}

function rowsOf(all: Times[]): Record<string, Row> {
  const at = (share: number, what: keyof Times): number => all.map((times) => times[what]).toSorted((one, other) => one - other)[Math.min(all.length - 1, Math.floor(all.length * share))]!;
  const row = (share: number): Row => ({ 'all are told, ms': at(share, 'told'), 'the first voice is heard, ms': at(share, 'first'), 'every voice is heard, ms': at(share, 'all') });
  return { p50: row(0.5), p99: row(0.99) };
}
