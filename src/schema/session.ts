import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';

@ObjectType('SessionViewerState')
export class SessionViewerStateType {
  @Field(() => Boolean, { description: 'It is the session that asks.' }) current: boolean;
}

@ObjectType('Session', { description: 'One device on which a person is signed in.' })
export class SessionType {
  @Field(() => ID) id: string;
  @Field(() => String, { nullable: true, description: 'The name that was given at the sign-in.' }) device: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { description: 'When it was last refreshed.' }) lastActiveAt: Date;
}
export const SessionPages = connectionOf('Session', () => SessionType);

@InputType('SignOutInput', { description: 'Empty: this session.' })
export class SignOutInput {
  @Field(() => ID, { nullable: true, description: 'Another session of one’s own.' }) sessionId?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Every session but this one.' }) allOthers?: boolean | null;
}
@ObjectType('SignOutPayload')
export class SignOutPayload {
  @Field(() => [ID], { description: 'The sessions that have ended by it.' }) endedSessionIds: string[];
}

@InputType('RefreshSessionInput')
export class RefreshSessionInput {
  @Field(() => String, { description: 'The newest of the session. Ask without `Authorization`.' }) refreshToken: string;
}
