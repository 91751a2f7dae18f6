import { createUnionType, Field, Float, ID, Int, ObjectType, type ClassType } from 'type-graphql';
import { CallLogEntryType, CallParticipantType, CallProducerType, CallRingEndReason, CallSource, CallTransportState, CallType } from './call.js';
import { ResyncRequiredType, StreamEventType } from './stream-event.js';

/** An event of a call's stream. */
@ObjectType({ implements: StreamEventType })
abstract class CallStreamEvent extends StreamEventType {
  @Field(() => ID) callId: string;
  @Field(() => Int, { description: 'Its number in the stream.' }) offset: number;
}
const event = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });

/** What tells of a call as it is now. */
@ObjectType({ implements: StreamEventType })
abstract class WithCall extends CallStreamEvent {
  @Field(() => CallType, { description: 'As it is now.' }) call: object;
}
@event('CallUpdated', 'State or rules of the call changed.')
export class CallUpdatedType extends WithCall {}
@event('CallRecordingChanged', 'Recording is asked for, has begun, or has ended.')
export class CallRecordingChangedType extends WithCall {}
@event('CallShowcaseChanged', 'The host shows something to be bought, or no longer.')
export class CallShowcaseChangedType extends WithCall {}
@event('CallMediaReset', 'What carried the call’s media is gone: join again, and find the seat as it was.')
export class CallMediaResetType extends WithCall {}

@event('CallStarted', 'A call began in the chat.')
export class CallStartedType extends WithCall {
  @Field(() => ID) chatId: string;
}
@event('CallEnded', 'A call is over: in the chat’s stream, and the last of the call’s own.')
export class CallEndedType extends WithCall {
  @Field(() => ID) chatId: string;
}

@ObjectType({ implements: StreamEventType })
abstract class OfParticipant extends CallStreamEvent {
  @Field(() => ID) participantId: string;
  @Field(() => CallParticipantType, { description: 'As they are now.' }) participant: object;
}
@event('ParticipantWaiting', 'Somebody is in the lobby.')
export class ParticipantWaitingType extends OfParticipant {}
@event('ParticipantAdmitted', 'Somebody was let in from the lobby: they join now.')
export class ParticipantAdmittedType extends OfParticipant {}
@event('ParticipantJoined', 'Somebody is in the call.')
export class ParticipantJoinedType extends OfParticipant {}
@event('ParticipantUpdated', 'Somebody is rung, has declined, was lost, is back, or may send what they might not.')
export class ParticipantUpdatedType extends OfParticipant {}
@event('ParticipantMoved', 'Somebody’s seat is on another of their devices. It is the last event for the device before.')
export class ParticipantMovedType extends OfParticipant {}
@event('ParticipantMuted', 'The host stopped something that somebody sends.')
export class ParticipantMutedType extends OfParticipant {
  @Field(() => CallSource) source: string;
  @Field(() => ID, { nullable: true, description: 'The participant who did it.' }) mutedById: string | null;
}
@event('ParticipantLeft', 'Somebody left, or did not come back in time. It is the last event for them; what they sent is closed.')
export class ParticipantLeftType extends OfParticipant {}
@event('ParticipantRemoved', 'Somebody was taken out of the call. It is the last event for them; what they sent is closed.')
export class ParticipantRemovedType extends OfParticipant {}
@event('CallHostChanged', 'The call has another host, who this is.')
export class CallHostChangedType extends OfParticipant {}

@ObjectType({ implements: StreamEventType })
abstract class OfProducer extends CallStreamEvent {
  @Field(() => ID) producerId: string;
  @Field(() => ID) participantId: string;
}
@event('ProducerAdded', 'Somebody sends something: consume it.')
export class ProducerAddedType extends OfProducer {
  @Field(() => CallProducerType, { nullable: true, description: 'Null when it is closed by now.' }) producer: object | null;
}
@event('ProducerUpdated', 'It was paused, or goes on.')
export class ProducerUpdatedType extends OfProducer {
  @Field(() => CallProducerType, { nullable: true, description: 'Null when it is closed by now.' }) producer: object | null;
}
@event('ProducerClosed', 'It is no longer sent.')
export class ProducerClosedType extends OfProducer {}

