import assert from 'node:assert/strict';
import { makeStore } from '../../src/container-files.js';
import { guestOf, Seat, startCall } from '../testkit/calls.js';
import { eventually, fails, settle, World, type Person } from '../testkit/world.js';

describe('recording a call', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let callId: string;
  let a: Seat;
  let b: Seat;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    callId = await startCall(world, ann, await world.groupChat(ann, [bob, carol]), { ring: false });
    [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
  });
  afterEach(() => world.stop());

  const start = (person: Person = ann) => person.api.startRecording({ input: { callId } });
  const answer = (person: Pick<Person, 'api'>, consent: boolean) => person.api.consentToRecording({ input: { callId, consent } });
  const recordings = () => world.media[0]!.rooms().recordings;

  it('asks everybody first, begins when all have agreed, and ends with a file', async () => {
    await fails(start(bob), 'FORBIDDEN');
    await fails(answer(bob, true), 'STATE_CONFLICT');
    assert.equal((await start()).startRecording.call.recordingState, 'ASKING');
    assert.equal((await b.until('CallRecordingChanged')).call.recordingState !== 'OFF', true);
    assert.equal(recordings(), 0, 'nothing is recorded before the answer');
    await fails(start(), 'STATE_CONFLICT');
    assert.equal((await answer(bob, true)).consentToRecording.call.recordingState, 'ON');
    await eventually(() => recordings() === 1, 'it is recorded');
    await fails(carol.api.joinCall({ input: { callId } }), 'FORBIDDEN', 'recordingConsent');
    await carol.api.joinCall({ input: { callId, recordingConsent: true } });
    await fails(bob.api.stopRecording({ input: { callId } }), 'FORBIDDEN');
    const { recording } = (await ann.api.stopRecording({ input: { callId } })).stopRecording;
    assert.deepEqual([Number(recording!.bytes), recording!.durationMs, recording!.endedAt !== null], [1_000, 1_000, true]);
    assert.match(recording!.file!, /\.webm$/);
    assert.deepEqual((await carol.api.callRecordings({ id: callId })).call!.recordings, [recording]);
    assert.equal((await ann.api.call({ id: callId })).call!.recordingState, 'OFF');
    await fails(ann.api.stopRecording({ input: { callId } }), 'STATE_CONFLICT');
    const stranger = await guestOf(world, ann, callId);
    assert.deepEqual((await stranger.api.callRecordings({ id: callId })).call!.recordings, []);
  });

  it('does not happen, or ends, when one says no', async () => {
    await start();
    assert.equal((await answer(bob, false)).consentToRecording.call.recordingState, 'OFF');
    const heard = await a.take(5);
    assert.deepEqual(heard.flatMap((event) => (event.__typename === 'ParticipantUpdated' && event.participantId === b.participantId ? [event.participant.recordingConsent] : [])), [false]);
    await start();
    await answer(bob, true);
    assert.equal(recordings(), 1);
    assert.equal((await answer(bob, false)).consentToRecording.call.recordingState, 'OFF');
    assert.equal(recordings(), 0);
  });

  it('begins when the last who has not answered leaves, and is called off by the host', async () => {
    await start();
    assert.deepEqual((await ann.api.stopRecording({ input: { callId } })).stopRecording.recording, null);
    await start();
    await b.leave();
    await eventually(() => recordings() === 1, 'it is recorded');
    await eventually(async () => (await ann.api.call({ id: callId })).call!.recordingState === 'ON', 'everybody knows');
  });

  it('is agreed to by who was let in from the lobby, before they come in', async () => {
    await ann.api.updateCall({ input: { callId, lobby: true } });
    const c = await Seat.take(carol, callId);
    assert.equal(c.joined.participant.state, 'WAITING');
    await start();
    assert.equal((await answer(bob, true)).consentToRecording.call.recordingState, 'ON');
    await carol.api.joinCall({ input: { callId } }); // waits as before
    await ann.api.admitParticipant({ input: { callId, participantId: c.participantId } });
    await fails(carol.api.joinCall({ input: { callId } }), 'FORBIDDEN', 'recordingConsent');
    await fails(c.transport('SEND'), 'NOT_FOUND');
    const { joinCall } = await carol.api.joinCall({ input: { callId, recordingConsent: true } });
    assert.deepEqual([joinCall.participant.state, joinCall.participant.recordingConsent, recordings()], ['JOINED', true, 1]);
    await c.transport('SEND');
    await carol.api.joinCall({ input: { callId } }); // comes back: once is enough
  });

  /** Media that takes a while to begin: until `goOn`. */
  function slowly(): { asked: Promise<void>; goOn: () => void } {
    const media = world.media[0]!;
    const startRecording = media.startRecording.bind(media);
    const [asked, went] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    media.startRecording = async (roomId) => {
      const made = await startRecording(roomId);
      asked.resolve();
      await went.promise;
      return made;
    };
    return { asked: asked.promise, goOn: () => went.resolve() };
  }
  const state = async () => (await ann.api.call({ id: callId })).call!.recordingState;
  const kept = async () => (await bob.api.callRecordings({ id: callId })).call!.recordings;

  it('does not begin where somebody has said no while it began, whatever they say when they are asked anew', async () => {
    const { asked, goOn } = slowly();
    await start();
    const beginning = answer(bob, true);
    await asked;
    assert.equal((await answer(bob, false)).consentToRecording.call.recordingState, 'OFF');
    await start();
    assert.equal((await answer(bob, true)).consentToRecording.call.recordingState, 'ASKING');
    const ofMedia = () => [...world.media[0]!.open.values()][0]!.recordingId;
    const first = ofMedia();
    goOn();
    await beginning;
    // What was said between his two answers is in none.
    await eventually(async () => recordings() === 1 && (await state()) === 'ON', 'it begins anew');
    assert.notEqual(ofMedia(), first);
    assert.equal((await kept()).length, 1);
  });

  it('waits for whoever has come while it began, and was not asked', async () => {
    const { asked, goOn } = slowly();
    await start();
    const beginning = answer(bob, true);
    await asked;
    const c = await Seat.take(carol, callId);
    assert.equal(c.joined.call.recordingState, 'ASKING');
    goOn();
    assert.equal((await beginning).consentToRecording.call.recordingState, 'ASKING');
    assert.deepEqual([recordings(), await kept()], [0, []]);
    assert.equal((await answer(carol, true)).consentToRecording.call.recordingState, 'ON');
    assert.equal(recordings(), 1);
  });

  it('does not begin in a call that has ended meanwhile', async () => {
    const { asked, goOn } = slowly();
    await start();
    const beginning = answer(bob, true);
    await asked;
    const [media, store] = [world.media[0]!, makeStore(world.config)];
    const [roomId, { recordingId }] = [...media.open][0]!;
    const file = `recordings/${recordingId!}.webm`;
    await store.put(file, Buffer.from('what was said'), 'video/webm');
    const ends = () => media.emit('recordingEnded', { roomId, recordingId: recordingId!, recorded: { file, bytes: 13, durationMs: 1_000 } });
    ends();
    await settle(200);
    assert.equal(await store.size(file), 13, 'it may still be written down');
    await ann.api.endCall({ input: { callId } });
    goOn();
    assert.equal((await beginning).consentToRecording.call.recordingState, 'OFF');
    assert.deepEqual([recordings(), await kept()], [0, []]);
    ends();
    await eventually(async () => (await store.size(file)) === null, 'what nobody could find is not kept');
  });

  it('can fail: then nothing is recorded, and everybody hears so', async () => {
    await a.leave();
    world.media[0]!.reset((await world.sql<{ id: string }>('select id from calls'))[0]!.id);
    await fails(bob.api.startRecording({ input: { callId } }), 'NOT_FOUND');
    assert.equal((await ann.api.call({ id: callId })).call!.recordingState, 'OFF');
  });
});
