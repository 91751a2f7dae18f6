import assert from 'node:assert/strict';
import type { DomainError } from '../lib/errors.js';
import {
  assertCanEnd, assertCanJoin, assertCanPublish, assertCanTakeScreen, assertRunsCall, assertSeated, seesCall, waitsInLobby, type CallAccess, type Seat, type Seated,
} from './call-policy.js';

const seat = (changes: Partial<Seat> = {}): Seat => ({ id: 'mine', state: 'JOINED', role: 'SPEAKER', device: 'phone', mutedSources: [], recordingConsent: true, ...changes });
const access = (changes: Partial<Omit<CallAccess, 'call'>> = {}, call: Partial<CallAccess['call']> = {}): CallAccess => ({
  call: { id: 'c', chatId: 'h', chatKind: 'GROUP', state: 'ACTIVE', locked: false, lobby: false, screenShare: 'ONE', startedBy: 'a', recorded: false, ...call },
  seat: null, member: { role: 'MEMBER' }, token: null, blocked: false, ...changes,
});
const PLAIN = { takeOver: false, recordingConsent: false };
const code = (act: () => void): string | null => {
  try {
    act();
    return null;
  } catch (error) {
    return (error as DomainError).code;
  }
};
const join = (given: CallAccess | null, options: Partial<typeof PLAIN> = {}) => code(() => assertCanJoin(given, 'phone', { ...PLAIN, ...options }));

describe('who may do what in a call', () => {
  it('is there for members, guests, and those who were asked', () => {
    assert.equal(seesCall(access()), true);
    assert.equal(seesCall(access({ member: null })), false);
    assert.equal(seesCall(access({ member: null, token: { role: 'SPEAKER', skipLobby: false, name: 'G' } })), true);
    assert.equal(seesCall(access({ member: null, seat: seat() })), true);
    assert.equal(seesCall(access({ member: null, seat: seat({ state: 'REMOVED' }) })), false);
  });

  it('joining', () => {
    assert.equal(join(null), 'NOT_FOUND');
    assert.equal(join(access({ member: null })), 'NOT_FOUND');
    assert.equal(join(access({ member: null, seat: seat({ state: 'LEFT' }) })), 'NOT_FOUND');
    assert.equal(join(access()), null);
    assert.equal(join(access({}, { state: 'ENDED' })), 'STATE_CONFLICT');
    assert.equal(join(access({ blocked: true })), 'BLOCKED');
    assert.equal(join(access({ seat: seat({ state: 'REMOVED' }) })), 'FORBIDDEN');
    assert.equal(join(access({}, { locked: true })), 'FORBIDDEN');
    assert.equal(join(access({ seat: seat({ state: 'RINGING', device: null }) }, { locked: true })), null);
    assert.equal(join(access({ seat: seat() }, { locked: true })), null);
    assert.equal(join(access({ seat: seat({ device: 'laptop' }) })), 'STATE_CONFLICT');
    assert.equal(join(access({ seat: seat({ device: 'laptop' }) }), { takeOver: true }), null);
    assert.equal(join(access({}, { recorded: true })), 'FORBIDDEN');
    assert.equal(join(access({}, { recorded: true }), { recordingConsent: true }), null);
    assert.equal(join(access({ seat: seat() }, { recorded: true })), null);
    const letIn = access({ seat: seat({ recordingConsent: false }) }, { recorded: true });
    assert.equal(join(letIn), 'FORBIDDEN');
    assert.equal(join(letIn, { recordingConsent: true }), null);
    const waiting = seat({ state: 'WAITING', recordingConsent: false });
    assert.equal(join(access({ seat: waiting }, { recorded: true, lobby: true })), null);
    assert.equal(join(access({ seat: waiting }, { recorded: true })), 'FORBIDDEN');
  });

  it('waiting in the lobby', () => {
    const lobby = { lobby: true };
    assert.equal(waitsInLobby(access({}, lobby)), true);
    assert.equal(waitsInLobby(access({})), false);
    assert.equal(waitsInLobby(access({ member: { role: 'ADMIN' } }, lobby)), false);
    assert.equal(waitsInLobby(access({ seat: seat({ role: 'HOST', state: 'LEFT' }) }, lobby)), false);
    assert.equal(waitsInLobby(access({ member: null, token: { role: 'SPEAKER', skipLobby: true, name: 'G' } }, lobby)), false);
  });

  it('a seat, on this device', () => {
    assert.equal(code(() => assertSeated(access({ seat: seat() }), 'phone')), null);
    assert.equal(code(() => assertSeated(access({ seat: seat() }), 'laptop')), 'STATE_CONFLICT');
    for (const state of ['WAITING', 'LEFT', 'RINGING'] as const) assert.equal(code(() => assertSeated(access({ seat: seat({ state }) }), 'phone')), 'FORBIDDEN', state);
  });

  it('running and ending it', () => {
    assert.equal(code(() => assertRunsCall(access({ seat: seat() }))), 'FORBIDDEN');
    assert.equal(code(() => assertRunsCall(access({ seat: seat({ role: 'HOST' }) }))), null);
    assert.equal(code(() => assertRunsCall(access({ seat: seat({ role: 'HOST', state: 'LEFT' }) }))), 'FORBIDDEN');
    assert.equal(code(() => assertRunsCall(access({ member: { role: 'OWNER' } }))), null);
    assert.equal(code(() => assertRunsCall(access({ member: { role: 'OWNER' } }, { chatKind: 'DIRECT' }))), 'FORBIDDEN');
    assert.equal(code(() => assertCanEnd(access({ seat: seat() }))), 'FORBIDDEN');
    assert.equal(code(() => assertCanEnd(access({ seat: seat() }, { chatKind: 'DIRECT' }))), null);
    assert.equal(code(() => assertCanEnd(access({ member: null, seat: seat() }, { chatKind: 'DIRECT' }))), 'FORBIDDEN');
  });

  it('sending, and sharing a screen', () => {
    const seated = (changes: Partial<Seat> = {}, call: Partial<CallAccess['call']> = {}) => access({ seat: seat(changes) }, call) as Seated;
    assert.equal(code(() => assertCanPublish(seated(), 'CAMERA')), null);
    assert.equal(code(() => assertCanPublish(seated({ role: 'LISTENER' }), 'MICROPHONE')), 'FORBIDDEN');
    assert.equal(code(() => assertCanPublish(seated({ mutedSources: ['CAMERA'] }), 'CAMERA')), 'FORBIDDEN');
    assert.equal(code(() => assertCanPublish(seated({}, { screenShare: 'HOST' }), 'SCREEN')), 'FORBIDDEN');
    assert.equal(code(() => assertCanPublish(seated({ role: 'HOST' }, { screenShare: 'HOST' }), 'SCREEN')), null);
    assert.equal(code(() => assertCanTakeScreen(seated(), 'theirs')), 'STATE_CONFLICT');
    for (const sharer of [null, 'mine']) assert.equal(code(() => assertCanTakeScreen(seated(), sharer)), null);
    assert.equal(code(() => assertCanTakeScreen(seated({ role: 'HOST' }), 'theirs')), null);
  });
});
