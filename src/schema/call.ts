import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import {
  CALL_END_REASONS, CALL_KINDS, CALL_OUTCOMES, CALL_ROLES, CALL_STATES, PARTICIPANT_STATES, PRODUCER_KINDS, RECORDING_STATES, RING_END_REASONS, SCREEN_SHARE_RULES, SOURCES,
  type Source,
} from '../entities/call.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { NodeType } from './node.js';
import { DateTime, JsonScalar } from './scalars.js';

export const CallKind = enumOf('CallKind', CALL_KINDS);
export const CallState = enumOf('CallState', CALL_STATES);
export const CallEndReason = enumOf('CallEndReason', CALL_END_REASONS, 'CANCELLED: hung up before anybody answered. LOST: the last to be connected did not come back.');
export const CallRole = enumOf('CallRole', CALL_ROLES, 'A LISTENER sends nothing.');
export const CallParticipantState = enumOf('CallParticipantState', PARTICIPANT_STATES, 'WAITING: in the lobby. BUSY: in another call as this one rang.');
export const CallProducerKind = enumOf('CallProducerKind', PRODUCER_KINDS);
export const CallSource = enumOf('CallSource', SOURCES);
export const ScreenShareRule = enumOf('ScreenShareRule', SCREEN_SHARE_RULES, 'ONE: one at a time, and the host takes over. HOST: the host alone.');
export const CallRecordingState = enumOf('CallRecordingState', RECORDING_STATES, 'ASKING: begins as soon as everybody in the call has agreed.');
export const CallRingEndReason = enumOf('CallRingEndReason', RING_END_REASONS, 'ANSWERED and DECLINED: on one of the viewer’s devices.');
export const CallOutcome = enumOf('CallOutcome', CALL_OUTCOMES, 'UNANSWERED: nobody took the viewer’s call. BUSY: whoever was called was in another one.');
export const CallDirection = enumOf('CallDirection', ['INCOMING', 'OUTGOING']);
export const TransportDirection = enumOf('TransportDirection', ['SEND', 'RECEIVE']);
export const CallTransportState = enumOf('CallTransportState', ['CONNECTED', 'DISCONNECTED', 'CLOSED'], 'DISCONNECTED: may come back by restartIce.');

@ObjectType('Call', { implements: NodeType, description: 'A call in a chat. docs/CALLS.md draws how one is joined.' })
export class CallType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => ID) chatId: string;
  @Field(() => CallKind) kind: string;
  @Field(() => CallState) state: string;
  @Field(() => Boolean, { description: 'Nobody more may join, but those who are rung.' }) locked: boolean;
  @Field(() => Boolean, { description: 'Whoever joins waits until the host lets them in.' }) lobby: boolean;
  @Field(() => ScreenShareRule) screenShare: string;
  @Field(() => CallRecordingState) recordingState: string;
  @Field(() => DateTime) startedAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When a second person was in.' }) answeredAt: Date | null;
  @Field(() => DateTime, { nullable: true }) endedAt: Date | null;
  @Field(() => CallEndReason, { nullable: true }) endReason: string | null;
}

@ObjectType('CallProducer', { description: 'Something that somebody sends: a track, or a data channel.' })
export class CallProducerType {
  @Field(() => ID) id: string;
  @Field(() => ID) participantId: string;
  @Field(() => CallProducerKind) kind: string;
  @Field(() => CallSource, { nullable: true, description: 'Null for data.' }) source: string | null;
  @Field(() => Boolean) paused: boolean;
  @Field(() => String, { nullable: true, description: 'Of a data channel.' }) label: string | null;
  @Field(() => String, { nullable: true, description: 'Of a data channel.' }) protocol: string | null;
  @Field(() => JsonScalar, { nullable: true }) appData: object | null;
}

