import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CALL_STATES, PARTICIPANT_STATES, type ParticipantState } from '../entities/call.js';
import { afterAction, callAfter, callStatesBefore, statesBefore, type ParticipantAction } from './call-machine.js';

const ACTIONS: ParticipantAction[] = ['RING', 'BUSY', 'JOIN', 'KNOCK', 'ADMIT', 'DECLINE', 'MISS', 'LEAVE', 'REMOVE'];

describe('what can follow what in a call', () => {
  it('says the same of a state as of the states before', () => {
    for (const action of ACTIONS) for (const state of PARTICIPANT_STATES) assert.equal(afterAction(state, action) !== null, statesBefore(action).includes(state), `${state} ${action}`);
    for (const action of ['ANSWER', 'END'] as const) for (const state of CALL_STATES) assert.equal(callAfter(state, action) !== null, callStatesBefore(action).includes(state));
  });

  it('keeps out who was removed, until they are rung', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ACTIONS.filter((action) => action !== 'RING')), { maxLength: 20 }), (actions) => {
        let state: ParticipantState = 'REMOVED';
        for (const action of actions) state = afterAction(state, action) ?? state;
        assert.equal(state, 'REMOVED');
      }),
    );
    assert.equal(afterAction('REMOVED', 'RING'), 'RINGING');
  });

  it('lets nobody out of the lobby but by being let in, and nothing follow an end', () => {
    assert.deepEqual(ACTIONS.filter((action) => afterAction('WAITING', action) === 'JOINED'), ['JOIN', 'ADMIT']);
    assert.deepEqual([callAfter('ENDED', 'ANSWER'), callAfter('ENDED', 'END')], [null, null]);
  });
});
