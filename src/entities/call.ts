/** The words that calls are stored and shown in. */
export const CALL_KINDS = ['VOICE', 'VIDEO'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

export const CALL_STATES = ['RINGING', 'ACTIVE', 'ENDED'] as const;
export type CallState = (typeof CALL_STATES)[number];

export const CALL_END_REASONS = ['HUNG_UP', 'DECLINED', 'MISSED', 'BUSY', 'CANCELLED', 'ENDED_BY_HOST', 'LOST'] as const;
export type CallEndReason = (typeof CALL_END_REASONS)[number];

export const PARTICIPANT_STATES = ['RINGING', 'BUSY', 'DECLINED', 'MISSED', 'WAITING', 'JOINED', 'LEFT', 'REMOVED'] as const;
export type ParticipantState = (typeof PARTICIPANT_STATES)[number];

export const CALL_ROLES = ['HOST', 'SPEAKER', 'LISTENER'] as const;
export type CallRole = (typeof CALL_ROLES)[number];

export const PRODUCER_KINDS = ['AUDIO', 'VIDEO', 'DATA'] as const;
export type ProducerKind = (typeof PRODUCER_KINDS)[number];

export const SOURCES = ['MICROPHONE', 'CAMERA', 'SCREEN', 'SCREEN_AUDIO'] as const;
export type Source = (typeof SOURCES)[number];

export const SCREEN_SHARE_RULES = ['ONE', 'HOST'] as const;
export type ScreenShareRule = (typeof SCREEN_SHARE_RULES)[number];

export const RECORDING_STATES = ['OFF', 'ASKING', 'ON'] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];

/** Why it no longer rings on a person's devices. */
export const RING_END_REASONS = ['ANSWERED', 'DECLINED', 'MISSED', 'CANCELLED', 'ENDED'] as const;
export type RingEndReason = (typeof RING_END_REASONS)[number];

/** What became of a call for one person. */
export const CALL_OUTCOMES = ['RINGING', 'ONGOING', 'ANSWERED', 'MISSED', 'DECLINED', 'BUSY', 'CANCELLED', 'UNANSWERED'] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** How a connection was, as far as it was measured. */
export interface Quality {
  /** Share of packets lost, 0 to 1. */
  loss: number;
  roundTripMs: number | null;
  /** 0 to 10. */
  score: number;
}
