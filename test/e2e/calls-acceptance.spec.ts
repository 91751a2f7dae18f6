import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { MediaServer } from '../../src/media/media-server.js';
import { readRtp } from '../../src/media/rtp.js';
import { Browsers, bundle } from '../testkit/browser.js';
import { CALL_PAGE, eventsOf, joinIn, openPage, PATIENCE_MS, received, receives } from '../testkit/call-page.js';
import { logOf, startCall } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { source } from '../testkit/source.js';
import { Coturn } from '../testkit/turn.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, within, World, type Person } from '../testkit/world.js';

const SECRET = 'a secret that coturn shares';
const LOUD = 10;
const AWAY_MS = 1_500;

describe('a call, from the ring to the log', function () {
  this.timeout(150_000);
  let coturn: Coturn;
  let browsers: Browsers;
  let media: MediaServer;
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  before(async () => {
    coturn = await Coturn.start(SECRET);
    browsers = await Browsers.start(await bundle(CALL_PAGE));
    media = mediaServer();
    await media.start();
    // A network that fails without a word is noticed by a heartbeat or two.
    world = await World.start({ settings: { CORS_ORIGINS: browsers.origin, HEARTBEAT: '2', TURN_URLS: coturn.url, TURN_SECRET: SECRET }, media: () => media });
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
  });
  after(async () => {
    await browsers?.stop();
    await world?.stop();
    await media?.close();
    await coturn?.stop();
  });

  const heard = (page: Page): Promise<string[]> => page.evaluate('heard');

  it('two browsers and a voice on a plain socket', async () => {
    const began = Date.now();
    const callId = await startCall(world, ann, await world.groupChat(ann, [bob, carol]));
    const [hers, his] = [await openPage(browsers, world, ann), await openPage(browsers, world, bob)];
    const annId = await joinIn(hers, callId);
    // His media goes through a TURN server and by no other way, so that it can be cut too.
    const bobId = await joinIn(his, callId, { iceTransportPolicy: 'relay' });
    await Promise.all([hers, his].map((page) => page.evaluate('send()')));

    // Pictures are decoded and sound is heard, both ways.
    const bothWays = (when: string) =>
      Promise.all(
        ['CAMERA', 'MICROPHONE'].flatMap((what) => [receives(hers, bobId, what, `she receives his ${what} ${when}`), receives(his, annId, what, `he receives her ${what} ${when}`)]),
      );
    await bothWays('at first');

    // A screen comes and goes.
    await his.evaluate('share()');
    await receives(hers, bobId, 'SCREEN', 'she sees his screen');
    await his.evaluate(`call.stop('SCREEN')`);
    await eventually(async () => (await heard(hers)).includes('-SCREEN'), 'his screen is gone');

    // He is cut off: nothing of him arrives, everybody knows, and his seat waits for him.
    const told = (await eventsOf(hers, 'ParticipantUpdated')).length;
    const cutOff = async (cut: boolean) => {
      coturn.cut(cut);
      await his.context().setOffline(cut);
    };
    await cutOff(true);
    const connected = async () => (await eventsOf(hers, 'ParticipantUpdated')).slice(told).filter(({ participantId }) => participantId === bobId).map(({ participant }) => participant.connected);
    await eventually(async () => (await connected()).includes(false), 'she is told that he was lost', PATIENCE_MS);
    const stood = (await received(hers, bobId, 'CAMERA')).frames;
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    assert.equal((await received(hers, bobId, 'CAMERA')).frames, stood, 'nothing of him comes while he is cut off');
    await cutOff(false);
    await eventually(async () => (await connected()).at(-1) === true, 'she is told that he is back', PATIENCE_MS);
    await bothWays('again');
    assert.deepEqual([await his.evaluate('globalThis.reason'), (await heard(hers)).filter((one) => one === '+CAMERA').length], [undefined, 1], 'it is the same seat, and the same tracks');

    // Carol has no WebRTC: a tone in packets of Opus over a WebSocket.
    const voice = await VoiceClient.join(world, carol.accessToken, callId);
    await eventually(() => voice.is('ready') !== undefined, 'she is in');
    const hush = await source('opus', (packet) => voice.socket.send(Buffer.concat([Buffer.from([LOUD]), readRtp(packet)!.payload])), 880);
    const people = (await ann.api.callParticipants({ id: callId })).call!.participants.edges;
    const carolId = people.find(({ node }) => node.user?.id === carol.id)!.node.id;
    await Promise.all([receives(hers, carolId, 'MICROPHONE', 'Ann hears Carol'), receives(his, carolId, 'MICROPHONE', 'Bob hears Carol')]);
    for (const page of [hers, his]) {
      const level = async () => Math.max(0, ...(await eventsOf(page, 'CallAudioLevels')).flatMap(({ levels }) => levels.filter(({ participantId }) => participantId === carolId).map((one) => one.level)));
      await eventually(async () => (await level()) > 100, 'and sees how loud she is', PATIENCE_MS);
      const speakers = async () => (await eventsOf(page, 'DominantSpeakerChanged')).map(({ participantId }) => participantId);
      await eventually(async () => (await speakers()).length > 0, 'and who has the floor', PATIENCE_MS);
      assert.ok((await speakers()).every((id) => [annId, bobId, carolId].includes(id)));
    }
    // She hears both of them, each in a stream of their own.
    const streamOf = (participantId: string) => voice.texts.find((text) => text['type'] === 'stream' && text['participantId'] === participantId)?.['stream'];
    const framesOf = (participantId: string) => voice.frames.filter((frame) => frame.readUInt16BE(0) === streamOf(participantId)).length;
    await eventually(() => framesOf(annId) > 25 && framesOf(bobId) > 25, 'she hears both', PATIENCE_MS);

    // Everybody leaves, one after the other.
    hush();
    await carol.api.leaveCall({ input: { callId } });
    assert.equal((await within(voice.closed, 'the end of her socket')).code, 4404);
    await his.evaluate('call.leave()');
    await hers.evaluate('call.leave()');
    assert.deepEqual([await hers.evaluate('globalThis.reason'), await his.evaluate('globalThis.reason')], ['LEFT', 'LEFT']);
    await eventually(() => media.rooms().rooms === 0 && media.rooms().transports === 0 && media.rooms().voices === 0, 'nothing is left');
    const took = Date.now() - began;

    const call = (await ann.api.call({ id: callId })).call!;
    assert.deepEqual([call.state, call.endReason], ['ENDED', 'HUNG_UP']);
    const entries = await Promise.all([ann, bob, carol].map(async (person) => {
      await eventually(async () => (await logOf(person))[0]?.quality !== null, 'how it was is kept');
      const all = await logOf(person);
      assert.equal(all.length, 1);
      return all[0]!;
    }));
    assert.deepEqual(entries.map(({ direction, outcome }) => [direction, outcome]), [['OUTGOING', 'ANSWERED'], ['INCOMING', 'ANSWERED'], ['INCOMING', 'ANSWERED']]);
    const time = (at: string | null | undefined) => Date.parse(at!);
    for (const { callId: id, kind, startedAt, joinedAt, endedAt, durationSeconds, quality } of entries) {
      assert.deepEqual([id, kind, startedAt], [callId, 'VIDEO', call.startedAt]);
      assert.ok(time(joinedAt) >= time(startedAt) && time(endedAt) > time(joinedAt) && time(endedAt) - began <= took, `${startedAt} ${joinedAt} ${endedAt}`);
      const talked = (time(endedAt) - Math.max(time(joinedAt), time(call.answeredAt))) / 1_000;
      assert.ok(Math.abs(durationSeconds - talked) <= 1, `${durationSeconds} s of ${talked}`);
      assert.ok(quality!.loss >= 0 && quality!.loss <= 1 && quality!.score >= 0 && quality!.score <= 10, JSON.stringify(quality));
    }
    const [a, b, c] = entries as [typeof entries[0], typeof entries[0], typeof entries[0]];
    assert.ok(time(c!.endedAt) <= time(b!.endedAt) && time(b!.endedAt) <= time(a!.endedAt), 'each as of when they left');
    assert.equal(a!.endedAt, call.endedAt);
    assert.ok(c!.durationSeconds < b!.durationSeconds, 'she was in for the shortest time');
    // A browser answers with reports, and is asked how long they took; a plain socket is not.
    assert.ok([a, b].every((entry) => entry!.quality!.roundTripMs! > 0), JSON.stringify(entries.map(({ quality }) => quality)));
    assert.deepEqual(browsers.complaints, []);
  });
});
