import assert from 'node:assert/strict';
import { guestOf, logOf, Seat, startCall } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';
import { encodeId } from '../../src/lib/ids.js';
import type { MediaServer } from '../../src/media/media-server.js';

describe('a voice over a plain socket', function () {
  this.timeout(30_000);
  let media: MediaServer;
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  let callId: string;
  before(async () => {
    media = mediaServer();
    await media.start();
    world = await World.start({ media: () => media });
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    chatId = await world.groupChat(ann, [bob, carol]);
  });
  beforeEach(async () => {
    callId = await startCall(world, ann, chatId, { ring: false, kind: 'VOICE' });
  });
  afterEach(() => ann.api.endCall({ input: { callId } }));
  after(async () => {
    await world?.stop();
    await media?.close();
  });

  it('is heard, hears, and is seen by everybody; then it stands in the log', async () => {
    const c = await Seat.take(carol, callId);
    const a = await VoiceClient.join(world, ann.accessToken, callId);
    const hers = await c.until('ProducerAdded');
    assert.equal(hers.producer?.source, 'MICROPHONE');
    const b = await VoiceClient.join(world, bob.accessToken, callId);
    await eventually(() => [a, b].every((one) => one.is('ready') && one.is('stream')), 'each hears the other');
    const joined = await c.until('ParticipantJoined');
    assert.equal(joined.participant.user?.id, bob.id);
    const added = await c.until('ProducerAdded');
    assert.deepEqual([added.producer?.source, added.participantId], ['MICROPHONE', joined.participantId]);
    // By the ids of the API, in what both of them are told.
    assert.deepEqual([a.is('ready')!['producerId'], b.is('stream')!['producerId']], [hers.producerId, hers.producerId]);
    assert.deepEqual([a.is('stream')!['participantId'], a.is('stream')!['producerId']], [joined.participantId, added.producerId]);
    for (let mark = 0; mark < 40; mark++) {
      a.say(mark);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await eventually(() => b.frames.length === 40, 'every frame');
    assert.deepEqual(b.frames.map((frame) => frame.at(-1)), Array.from({ length: 40 }, (_, mark) => mark));
    const levels = await c.until('CallAudioLevels');
    assert.equal(levels.levels[0]!.level > 90, true);

    a.socket.send('{"type":"mute"}');
    assert.equal((await c.until('ProducerUpdated')).producer?.paused, true);
    const annSeat = (await ann.api.call({ id: callId })).call!.viewerState!.participant!;
    await bob.api.muteParticipant({ input: { callId, participantId: annSeat.id } }).then(() => assert.fail('he is not the host'), () => undefined);
    await fails(bob.api.joinCall({ input: { callId: `cal_${'0'.repeat(32)}` } }), 'NOT_FOUND');

    await bob.api.leaveCall({ input: { callId } });
    assert.deepEqual(await within(b.closed, 'the end'), { code: 4404, reason: 'You are no longer in this call.' });
    assert.equal((await logOf(bob))[0]!.outcome, 'ANSWERED');
    a.socket.close();
    await eventually(async () => !(await ann.api.call({ id: callId })).call!.viewerState!.participant!.connected, 'her seat waits for her');
    const again = await VoiceClient.join(world, ann.accessToken, callId);
    await eventually(() => again.is('ready') !== undefined, 'she is back');
    assert.equal((await ann.api.call({ id: callId })).call!.viewerState!.participant!.connected, true);
    await ann.api.endCall({ input: { callId } });
    assert.equal((await within(again.closed, 'the end')).code, 4404);
    assert.deepEqual([media.rooms().voices, media.rooms().rooms, media.rooms().transports], [0, 0, 0]);
    callId = await startCall(world, ann, chatId, { ring: false });
  });

  it('of whom the host holds stays silent', async () => {
    const a = await Seat.take(ann, callId);
    const b = await VoiceClient.join(world, bob.accessToken, callId);
    const { participantId } = await a.until('ProducerAdded');
    await ann.api.muteParticipant({ input: { callId, participantId, hold: true } });
    b.socket.send('{"type":"unmute"}');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await world.sql('select paused from call_producers'), [{ paused: true }]);
    for (let mark = 0; mark < 5; mark++) b.say(mark);
    b.socket.close();
  });

  it('does not begin where the host has held it as it was opened', async () => {
    await Seat.take(ann, callId);
    const openVoice = media.openVoice.bind(media);
    media.openVoice = async (roomId, peerId, sink) => {
      media.openVoice = openVoice;
      const link = await openVoice(roomId, peerId, sink);
      await ann.api.muteParticipant({ input: { callId, participantId: encodeId('CallParticipant', peerId), hold: true } });
      return link;
    };
    const b = await VoiceClient.join(world, bob.accessToken, callId);
    assert.deepEqual(await within(b.closed, 'the end'), { code: 4403, reason: 'FORBIDDEN' });
    assert.deepEqual([await world.sql('select from call_producers'), media.rooms().voices], [[], 0]);
  });

  it('is to come again where the server could not let it in', async () => {
    const openVoice = media.openVoice.bind(media);
    media.openVoice = async () => {
      media.openVoice = openVoice;
      throw new Error('a fault of ours');
    };
    const b = await VoiceClient.join(world, bob.accessToken, callId);
    assert.deepEqual(await within(b.closed, 'the end'), { code: 4503, reason: 'INTERNAL' });
    const again = await VoiceClient.join(world, bob.accessToken, callId);
    await eventually(() => again.is('ready') !== undefined, 'he is in');
  });

  it('is let in by a guest’s token too, and by no other', async () => {
    await Seat.take(ann, callId);
    const speaker = await guestOf(world, ann, callId);
    const g = await VoiceClient.join(world, speaker.token, callId);
    await eventually(() => g.is('ready') !== undefined, 'the guest speaks');
    const refused = async (client: Promise<VoiceClient>) => within((await client).closed, 'the refusal');
    const listener = await guestOf(world, ann, callId, { role: 'LISTENER' });
    assert.deepEqual(await refused(VoiceClient.join(world, listener.token, callId)), { code: 4403, reason: 'FORBIDDEN' });
    const stranger = await world.person(`Stranger${world.key().replace('-', '')}`);
    assert.deepEqual(await refused(VoiceClient.join(world, stranger.accessToken, callId)), { code: 4404, reason: 'NOT_FOUND' });
    assert.deepEqual(await refused(VoiceClient.join(world, 'a.b.c', callId)), { code: 4401, reason: 'UNAUTHENTICATED' });
    assert.deepEqual(await refused(VoiceClient.join(world, bob.accessToken, 'nonsense')), { code: 4403, reason: 'INVALID_ID' });
    for (const first of ['nonsense', '{}', '[]', 'null', Buffer.from([1, 2, 3]), { type: 'join', callId }]) assert.equal((await refused(VoiceClient.connect(world, first))).code, 4400);
    assert.equal((await refused(VoiceClient.connect(world, 'x'.repeat(20_000)))).code, 1009);
  });

  it('that is no voice is refused, and closed when it goes on', async () => {
    const b = await VoiceClient.join(world, bob.accessToken, callId);
    await eventually(() => b.is('ready') !== undefined, 'he is in');
    for (let count = 0; count < 25; count++) b.socket.send(Buffer.from([200, 1, 2, 3]));
    assert.equal((await within(b.closed, 'the end')).code, 4400);
    assert.equal(b.is('error')!['code'], 'BAD_FRAME');
  });
});
