import type { CallRole, CallState, ParticipantState, ScreenShareRule, Source } from '../entities/call.js';
import { DomainError, forbidden, notFound } from '../lib/errors.js';
import { afterAction } from './call-machine.js';
import type { MemberRole } from './member-policy.js';

export interface Seat {
  id: string;
  state: ParticipantState;
  role: CallRole;
  /** The session, or the token, that holds it. */
  device: string | null;
  mutedSources: Source[];
  /** Whether they have agreed to be recorded, when it was asked the last time. */
  recordingConsent: boolean;
}

/** What decides who may do what in a call. */
export interface CallAccess {
  call: { id: string; chatId: string; chatKind: 'DIRECT' | 'GROUP'; state: CallState; locked: boolean; lobby: boolean; screenShare: ScreenShareRule; startedBy: string; recorded: boolean };
  /** The caller's own row in the call. */
  seat: Seat | null;
  /** The caller's membership of the call's chat; null for guests. */
  member: { role: MemberRole } | null;
  /** Of a guest: what their token allows. Null when it is spent, or of another call. */
  token: { role: 'SPEAKER' | 'LISTENER'; skipLobby: boolean; name: string } | null;
  /** In a direct chat: one of the two has blocked the other. */
  blocked: boolean;
}
export type Seated = CallAccess & { seat: Seat };

const conflict = (message: string, field?: string): DomainError => new DomainError('STATE_CONFLICT', message, field === undefined ? {} : { field });

/** A call is there for the members of its chat, and for those who have been asked into it. */
export const seesCall = ({ member, token, seat }: Pick<CallAccess, 'member' | 'token' | 'seat'>): boolean =>
  member !== null || token !== null || (seat !== null && seat.state !== 'REMOVED');

export function assertSeesCall(access: CallAccess | null): asserts access is CallAccess {
  if (!access || !seesCall(access)) throw notFound('call');
}

export function assertIsOn(access: CallAccess | null): asserts access is CallAccess {
  assertSeesCall(access);
  if (access.call.state === 'ENDED') throw conflict('The call has ended.');
}

export function assertCanJoin(access: CallAccess | null, device: string, { takeOver, recordingConsent }: { takeOver: boolean; recordingConsent: boolean }): asserts access is CallAccess {
  assertIsOn(access);
  const { seat, call } = access;
  const holds = seat?.state === 'JOINED' || seat?.state === 'WAITING';
  if (holds && seat.device !== null && seat.device !== device && !takeOver) {
    throw conflict('You are in this call on another device. Join with takeOver to bring it here.', 'takeOver');
  }
  if (!holds) {
    // A seat of before lets nobody in who is not in the chat any more.
    if (!access.member && !access.token) throw notFound('call');
    if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
    if (seat?.state === 'REMOVED') throw forbidden('You were removed from this call.');
    if (call.locked && seat?.state !== 'RINGING') throw forbidden('The call is locked: nobody more may join.');
  }
  // Who waited in the lobby when the recording began has not been asked: they are, before they come in.
  const agrees = recordingConsent || (holds && (seat.recordingConsent || waitsInLobby(access)));
  if (call.recorded && !agrees) throw new DomainError('FORBIDDEN', 'The call is recorded: join with recordingConsent, or not at all.', { field: 'recordingConsent' });
  if (!holds && !afterAction(seat?.state ?? null, 'JOIN')) throw conflict('You can not join this call now.');
}

/** Whether somebody who joins waits in the lobby first. Whoever runs the chat doesn't, nor does who started the call. */
export const waitsInLobby = ({ call, seat, member, token }: CallAccess): boolean =>
  call.lobby && seat?.role !== 'HOST' && seat?.state !== 'JOINED' && !(call.chatKind === 'GROUP' && (member?.role === 'OWNER' || member?.role === 'ADMIN')) && !token?.skipLobby;

/** The caller is in the call, on this device. */
export function assertSeated(access: CallAccess | null, device: string): asserts access is Seated {
  assertIsOn(access);
  if (access.seat?.state !== 'JOINED') throw forbidden(access.seat?.state === 'WAITING' ? 'You wait in the lobby until somebody lets you in.' : 'Join the call first.');
  if (access.seat.device !== null && access.seat.device !== device) throw conflict('You are in this call on another device.');
}

/** A call is run by its host, and by those who run its chat. */
export const runsCall = ({ call, seat, member }: Pick<CallAccess, 'call' | 'seat' | 'member'>): boolean =>
  (seat?.role === 'HOST' && seat.state === 'JOINED') || (call.chatKind === 'GROUP' && (member?.role === 'OWNER' || member?.role === 'ADMIN'));

export function assertRunsCall(access: CallAccess | null): asserts access is CallAccess {
  assertIsOn(access);
  if (!runsCall(access)) throw forbidden('Only the host of the call may do this.');
}

/** Of two who speak with each other either may end it. */
export function assertCanEnd(access: CallAccess | null): asserts access is CallAccess {
  assertIsOn(access);
  const eitherOfTwo = access.call.chatKind === 'DIRECT' && access.member !== null && access.seat?.state === 'JOINED';
  if (!eitherOfTwo && !runsCall(access)) throw forbidden('Only the host ends the call for everybody: leave it instead.');
}

export function assertCanPublish(access: Seated, source: Source | null): void {
  if (access.seat.role === 'LISTENER') throw forbidden('You listen in this call: you may not send.');
  if (source && access.seat.mutedSources.includes(source)) throw new DomainError('FORBIDDEN', 'The host does not let you send this.', { field: 'source' });
  if ((source === 'SCREEN' || source === 'SCREEN_AUDIO') && access.call.screenShare === 'HOST' && !runsCall(access)) {
    throw new DomainError('FORBIDDEN', 'Only the host shares a screen in this call.', { field: 'source' });
  }
}

/** A screen has one sharer at a time: whoever runs the call takes it over, others wait. */
export function assertCanTakeScreen(access: Seated, sharer: string | null): void {
  if (sharer === null || sharer === access.seat.id || runsCall(access)) return;
  throw conflict('Somebody shares a screen already.', 'source');
}
