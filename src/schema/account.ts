import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('Session', { description: 'One device on which a person is signed in.' })
export class SessionType {
  @Field(() => ID) id: string;
  @Field(() => String, { nullable: true }) device: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime) lastActiveAt: Date;
}
export const SessionPages = connectionOf('Session', () => SessionType);

@InputType('SignUpInput')
export class SignUpInput {
  @Field(() => String) email: string;
  @Field(() => String, { description: '8 to 256 characters.' }) password: string;
  @Field(() => String, { description: '3 to 32 of a–z, 0–9, _ and .' }) handle: string;
  @Field(() => String) displayName: string;
  @Field(() => String, { nullable: true, description: 'A name for this device.' }) device?: string | null;
}

@ObjectType('SignUpPayload')
export class SignUpPayload {
  @Field(() => String) accessToken: string;
  @Field(() => DateTime) accessTokenExpiresAt: Date;
  @Field(() => String) refreshToken: string;
  @Field(() => UserType) user: object;
  @Field(() => SessionType) session: object;
}
