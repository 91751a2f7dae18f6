import { Field, InputType, ObjectType } from 'type-graphql';
import { DateTime } from './scalars.js';
import { SessionType } from './session.js';
import { UserType } from './user.js';

@InputType('RequestPhoneCodeInput')
export class RequestPhoneCodeInput {
  @Field(() => String, { description: 'With its country’s code, as +41 79 123 45 67.' }) phone: string;
}
@ObjectType('RequestPhoneCodePayload')
export class RequestPhoneCodePayload {
  @Field(() => String, { description: 'The number in E.164.' }) phone: string;
  @Field(() => DateTime) expiresAt: Date;
  @Field(() => DateTime, { description: 'Another code can be asked for from then on.' }) resendAt: Date;
}

@InputType('VerifyPhoneCodeInput')
export class VerifyPhoneCodeInput {
  @Field(() => String) phone: string;
  @Field(() => String, { description: 'The six digits that were sent last.' }) code: string;
  @Field(() => String, { nullable: true, description: 'For a new person; one is made when it is left out.' }) handle?: string | null;
  @Field(() => String, { nullable: true, description: 'For a new person.' }) displayName?: string | null;
  @Field(() => String, { nullable: true, description: 'A name for this device.' }) device?: string | null;
}
@ObjectType('VerifyPhoneCodePayload', { description: 'Without tokens when a signed-in viewer has linked the number: their session goes on.' })
export class VerifyPhoneCodePayload {
  @Field(() => String, { nullable: true }) accessToken: string | null;
  @Field(() => DateTime, { nullable: true }) accessTokenExpiresAt: Date | null;
  @Field(() => String, { nullable: true }) refreshToken: string | null;
  @Field(() => UserType) user: object;
  @Field(() => SessionType) session: object;
}
