import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { loadConfig } from '../../src/config.js';
import { cacheFolder, obtainWorker } from '../../src/media/worker-binary.js';
import { Browsers, bundle } from '../../test/testkit/browser.js';
import type { Ground } from '../lib/ground.js';
import { onPath } from '../lib/on-path.js';
import type { BenchPerson } from '../lib/people.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';

const JOINS = 40;
/** Not counted: the first time, browser and server compile what they run. */
const WARM_UP = 3;
const CAMERA = { width: 640, height: 360, frameRate: 30 };
/** A key frame costs its sender time, and a browser makes none twice within 300 ms: joins must not share one, nor wait for the last one's. */
const BETWEEN_MS = 1_000;
const WITHIN_MS = 20_000;
const START_CALL = 'mutation ($input: StartCallInput!) { startCall(input: $input) { call { id } } }';

export const JOIN_NOTE =
  `${JOINS} joins of one person, each on a page loaded anew, to a call in which another sends a camera (${CAMERA.width} × ${CAMERA.height}, ${CAMERA.frameRate} frames a second, VP8 in three sizes) ` +
  `and a microphone; ${WARM_UP} joins before them are not counted. Counted from the call of \`joinCall\`; p99 of ${JOINS} is the slowest. Both headless Chromiums, the server and its database share the machine, ` +
  'and the network between them is the loopback: to a real one come its round trips.';

/** What runs in both pages. A frame that was decoded is seen on its track before it is seen on the screen. */
const SCRIPT = `
import { Device } from 'mediasoup-client';
import { OmniTalk } from './sdk/index.js';
import { joinCall } from './sdk/calls.js';

const g = globalThis;
g.send = async (url, accessToken, callId, video) => {
  g.call = await joinCall(new OmniTalk({ url, accessToken }), { callId, Device });
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  for (const track of stream.getTracks()) await g.call.send(track);
};
g.join = async (url, accessToken, callId, withinMs) => {
  const client = new OmniTalk({ url, accessToken });
  const times = {};
  const began = performance.now();
  const reached = (what) => void (times[what] ??= performance.now() - began);
  const seen = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no frame; so far: ' + JSON.stringify(times))), withinMs);
    const onTrack = ({ track }) => {
      const element = document.createElement(track.kind);
      Object.assign(element, { autoplay: true, muted: track.kind === 'video', srcObject: new MediaStream([track]) });
      document.body.append(element);
      if (track.kind === 'audio') return;
      reached('track');
      const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
      const decoded = reader.read().then(({ value }) => {
        reached('decoded');
        value.close();
        return reader.cancel();
      });
      const shown = new Promise((done) => element.requestVideoFrameCallback(done)).then(() => reached('shown'));
      Promise.all([decoded, shown]).then(resolve, reject);
    };
    joinCall(client, { callId, Device, onTrack, onProblem: reject }).then((call) => {
      reached('joined');
      g.call = call;
    }, reject);
  });
  await seen;
  await g.call.leave();
  return times;
};
`;

/** Milliseconds since `joinCall` was called. */
interface Times {
  /** The promise of `joinCall` has resolved: the seat is taken. */
  joined: number;
  /** The camera's track is there, and nothing on it yet. */
  track: number;
  decoded: number;
  shown: number;
}

/** How long it takes to see somebody, from the SDK's `joinCall` on. */
export async function runJoin(ground: Ground): Promise<Record<string, Row>> {
  const config = loadConfig();
  const worker = await obtainWorker({ given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME), report: (line) => console.error(line) });
  const chromium = onPath('chromium', 'chromium-browser', 'google-chrome');
  if (!chromium) throw new Error('There is no Chromium on the PATH. On Debian: apt-get install chromium');
  const browsers = await Browsers.start(await bundle(SCRIPT), chromium);
  let target: OmniTalkTarget | null = null;
  try {
    target = await OmniTalkTarget.start(ground, { settings: { MEDIASOUP_WORKER_BIN: worker, MEDIA_WORKERS: '1', MEDIA_PORT: '0', CORS_ORIGINS: browsers.origin } });
    await callsReady(target);
    return rowsOf(await joins(target, browsers));
  } finally {
    await browsers.stop();
    await target?.stop();
  }
}

export async function callsReady(target: OmniTalkTarget): Promise<void> {
  for (const deadline = performance.now() + WITHIN_MS; ; await pause(50)) {
    const health = (await (await fetch(`http://127.0.0.1:${target.port}/health`)).json()) as { calls: string };
    if (health.calls === 'ready') return;
    if (performance.now() > deadline) throw new Error(`Calls did not get ready: ${health.calls}`);
  }
}

async function joins(target: OmniTalkTarget, browsers: Browsers): Promise<Times[]> {
  const [sender, joiner] = (await target.people(2)) as [BenchPerson, BenchPerson];
  const [chat] = await target.chats([[sender, joiner]]);
  const input = { chatId: chat!.id, kind: 'VIDEO', ring: false, idempotencyKey: randomUUID() };
  const { startCall } = (await target.ask(sender, START_CALL, { input })) as unknown as { startCall: { call: { id: string } } };
  const run = <Result>(page: Page, name: string, person: BenchPerson, last: unknown): Promise<Result> =>
    page.evaluate(`${name}(${[`http://127.0.0.1:${target.port}/graphql`, person.token, startCall.call.id, last].map((value) => JSON.stringify(value)).join(', ')})`);
  const [sending, joining] = [await browsers.page(), await browsers.page()];
  await run(sending, 'send', sender, CAMERA);
  const all: Times[] = [];
  for (let join = 0; join < WARM_UP + JOINS; join++) {
    await pause(BETWEEN_MS);
    all.push(await run<Times>(joining, 'join', joiner, WITHIN_MS));
    await joining.reload();
  }
  return all.slice(WARM_UP);
}

function rowsOf(all: Times[]): Record<string, Row> {
  const at = (share: number, what: keyof Times): number => {
    const sorted = all.map((times) => times[what]).toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  };
  const row = (share: number): Row => ({
    'joinCall has resolved, ms': at(share, 'joined'),
    'the camera’s track is there, ms': at(share, 'track'),
    'first frame decoded, ms': at(share, 'decoded'),
    'first frame on the screen, ms': at(share, 'shown'),
  });
  return { p50: row(0.5), p99: row(0.99) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
