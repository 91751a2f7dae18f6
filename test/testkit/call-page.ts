import type { Page } from 'playwright-core';
import type { CallEvent } from '../../sdk/index.js';
import type { Browsers } from './browser.js';
import { eventually, type Person, type World } from './world.js';

/** What runs in the page: the SDK as a partner's page uses it, and what a test wants to know of it. */
export const CALL_PAGE = `
import { Device } from 'mediasoup-client';
import { OmniTalk } from './sdk/index.js';
import { joinCall } from './sdk/calls.js';

const g = globalThis;
g.heard = [];
g.states = [];
g.events = [];
g.videos = {};
g.tracks = {};
g.messages = [];
g.connections = [];
g.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given);
    g.connections.push(this);
  }
};
g.open = (url, accessToken) => { g.client = new OmniTalk({ url, accessToken }); };
g.join = async (callId, more = {}) => {
  g.call = await joinCall(g.client, {
    callId, Device, ...more,
    onTrack: ({ track, source, participantId }) => {
      const element = document.createElement(track.kind === 'audio' ? 'audio' : 'video');
      Object.assign(element, { autoplay: true, muted: track.kind === 'video', srcObject: new MediaStream([track]) });
      document.body.append(element);
      g.videos[source] = element;
      g.tracks[participantId + ' ' + source] = track.id;
      g.heard.push('+' + source);
    },
    onTrackEnded: ({ source }) => void g.heard.push('-' + source),
    onTrackPaused: ({ source, paused }) => void g.heard.push((paused ? '|' : '>') + source),
    onState: (state) => void g.states.push(state),
    onMessage: ({ label, data }) => void g.messages.push(label + ': ' + data),
    onEvent: (event) => void g.events.push(event),
    onProblem: (problem) => void g.heard.push('!' + problem.message),
  });
  g.call.ended.then((reason) => (g.reason = reason.code ?? reason));
  return g.call.participant.id;
};
g.send = async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240, frameRate: 15 } });
  for (const track of stream.getTracks()) await g.call.send(track);
};
g.sendLarge = async (options) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, frameRate: 15 } });
  await g.call.send(stream.getTracks()[0], options);
};
g.prefer = async (layer) => {
  await g.call.setPreferredLayers([...g.call.remote.values()].find(({ source }) => source === 'CAMERA'), layer);
};
g.share = async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 });
  const context = canvas.getContext('2d');
  setInterval(() => { context.fillStyle = 'rgb(' + (Date.now() % 255) + ',0,0)'; context.fillRect(0, 0, 320, 200); }, 60);
  await g.call.send(canvas.captureStream(15).getVideoTracks()[0], { source: 'SCREEN' });
};
g.frames = (source) => g.videos[source]?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
g.level = async () => {
  const audio = g.videos.MICROPHONE;
  if (!audio) return 0;
  g.context ??= new AudioContext();
  const analyser = g.context.createAnalyser();
  g.context.createMediaStreamSource(audio.srcObject).connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
};
const statsOf = async () => Promise.all(g.connections.filter(({ connectionState }) => connectionState === 'connected').map((connection) => connection.getStats()));
g.received = async (participantId, source) => {
  const track = g.tracks[participantId + ' ' + source];
  for (const stats of await statsOf()) {
    const stream = [...stats.values()].find(({ type, trackIdentifier }) => type === 'inbound-rtp' && trackIdentifier === track);
    if (stream) return { packets: stream.packetsReceived, frames: stream.framesDecoded ?? 0, energy: stream.totalAudioEnergy ?? 0 };
  }
  return { packets: 0, frames: 0, energy: 0 };
};
g.codecs = async () => (await statsOf()).flatMap((stats) => [...stats.values()].filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video').map(({ codecId }) => stats.get(codecId)?.mimeType));
g.paths = async () => (await statsOf()).map((stats) => {
  const transport = [...stats.values()].find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId);
  return stats.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType ?? 'none';
});
`;

/** On a busy machine a browser may need long for a first picture. */
export const PATIENCE_MS = 45_000;

/** What a page has received of somebody, as WebRTC itself counts it. */
export interface Received {
  packets: number;
  /** Decoded. */
  frames: number;
  /** Of sound, as in totalAudioEnergy: it stands still in silence. */
  energy: number;
}

/** A page in a browser of the person's own, signed in. */
export async function openPage(browsers: Browsers, world: World, { accessToken }: Pick<Person, 'accessToken'>, node = 0): Promise<Page> {
  const page = await browsers.page();
  await page.evaluate(`open(${JSON.stringify(`${world.apps[node]!.url}/graphql`)}, ${JSON.stringify(accessToken)})`);
  return page;
}

/** Answers the participant's id. */
export const joinIn = (page: Page, callId: string, more: object = {}): Promise<string> => page.evaluate(`join(${JSON.stringify(callId)}, ${JSON.stringify(more)})`);

export const framesOf = (page: Page, source: string): Promise<number> => page.evaluate(`frames(${JSON.stringify(source)})`);

export async function seesMore(page: Page, source: string, what: string): Promise<void> {
  const before = await framesOf(page, source);
  await eventually(async () => (await framesOf(page, source)) > before + 5, what, PATIENCE_MS);
}

export const hears = (page: Page, what: string): Promise<void> => eventually(async () => ((await page.evaluate('level()')) as number) > 0.01, what, PATIENCE_MS);

export const received = (page: Page, participantId: string, source: string): Promise<Received> => page.evaluate(`received(${JSON.stringify(participantId)}, ${JSON.stringify(source)})`);

/** Waits until more has come of somebody: packets, and what they hold. */
export async function receives(page: Page, participantId: string, source: string, what: string): Promise<void> {
  const before = await received(page, participantId, source);
  await eventually(async () => {
    const now = await received(page, participantId, source);
    return now.packets > before.packets + 10 && (source === 'MICROPHONE' ? now.energy > before.energy : now.frames > before.frames + 5);
  }, what, PATIENCE_MS);
}

/** The events of the call that the page's SDK has passed on, of one kind. */
export const eventsOf = async <Name extends CallEvent['__typename']>(page: Page, name: Name): Promise<Extract<CallEvent, { __typename: Name }>[]> =>
  page.evaluate(`events.filter(({ __typename }) => __typename === ${JSON.stringify(name)})`);

/** The ways that a page's transports go: host, srflx, prflx or relay. */
export const pathsOf = (page: Page): Promise<string[]> => page.evaluate('paths()');
