import { createSocket } from 'node:dgram';
import { loadConfig } from '../../src/config.js';
import { writeRtp } from '../../src/media/rtp.js';
import { cacheFolder, obtainWorker } from '../../src/media/worker-binary.js';
import type { Row } from '../lib/report.js';
import { CODECS, SAMPLED, SENDERS, Sinks, type Codec, type MakeRig } from '../lib/rtp.js';
import { cpuOfTree } from '../lib/system.js';
import { findJanus } from '../targets/janus.js';
import { bare, ours } from '../targets/mediasoup.js';

const SETTLE_MS = 1_500;
const DRAIN_MS = 500;
const WHAT_IS_FED =
  `${SENDERS} senders of plain RTP, each to every receiver; receivers are plain UDP sockets, reached by SRTP (AES_CM_128_HMAC_SHA1_80) with a key each. ` +
  'A consumer is one sender’s packets to one receiver. CPU is that of the process that carries the packets.';

interface Measured {
  cpuPer1000: number;
  /** Not a number where nobody counts. */
  lossPercent: number;
  sampledLossPercent: number;
}

async function measure(make: MakeRig, codec: Codec, receivers: number, seconds: number): Promise<Measured> {
  const sinks = await Sinks.start();
  const rig = await make(codec, receivers, sinks).catch((error: unknown) => {
    sinks.stop();
    throw error;
  });
  const socket = createSocket('udp4');
  const sequences = rig.ingest.map(() => 1);
  let tick = 0;
  let sent = 0;
  const began = performance.now();
  const feed = setInterval(() => {
    // By the clock, and not by the number of turns: a turn that comes late must not lower the rate.
    for (const due = Math.floor((performance.now() - began) / codec.everyMs); tick <= due; tick++) {
      const payloads = codec.packets(tick);
      rig.ingest.forEach(({ port, ssrc }, index) => {
        payloads.forEach((payload, part) => {
          const marker = part === payloads.length - 1;
          const packet = writeRtp({ payloadType: codec.rtp.payloadType, marker, sequence: sequences[index]!++, timestamp: tick * codec.timestampStep, ssrc, extensions: new Map(), payload });
          socket.send(packet, port, '127.0.0.1');
        });
      });
      sent += payloads.length;
    }
  }, 10);
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    await wait(SETTLE_MS);
    const before = { cpu: cpuOfTree(rig.pid), at: performance.now() };
    await wait(seconds * 1_000);
    const after = { cpu: cpuOfTree(rig.pid), at: performance.now() };
    const consumerSeconds = (rig.consumers * (after.at - before.at)) / 1_000;
    // Loss is that of the whole run, counted when nothing is on its way any more.
    clearInterval(feed);
    await wait(DRAIN_MS);
    const sampled = sent * SENDERS * Math.ceil(receivers / SAMPLED);
    return {
      cpuPer1000: ((after.cpu - before.cpu) / consumerSeconds) * 1_000,
      lossPercent: rig.carried ? lossOf(await rig.carried(), sent * rig.consumers) : Number.NaN,
      sampledLossPercent: lossOf(await sinks.received(), sampled),
    };
  } finally {
    clearInterval(feed);
    socket.close();
    await rig.close();
    sinks.stop();
  }
}

const lossOf = (arrived: number, sent: number): number => Math.max(0, 1 - arrived / sent) * 100;
const median = (values: number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
const CAPACITY = 'capacity';
const COST = 'CPU s per 1,000 consumer-seconds';

export interface CallsOptions {
  rounds: number;
  /** One codec alone, by the first word of its name, or `capacity`; undefined: all of it. */
  only: string | undefined;
}

/** Whether a part is asked for. */
const wants = (only: string | undefined, part: string): boolean => only === undefined || part.toLowerCase().startsWith(only.toLowerCase());
export const isPartOfCalls = (name: string): boolean => [...Object.keys(CODECS), CAPACITY].some((part) => wants(name, part));

/** Our rooms, mediasoup by itself and Janus in turn, every second round in the reverse order; then how many consumers one worker carries. */
export async function runCalls({ rounds, only }: CallsOptions): Promise<{ rows: Record<string, Row>; notes: string }> {
  const config = loadConfig();
  const binary = await obtainWorker({ given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME), report: (line) => console.error(line) });
  const janus = findJanus();
  if (!janus) console.log('Janus is left out: not installed. On Debian: apt-get install janus');
  const systems: Record<string, MakeRig> = { OmniTalk: ours(binary), mediasoup: bare(binary), ...(janus ? { 'Janus VideoRoom': janus.rig } : {}) };
  const rows: Record<string, Row> = Object.fromEntries(Object.keys(systems).map((system) => [system, {}]));
  for (const [name, codec] of Object.entries(CODECS)) {
    if (wants(only, CAPACITY)) rows['OmniTalk']![`${name}: consumers a core at under 1 % loss`] = await capacity(systems['OmniTalk']!, codec);
    if (!wants(only, name)) continue;
    const receivers = codec.kind === 'audio' ? 100 : 50;
    const measured: Record<string, Measured[]> = Object.fromEntries(Object.keys(systems).map((system) => [system, []]));
    for (let round = 0; round < rounds; round++) {
      const inTurn = Object.entries(systems);
      for (const [system, make] of round % 2 ? inTurn.reverse() : inTurn) measured[system]!.push(await measure(make, codec, receivers, 6));
    }
    for (const system of Object.keys(systems)) {
      rows[system]![`${name}: ${COST}`] = median(measured[system]!.map(({ cpuPer1000 }) => cpuPer1000));
      rows[system]![`${name}: loss at ${receivers * SENDERS} consumers, %`] = median(measured[system]!.map(({ lossPercent }) => lossPercent));
      rows[system]![`${name}: loss seen by those who are read, %`] = median(measured[system]!.map(({ sampledLossPercent }) => sampledLossPercent));
      if (system === 'OmniTalk') continue;
      const ratios = measured['OmniTalk']!.map(({ cpuPer1000 }, round) => cpuPer1000 / measured[system]![round]!.cpuPer1000);
      const column = (rows[`OmniTalk / ${system}`] ??= {});
      column[`${name}: ${COST}`] = median(ratios);
      column[`${name}: lowest of the rounds`] = Math.min(...ratios);
      column[`${name}: highest of the rounds`] = Math.max(...ratios);
    }
  }
  const compared = only && wants(only, CAPACITY) ? '' : ` Medians of ${rounds} rounds; a ratio is the median of the rounds' ratios.${janus ? ` ${janus.note}` : ''}`;
  const filled = Object.fromEntries(Object.entries(rows).filter(([, row]) => Object.keys(row).length > 0));
  return { rows: filled, notes: WHAT_IS_FED + compared };
}

const STEPS = [400, 600, 800, 1_000, 1_300, 1_600, 2_000, 2_600];

/** The most of these steps that one worker carries with under 1 % of packets lost. */
async function capacity(make: MakeRig, codec: Codec): Promise<number> {
  let carriedWell = 0;
  for (const consumers of STEPS) {
    const { lossPercent } = await measure(make, codec, consumers / SENDERS, 4);
    if (lossPercent >= 1) break;
    carriedWell = consumers;
  }
  return carriedWell;
}

