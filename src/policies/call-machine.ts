import type { CallState, ParticipantState } from '../entities/call.js';

/** What happens to a person of a call. */
export type ParticipantAction = 'RING' | 'BUSY' | 'JOIN' | 'KNOCK' | 'ADMIT' | 'DECLINE' | 'MISS' | 'LEAVE' | 'REMOVE';

/** From what it is to what it becomes; what is not here can't happen. Somebody who is not in the call yet is `null`. */
const PARTICIPANT: Readonly<Record<ParticipantAction, Readonly<Partial<Record<ParticipantState | 'NONE', ParticipantState>>>>> = {
  RING: { NONE: 'RINGING', BUSY: 'RINGING', DECLINED: 'RINGING', MISSED: 'RINGING', LEFT: 'RINGING', REMOVED: 'RINGING' },
  BUSY: { NONE: 'BUSY', DECLINED: 'BUSY', MISSED: 'BUSY', LEFT: 'BUSY', BUSY: 'BUSY' },
  JOIN: { NONE: 'JOINED', RINGING: 'JOINED', BUSY: 'JOINED', DECLINED: 'JOINED', MISSED: 'JOINED', LEFT: 'JOINED', WAITING: 'JOINED' },
  KNOCK: { NONE: 'WAITING', RINGING: 'WAITING', BUSY: 'WAITING', DECLINED: 'WAITING', MISSED: 'WAITING', LEFT: 'WAITING', WAITING: 'WAITING' },
  ADMIT: { WAITING: 'JOINED' },
  DECLINE: { RINGING: 'DECLINED' },
  MISS: { RINGING: 'MISSED' },
  LEAVE: { WAITING: 'LEFT', JOINED: 'LEFT' },
  REMOVE: { WAITING: 'REMOVED', JOINED: 'REMOVED' },
};

/** The state after an action; null when it can't happen. */
export const afterAction = (state: ParticipantState | null, action: ParticipantAction): ParticipantState | null => PARTICIPANT[action][state ?? 'NONE'] ?? null;

/** The states in which an action can happen, for the statement that makes it happen. */
export const statesBefore = (action: ParticipantAction): ParticipantState[] => Object.keys(PARTICIPANT[action]).filter((state) => state !== 'NONE') as ParticipantState[];

export type CallAction = 'ANSWER' | 'END';
const CALL: Readonly<Record<CallAction, Readonly<Partial<Record<CallState, CallState>>>>> = {
  ANSWER: { RINGING: 'ACTIVE' },
  END: { RINGING: 'ENDED', ACTIVE: 'ENDED' },
};

export const callAfter = (state: CallState, action: CallAction): CallState | null => CALL[action][state] ?? null;
export const callStatesBefore = (action: CallAction): CallState[] => Object.keys(CALL[action]) as CallState[];