@ObjectType('CallAudioLevel')
export class CallAudioLevelType {
  @Field(() => ID) participantId: string;
  @Field(() => ID) producerId: string;
  @Field(() => Int, { description: '0 (silence) to 127 (the loudest: dBov + 127).' }) level: number;
}
@ObjectType('CallAudioLevels', { description: 'Who is heard, the loudest first; empty when all are silent. It passes: no cursor leads to it.' })
export class CallAudioLevelsType {
  @Field(() => ID) callId: string;
  @Field(() => [CallAudioLevelType]) levels: object[];
}
@ObjectType('DominantSpeakerChanged', { description: 'Who speaks now. It passes.' })
export class DominantSpeakerChangedType {
  @Field(() => ID) callId: string;
  @Field(() => ID) participantId: string;
  @Field(() => ID) producerId: string;
}
@ObjectType('CallConsumerChanged', { description: 'How something that the viewer receives comes through; for nobody else. It passes.' })
export class CallConsumerChangedType {
  @Field(() => ID) callId: string;
  @Field(() => ID) consumerId: string;
  @Field(() => ID) producerId: string;
  @Field(() => Boolean) paused: boolean;
  @Field(() => Boolean) producerPaused: boolean;
  @Field(() => Int, { nullable: true }) spatialLayer: number | null;
  @Field(() => Int, { nullable: true }) temporalLayer: number | null;
  @Field(() => Float, { description: '0 to 10.' }) score: number;
}
@ObjectType('CallTransportChanged', { description: 'One of the viewer’s transports was connected, lost, or closed; for nobody else. It passes.' })
export class CallTransportChangedType {
  @Field(() => ID) callId: string;
  @Field(() => ID) transportId: string;
  @Field(() => CallTransportState) state: string;
}

/** In the inbox. */
@event('IncomingCall', 'It rings for the viewer, on every device.')
export class IncomingCallType extends StreamEventType {
  @Field(() => ID) callId: string;
  @Field(() => CallType, { description: 'As it is now: it may be over.' }) call: object;
}
@event('CallRingEnded', 'It no longer rings for the viewer.')
export class CallRingEndedType extends StreamEventType {
  @Field(() => ID) callId: string;
  @Field(() => CallRingEndReason) endReason: string;
}
@event('CallLogChanged', 'A line of the viewer’s call log, as it is now.')
export class CallLogChangedType extends StreamEventType {
  @Field(() => ID) callId: string;
  @Field(() => CallLogEntryType, { nullable: true, description: 'Null when it is there no longer.' }) entry: object | null;
}

export const CALLS_OF_CHAT: ClassType[] = [CallStartedType, CallEndedType];
export const CALLS_OF_INBOX: ClassType[] = [IncomingCallType, CallRingEndedType, CallLogChangedType];
export const PARTICIPANT_EVENT_TYPES: ClassType[] = [
  ParticipantWaitingType, ParticipantAdmittedType, ParticipantJoinedType, ParticipantUpdatedType, ParticipantMovedType, ParticipantMutedType, ParticipantLeftType,
  ParticipantRemovedType, CallHostChangedType,
];
export const PRODUCER_EVENT_TYPES: ClassType[] = [ProducerAddedType, ProducerUpdatedType, ProducerClosedType];
export const WITH_CALL: ClassType[] = [CallUpdatedType, CallRecordingChangedType, CallShowcaseChangedType, CallMediaResetType, CallStartedType, CallEndedType, IncomingCallType];

export const CallEvent = createUnionType({
  name: 'CallEvent',
  description: 'What happens in a call: in order what has a cursor, in passing what has none.',
  types: () =>
    [
      CallUpdatedType, ...PARTICIPANT_EVENT_TYPES, ...PRODUCER_EVENT_TYPES, CallRecordingChangedType, CallShowcaseChangedType, CallMediaResetType, CallEndedType, ResyncRequiredType,
      CallAudioLevelsType, DominantSpeakerChangedType, CallConsumerChangedType, CallTransportChangedType,
    ] as never,
});
