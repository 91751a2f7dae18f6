import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { CallKind as Kind, ScreenShareRule as Rule, Source } from '../entities/call.js';
import { CallKind, CallParticipantType, CallProducerType, CallRole, CallSource, CallType, ResumedMediaType, ScreenShareRule } from './call.js';
import { DateTime, EventCursor, JsonScalar } from './scalars.js';

@InputType('StartCallInput')
export class StartCallInput {
  @Field(() => ID) chatId: string;
  @Field(() => CallKind) kind: Kind;
  @Field(() => Boolean, { defaultValue: true, description: 'Whether it rings for others, 32 at the most. A call that doesn’t is there to be joined.' }) ring: boolean;
  @Field(() => [ID], { nullable: true, description: 'Whom it rings for; default: everybody in the chat.' }) ringUserIds?: string[] | null;
  @Field(() => Boolean, { defaultValue: false, description: 'Whoever joins waits until the host lets them in. Not between two.' }) lobby: boolean;
  @Field(() => ScreenShareRule, { defaultValue: 'ONE' }) screenShare: Rule;
  @Field(() => ID) idempotencyKey: string;
}

@InputType()
abstract class OfCall {
  @Field(() => ID) callId: string;
}
@InputType()
abstract class OfParticipant extends OfCall {
  @Field(() => ID) participantId: string;
}

@InputType('RingCallInput')
export class RingCallInput extends OfCall {
  @Field(() => [ID], { description: 'Members of the call’s chat, 32 at the most.' }) userIds: string[];
}
@InputType('JoinCallInput')
export class JoinCallInput extends OfCall {
  @Field(() => Boolean, { defaultValue: false, description: 'Takes the seat from another of the viewer’s devices.' }) takeOver: boolean;
  @Field(() => Boolean, { defaultValue: false, description: 'Neither sends nor receives video.' }) voiceOnly: boolean;
  @Field(() => Boolean, { defaultValue: false, description: 'Needed to join a call that is recorded.' }) recordingConsent: boolean;
  @Field(() => String, { nullable: true, description: 'Where the caller is, as the operator names regions: their media goes to a server there, if one carries calls. Default: where the server is that answers.' }) region?: string | null;
}
@InputType('DeclineCallInput')
export class DeclineCallInput extends OfCall {}
@InputType('LeaveCallInput')
export class LeaveCallInput extends OfCall {}
@InputType('EndCallInput')
export class EndCallInput extends OfCall {}
@InputType('UpdateCallInput')
export class UpdateCallInput extends OfCall {
  @Field(() => Boolean, { nullable: true }) locked?: boolean | null;
  @Field(() => Boolean, { nullable: true }) lobby?: boolean | null;
  @Field(() => ScreenShareRule, { nullable: true }) screenShare?: Rule | null;
}
@InputType('AdmitParticipantInput')
export class AdmitParticipantInput extends OfParticipant {}
@InputType('RemoveParticipantInput')
export class RemoveParticipantInput extends OfParticipant {}
@InputType('TransferCallHostInput')
export class TransferCallHostInput extends OfParticipant {}
@InputType('MuteParticipantInput')
export class MuteParticipantInput extends OfParticipant {
  @Field(() => CallSource, { defaultValue: 'MICROPHONE' }) source: Source;
  @Field(() => Boolean, { defaultValue: false, description: 'They may send it again only after allowParticipant.' }) hold: boolean;
}
@InputType('AllowParticipantInput')
export class AllowParticipantInput extends OfParticipant {
  @Field(() => CallSource, { defaultValue: 'MICROPHONE' }) source: Source;
}

const callPayload = (name: string) => {
  @ObjectType(name)
  class Payload {
    @Field(() => CallType) call: object;
  }
  return Payload;
};
const participantPayload = (name: string) => {
  @ObjectType(name)
  class Payload {
    @Field(() => CallParticipantType) participant: object;
  }
  return Payload;
};
export const StartCallPayload = callPayload('StartCallPayload');
export const RingCallPayload = callPayload('RingCallPayload');
export const DeclineCallPayload = callPayload('DeclineCallPayload');
export const LeaveCallPayload = callPayload('LeaveCallPayload');
export const EndCallPayload = callPayload('EndCallPayload');
export const UpdateCallPayload = callPayload('UpdateCallPayload');
export const TransferCallHostPayload = callPayload('TransferCallHostPayload');
export const AdmitParticipantPayload = participantPayload('AdmitParticipantPayload');
export const RemoveParticipantPayload = participantPayload('RemoveParticipantPayload');
export const MuteParticipantPayload = participantPayload('MuteParticipantPayload');
export const AllowParticipantPayload = participantPayload('AllowParticipantPayload');

@ObjectType('JoinCallPayload')
export class JoinCallPayload {
  @Field(() => CallType) call: object;
  @Field(() => CallParticipantType, { description: 'WAITING: in the lobby; join again once ParticipantAdmitted has come.' }) participant: object;
  @Field(() => JsonScalar, { nullable: true, description: 'What mediasoup-client’s Device is loaded with. Null in the lobby.' }) rtpCapabilities: object | null;
  @Field(() => [CallProducerType], { description: 'What the others send.' }) producers: object[];
  @Field(() => ResumedMediaType, { description: 'What the caller has still of before.' }) own: object;
  @Field(() => EventCursor, { description: 'Follow callEvents from here, within 30 seconds: that keeps the seat.' }) cursor: string;
}

@InputType('CreateCallTokenInput')
export class CreateCallTokenInput extends OfCall {
  @Field(() => String, { description: 'The guest’s name, as the others see it.' }) name: string;
  @Field(() => CallRole, { defaultValue: 'SPEAKER' }) role: 'SPEAKER' | 'LISTENER';
  @Field(() => Boolean, { defaultValue: false }) skipLobby: boolean;
  @Field(() => Int, { defaultValue: 3_600, description: 'Seconds, 60 to 86,400. It ends with the call in any case.' }) expiresIn: number;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateCallTokenPayload')
export class CreateCallTokenPayload {
  @Field(() => ID) tokenId: string;
  @Field(() => String, { description: 'Sent as `Authorization: Bearer …`: it is good for this call’s operations and callEvents, and nothing else.' }) token: string;
  @Field(() => DateTime) expiresAt: Date;
}
@InputType('RevokeCallTokenInput')
export class RevokeCallTokenInput {
  @Field(() => ID) tokenId: string;
}
@ObjectType('RevokeCallTokenPayload')
export class RevokeCallTokenPayload {
  @Field(() => ID) tokenId: string;
}

@InputType('CreateTurnCredentialsInput')
export class CreateTurnCredentialsInput {
  @Field(() => ID, { nullable: true, description: 'A call that the caller may join; needed from guests.' }) callId?: string | null;
}
@ObjectType('CreateTurnCredentialsPayload')
export class CreateTurnCredentialsPayload {
  @Field(() => [String]) urls: string[];
  @Field(() => String) username: string;
  @Field(() => String) credential: string;
  @Field(() => DateTime) expiresAt: Date;
}