@ObjectType('CallParticipant', { description: 'Somebody of a call: asked, in it, or gone from it.' })
export class CallParticipantType {
  @Field(() => ID) id: string;
  @Field(() => CallRole) role: string;
  @Field(() => CallParticipantState) state: string;
  @Field(() => [CallSource], { description: 'What the host does not let them send.' }) mutedSources: Source[];
  @Field(() => Boolean, { nullable: true, description: 'Whether they have agreed to be recorded; null: not asked, or not answered.' }) recordingConsent: boolean | null;
  @Field(() => DateTime, { nullable: true, description: 'When they were in for the first time.' }) joinedAt: Date | null;
  @Field(() => DateTime, { nullable: true }) leftAt: Date | null;
}

@ObjectType('CallViewerState', { description: 'What of a call is the viewer’s own.' })
export class CallViewerStateType {
  @Field(() => CallParticipantType, { nullable: true }) participant: object | null;
}

@ObjectType('CallQuality', { description: 'How a connection was, as it was measured last.' })
export class CallQualityType {
  @Field(() => Float, { description: 'Share of packets lost, 0 to 1.' }) loss: number;
  @Field(() => Float, { nullable: true }) roundTripMs: number | null;
  @Field(() => Float, { description: '0 (nothing arrives) to 10 (all arrives).' }) score: number;
}

@ObjectType('CallLogEntry', { description: 'A call as one person had it.' })
export class CallLogEntryType {
  @Field(() => ID) callId: string;
  @Field(() => ID) chatId: string;
  @Field(() => CallKind) kind: string;
  @Field(() => CallDirection) direction: string;
  @Field(() => CallOutcome) outcome: string;
  @Field(() => DateTime) startedAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When the viewer was in for the first time.' }) joinedAt: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When it was over for the viewer.' }) endedAt: Date | null;
  @Field(() => Int, { description: 'How long the viewer talked with anybody.' }) durationSeconds: number;
  @Field(() => CallQualityType, { nullable: true }) quality: object | null;
}

@ObjectType('CallTransport', { description: 'mediasoup-client’s parameters of a transport.' })
export class CallTransportType {
  @Field(() => ID) id: string;
  @Field(() => TransportDirection) direction: string;
  @Field(() => JsonScalar) iceParameters: object;
  @Field(() => JsonScalar) iceCandidates: object[];
  @Field(() => JsonScalar) dtlsParameters: object;
  @Field(() => JsonScalar, { nullable: true }) sctpParameters: object | null;
}

@ObjectType('CallTransportRef')
export class CallTransportRefType {
  @Field(() => ID) id: string;
  @Field(() => TransportDirection) direction: string;
}

@ObjectType('CallConsumer', { description: 'Something that the caller receives, with mediasoup-client’s parameters.' })
export class CallConsumerType {
  @Field(() => ID) id: string;
  @Field(() => ID) producerId: string;
  @Field(() => ID, { description: 'Whose it is.' }) participantId: string;
  @Field(() => CallProducerKind) kind: string;
  @Field(() => CallSource) source: string;
  @Field(() => JsonScalar) rtpParameters: object;
  @Field(() => String, { description: 'mediasoup’s: simple, simulcast, svc or pipe.' }) type: string;
  @Field(() => Boolean) paused: boolean;
  @Field(() => Boolean) producerPaused: boolean;
}

@ObjectType('CallDataConsumer')
export class CallDataConsumerType {
  @Field(() => ID) id: string;
  @Field(() => ID) dataProducerId: string;
  @Field(() => ID) participantId: string;
  @Field(() => String) label: string;
  @Field(() => String) protocol: string;
  @Field(() => JsonScalar) sctpStreamParameters: object;
}

@ObjectType('ResumedMedia', { description: 'What the caller had before their connection was lost, and has still.' })
export class ResumedMediaType {
  @Field(() => [CallTransportRefType]) transports: object[];
  @Field(() => [CallProducerType]) producers: object[];
  @Field(() => [CallConsumerType]) consumers: object[];
  @Field(() => [CallDataConsumerType]) dataConsumers: object[];
}

export const CallParticipantPages = connectionOf('CallParticipant', () => CallParticipantType);
export const CallLogPages = connectionOf('CallLogEntry', () => CallLogEntryType);
