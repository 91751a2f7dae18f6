import { Field, InputType, ObjectType } from 'type-graphql';
import { DateTime } from './scalars.js';
import { SessionType } from './session.js';
import { UserType } from './user.js';

/** What whoever signs in is answered. */
@ObjectType()
export abstract class GrantPayload {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer …`, until it expires.' }) accessToken: string;
  @Field(() => DateTime) accessTokenExpiresAt: Date;
  @Field(() => String, { description: 'Good once, for `refreshSession`. Keep it as you would a password.' }) refreshToken: string;
  @Field(() => UserType) user: object;
  @Field(() => SessionType) session: object;
}

@InputType('SignUpInput')
export class SignUpInput {
  @Field(() => String) email: string;
  @Field(() => String, { description: '8 to 256 characters.' }) password: string;
  @Field(() => String, { description: '3 to 32 of a–z, 0–9, _ and, inside, full stops.' }) handle: string;
  @Field(() => String) displayName: string;
  @Field(() => String, { nullable: true, description: 'A name for this device.' }) device?: string | null;
}
@ObjectType('SignUpPayload')
export class SignUpPayload extends GrantPayload {}

@InputType('SignInInput')
export class SignInInput {
  @Field(() => String) email: string;
  @Field(() => String) password: string;
  @Field(() => String, { nullable: true, description: 'A name for this device.' }) device?: string | null;
}
@ObjectType('SignInPayload')
export class SignInPayload extends GrantPayload {}

@ObjectType('RefreshSessionPayload')
export class RefreshSessionPayload extends GrantPayload {}

@InputType('SignInWithIdentityInput')
export class SignInWithIdentityInput {
  @Field(() => String, { description: 'An ID token (a signed JWT) of the identity provider.' }) token: string;
  @Field(() => String, { nullable: true, description: 'A name for this device.' }) device?: string | null;
}
@ObjectType('SignInWithIdentityPayload')
export class SignInWithIdentityPayload extends GrantPayload {}
