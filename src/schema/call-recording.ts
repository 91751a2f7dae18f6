import { Field, Float, ID, InputType, ObjectType } from 'type-graphql';
import { CallType } from './call.js';
import { BigIntScalar, DateTime } from './scalars.js';

@ObjectType('CallRecording', { description: 'What was recorded of a call. For those who were in it.' })
export class CallRecordingType {
  @Field(() => ID) id: string;
  @Field(() => DateTime) startedAt: Date;
  @Field(() => DateTime, { nullable: true }) endedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'Its key in the media store, once it is complete.' }) file: string | null;
  @Field(() => BigIntScalar, { nullable: true }) bytes: string | null;
  @Field(() => Float, { nullable: true }) durationMs: number | null;
}

@InputType('StartRecordingInput')
export class StartRecordingInput {
  @Field(() => ID) callId: string;
}
@ObjectType('StartRecordingPayload')
export class StartRecordingPayload {
  @Field(() => CallType) call: object;
}
@InputType('ConsentToRecordingInput')
export class ConsentToRecordingInput {
  @Field(() => ID) callId: string;
  @Field(() => Boolean) consent: boolean;
}
@ObjectType('ConsentToRecordingPayload')
export class ConsentToRecordingPayload {
  @Field(() => CallType) call: object;
}
@InputType('StopRecordingInput')
export class StopRecordingInput {
  @Field(() => ID) callId: string;
}
@ObjectType('StopRecordingPayload')
export class StopRecordingPayload {
  @Field(() => CallRecordingType, { nullable: true, description: 'Null when it had not begun.' }) recording: object | null;
}
