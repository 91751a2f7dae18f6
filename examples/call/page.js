/* global crypto, document, location, MediaStream, navigator, URLSearchParams, window */
import { Device } from 'mediasoup-client';
import { OmniTalk } from '../../sdk/index.ts';
import { joinCall } from '../../sdk/calls.ts';
import { openWhiteboard } from '../../sdk/documents.ts';

const $ = (id) => document.getElementById(id);
const api = new URLSearchParams(location.search).get('api') ?? 'http://127.0.0.1:4000/graphql';
const say = (text) => ($('status').textContent = text);

$('door').addEventListener('submit', (event) => {
  event.preventDefault();
  enter($('name').value).catch((error) => say(error.message));
});

/** A guest account, the chat of the link (or a new one), the call of that chat (or a new one), and its whiteboard. */
async function enter(name) {
  say('Connecting …');
  const handle = `guest_${crypto.randomUUID().slice(0, 8)}`;
  const { signUp } = await new OmniTalk({ url: api }).api.signUp({ input: { email: `${handle}@example.com`, password: crypto.randomUUID(), handle, displayName: name } });
  const client = new OmniTalk({ url: api, accessToken: signUp.accessToken, refreshToken: signUp.refreshToken });
  const chatId = await chatOf(client);
  const { chat } = await client.api.activeCall({ chatId });
  const callId = chat.activeCall?.id ?? (await client.api.startCall({ input: { chatId, kind: 'VIDEO', idempotencyKey: crypto.randomUUID() } })).startCall.call.id;
  await takePart(client, callId);
  await draw(client, chatId);
  $('door').classList.add('off');
  $('inside').classList.remove('off');
}

async function chatOf(client) {
  let token = location.hash.slice(1);
  let chatId;
  if (token) chatId = (await client.api.joinChat({ input: { token } })).joinChat.chat.id;
  else {
    chatId = (await client.api.createChat({ input: { kind: 'GROUP', memberIds: [], title: 'A call', idempotencyKey: crypto.randomUUID() } })).createChat.chat.id;
    token = (await client.api.createInviteLink({ input: { chatId, idempotencyKey: crypto.randomUUID() } })).createInviteLink.token;
  }
  $('link').href = `${location.pathname}${location.search}#${token}`;
  return chatId;
}

/** The call itself: everything that is sent is a track, and everything that comes is one. */
async function takePart(client, callId) {
  const elements = new Map();
  const call = await joinCall(client, {
    callId, Device,
    onTrack: ({ producerId, participantId, track, source }) => elements.set(producerId, show(track, source, participantId)),
    onTrackEnded: ({ producerId }) => elements.get(producerId)?.remove(),
    onEvent: (event) => {
      if (event.participant) called(event.participant);
      if (event.__typename === 'DominantSpeakerChanged') for (const element of $('people').children) element.classList.toggle('speaks', element.dataset.participant === event.participantId);
    },
    onState: (state) => say({ WAITING: 'Waiting to be let in …', CONNECTED: '', RECONNECTING: 'The network is away …', ENDED: 'The call is over.' }[state]),
  });
  for (const { node } of (await client.api.callParticipants({ id: callId })).call.participants.edges) called(node);
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  for (const track of stream.getTracks()) await call.send(track);
  const own = show(stream.getVideoTracks()[0], 'OWN', call.participant.id);
  call.ended.then(() => own.remove());

  const toggle = (button, source, name) =>
    button.addEventListener('click', async () => {
      await call.setPaused(source, call.isSending(source));
      button.textContent = `${name} ${call.isSending(source) ? 'off' : 'on'}`;
    });
  toggle($('microphone'), 'MICROPHONE', 'Microphone');
  toggle($('camera'), 'CAMERA', 'Camera');
  $('screen').addEventListener('click', async () => {
    if (call.isSending('SCREEN')) return call.stop('SCREEN');
    const shared = await navigator.mediaDevices.getDisplayMedia({ video: true });
    await call.send(shared.getVideoTracks()[0], { source: 'SCREEN' });
  });
  $('leave').addEventListener('click', () => call.leave());
  window.addEventListener('pagehide', () => void call.leave().catch(() => undefined));
}

/** Names of those in the call, by the participant's id. */
const names = new Map();

function called({ id, name }) {
  names.set(id, name);
  for (const element of $('people').children) if (element.dataset.participant === id) element.querySelector('figcaption').textContent = name;
}

function show(track, source, participantId) {
  const element = document.createElement('figure');
  const player = document.createElement(track.kind);
  Object.assign(player, { autoplay: true, playsInline: true, muted: track.kind === 'video', srcObject: new MediaStream([track]) });
  player.dataset.source = source;
  element.dataset.participant = participantId;
  element.className = track.kind;
  element.append(player, Object.assign(document.createElement('figcaption'), { textContent: names.get(participantId) ?? '' }));
  $('people').append(element);
  return element;
}

/** A whiteboard under the call: an array of lines, each an array of points. */
async function draw(client, chatId) {
  const known = (await client.api.chatDocuments({ chatId, kind: 'WHITEBOARD', first: 1 })).chat.documents.edges[0]?.node.id;
  const documentId = known ?? (await client.api.createWhiteboard({ input: { chatId, title: 'The call’s', idempotencyKey: crypto.randomUUID() } })).createWhiteboard.document.id;
  const lines = openWhiteboard(client, documentId).doc.getArray('lines');
  const canvas = $('board');
  const pen = canvas.getContext('2d');
  const paint = () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineWidth = 3;
    for (const line of lines) {
      pen.beginPath();
      for (const [x, y] of line) pen.lineTo(x, y);
      pen.stroke();
    }
    canvas.dataset.lines = lines.length;
  };
  lines.observe(paint);
  let line = null;
  const point = ({ offsetX, offsetY }) => [Math.round((offsetX * canvas.width) / canvas.clientWidth), Math.round((offsetY * canvas.height) / canvas.clientHeight)];
  canvas.addEventListener('pointerdown', (event) => (line = [point(event)]));
  canvas.addEventListener('pointermove', (event) => line?.push(point(event)));
  window.addEventListener('pointerup', () => {
    if (line?.length > 1) lines.push([line]);
    line = null;
  });
  paint();
}
