import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { EventStream, InboxEvent } from '../../sdk/index.js';
import { Seat, startCall } from '../testkit/calls.js';
import { anotherDevice } from '../testkit/mls-device.js';
import { PIXEL } from '../testkit/pictures.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { fails, take, within, World, type Person } from '../testkit/world.js';

const LINK_S = 60;

/** The next event of a kind, whatever else comes before it. */
async function until<Name extends InboxEvent['__typename']>(inbox: EventStream<InboxEvent>, name: Name): Promise<Extract<InboxEvent, { __typename: Name }>> {
  for (;;) {
    const { value, done } = await within(inbox.next(), name);
    if (done) assert.fail(`no ${name}`);
    if (value.__typename === name) return value as Extract<InboxEvent, { __typename: Name }>;
  }
}

/** The code with which somebody’s following of a call ends. */
const end = (seat: Seat) => within(seat.events.next().then(() => null, (error: { code?: string }) => error.code), 'the end');

describe('many devices of one person', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let phone: Person;
  let tablet: Person;
  let chatId: string;
  const open: EventStream<InboxEvent>[] = [];
  before(async () => {
    // Whoever is out at once was told of, and not found by comparing with the database.
    world = await World.start({ nodes: 2, settings: { FILE_URL_TTL: String(LINK_S), RECONCILE: '60' } });
  });
  after(() => world.stop());
  beforeEach(async () => {
    const n = world.key().replace('-', '');
    [ann, bob] = await world.people(`Ann${n}`, `Bob${n}`);
    phone = ann;
    tablet = await anotherDevice(world, ann, 'tablet');
    chatId = await world.directChat(ann, bob);
  });
  afterEach(() => open.splice(0).forEach((stream) => stream.close()));

  /** On one of the processes, from where its cursors stand. */
  function inboxOf(device: Person, node = 0, after: string[] = []): EventStream<InboxEvent> {
    const stream = world.client(device.accessToken, node).inboxEvents(after);
    open.push(stream);
    return stream;
  }
  async function listening(device: Person, node = 0): Promise<EventStream<InboxEvent>> {
    const stream = inboxOf(device, node);
    await until(stream, 'InboxCheckpoint');
    return stream;
  }
  const cursorsOf = async (device: Person) => {
    const { viewer } = await device.api.viewer();
    const { chats } = (await device.api.viewerChats({ first: 100 })).viewer!;
    return [viewer!.eventCursor, ...chats.edges.map(({ node }) => node.eventCursor)];
  };
  const texts = (events: InboxEvent[]) => events.map((event) => (event.__typename === 'MessageSent' ? event.message!.text : event.__typename));

  it('each has a session and a cursor of its own: who was away reads what it missed, and moves nobody else’s', async () => {
    assert.notEqual(phone.sessionId, tablet.sessionId);
    const here = await listening(phone, 0);
    const away = await cursorsOf(tablet);
    const said = ['one', 'two', 'three'];
    for (const text of said) await world.say(bob, chatId, text);
    assert.deepEqual(texts(await take(here, 3)), said);
    const back = inboxOf(tablet, 1, away);
    assert.deepEqual(texts(await take(back, 3)), said);
    // The one goes on where it is, not where the other is.
    await world.say(bob, chatId, 'four');
    for (const stream of [here, back]) assert.deepEqual(texts(await take(stream, 1)), ['four']);
  });

  it('drafts, reads, mutes and marks of one are those of the other, live and read anew', async () => {
    const { id, seq } = await world.say(bob, chatId, 'hello');
    const other = await listening(tablet, 1);
    await phone.api.updateChatSettings({ input: { chatId, draft: 'half a sentence', muted: true, pinned: true } });
    const { settings } = await until(other, 'ChatSettingsChanged');
    assert.deepEqual([settings!.draft, settings!.muted, settings!.pinned], ['half a sentence', true, true]);
    await phone.api.starMessage({ input: { messageId: id } });
    assert.deepEqual((await until(other, 'MessageMarksChanged')).starred, true);
    await phone.api.markRead({ input: { chatId, seq } });
    assert.deepEqual((await until(other, 'ViewerReceiptChanged')).lastReadSeq, seq);
    const line = async (device: Person) => (await device.api.chatLine({ id: chatId })).chat!.viewerState!;
    const [atPhone, atTablet] = [await line(phone), await line(tablet)];
    assert.deepEqual(atTablet, atPhone);
    assert.deepEqual([atTablet.draft, atTablet.muted, atTablet.pinned, atTablet.unreadCount], ['half a sentence', true, true, 0]);
    await tablet.api.updateChatSettings({ input: { chatId, draft: null, muted: false } });
    assert.deepEqual([(await line(phone)).draft, (await line(phone)).muted], [null, false]);
  });

  it('a call rings on all, is answered on one, and can be taken over by another', async () => {
    const [atPhone, atTablet] = [await listening(phone), await listening(tablet)];
    const callId = await startCall(world, bob, chatId);
    for (const stream of [atPhone, atTablet]) assert.equal((await until(stream, 'IncomingCall')).callId, callId);
    const seat = await Seat.take(phone, callId);
    for (const stream of [atPhone, atTablet]) assert.equal((await until(stream, 'CallRingEnded')).endReason, 'ANSWERED');
    await fails(tablet.api.joinCall({ input: { callId } }), 'STATE_CONFLICT');
    const taken = (await tablet.api.joinCall({ input: { callId, takeOver: true } })).joinCall;
    assert.equal(taken.participant.id, seat.participantId);
    await seat.until('ParticipantMoved');
    assert.equal(await end(seat), 'ACCESS_REVOKED');
    await bob.api.endCall({ input: { callId } });
    for (const stream of [atPhone, atTablet]) assert.equal((await until(stream, 'CallLogChanged')).callId, callId);
  });

  it('a new one reads the state, and what happens meanwhile follows once each', async () => {
    for (const text of ['old', 'older']) await world.say(bob, chatId, text);
    const laptop = await anotherDevice(world, ann, 'laptop');
    const cursors = await cursorsOf(laptop);
    await world.say(bob, chatId, 'in between');
    const { messages } = (await laptop.api.chatMessages({ id: chatId, last: 10 })).chat!;
    assert.deepEqual(messages.edges.map(({ node }) => node.text), ['old', 'older', 'in between']);
    const stream = inboxOf(laptop, 1, cursors);
    await world.say(bob, chatId, 'later');
    assert.deepEqual(texts(await take(stream, 2)), ['in between', 'later']);
    const { sessions } = (await phone.api.sessions()).viewer!;
    assert.deepEqual(sessions.edges.map(({ node }) => node.device), ['laptop', 'tablet', 'test']);
  });

  it('one that is revoked is out at once, on every process: requests, sockets, streams, its seat in a call; the others stay', async () => {
    const sockets = [await RawSocket.open(world, tablet.accessToken, 0), await RawSocket.open(world, tablet.accessToken, 1)];
    for (const socket of sockets) {
      socket.subscribe('1', 'subscription { inboxEvents { __typename } }');
      await socket.receive('next');
    }
    const mine = await listening(phone, 1);
    const streams = await Promise.all([sse(0), sse(1)]);
    const callId = await startCall(world, bob, chatId);
    const seat = await Seat.take(tablet, callId);
    await phone.api.signOut({ input: { sessionId: tablet.sessionId } });
    for (const socket of sockets) assert.deepEqual(await socket.closed(), { code: 4401, reason: 'SESSION_ENDED' });
    for (const stream of streams) await within(stream.end, 'the end of the stream');
    for (const node of [0, 1]) {
      await fails(world.client(tablet.accessToken, node).api.viewer(), 'SESSION_ENDED');
      assert.equal((await RawSocket.connect(world, tablet.accessToken, node).closed()).code, 4401);
      await fails(world.client(null, node).api.refreshSession({ input: { refreshToken: tablet.refreshToken } }), 'SESSION_ENDED');
    }
    const before = sockets.map((socket) => socket.messages.length);
    await world.say(bob, chatId, 'for those who are still here');
    assert.equal((await until(mine, 'MessageSent')).message!.text, 'for those who are still here');
    assert.deepEqual(sockets.map((socket) => socket.messages.length), before);
    assert.equal(await end(seat), 'SESSION_ENDED');
    // Whoever it was can come back into the call with another device.
    await Seat.take(phone, callId, { takeOver: true });
    await bob.api.endCall({ input: { callId } });
  });

  it('links to files that a revoked device holds end within twice FILE_URL_TTL, and it is given no other', async () => {
    const file = await world.upload(bob, PIXEL, { contentType: 'image/png' });
    await bob.api.sendMessage({ input: { chatId, attachmentIds: [file.id!], idempotencyKey: world.key() } });
    const { messages } = (await tablet.api.chatMessages({ id: chatId, last: 1 })).chat!;
    const { url } = messages.edges[0]!.node.attachments[0]!.file;
    assert.equal((await fetch(url!)).status, 200);
    await phone.api.signOut({ input: { sessionId: tablet.sessionId } });
    await fails(tablet.api.file({ id: file.id! }), 'SESSION_ENDED');
    world.clock.advance(2 * LINK_S * 1000);
    assert.equal((await fetch(url!)).status, 404);
    const again = (await phone.api.chatMessages({ id: chatId, last: 1 })).chat!.messages.edges[0]!.node.attachments[0]!.file.url;
    assert.equal((await fetch(again!)).status, 200);
  });

  /** Resolves once an event stream of the tablet’s stands. */
  function sse(node: number): Promise<{ end: Promise<void> }> {
    const body = JSON.stringify({ query: 'subscription { inboxEvents { __typename } }' });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${tablet.accessToken}` };
    return new Promise((resolve, reject) => {
      const asked = request(`${world.apps[node]!.url}/graphql`, { method: 'POST', headers }, (response) => {
        const end = new Promise<void>((over) => response.on('close', over));
        response.once('data', () => resolve({ end }));
        response.on('error', () => undefined);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
});
