import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { UserType } from './user.js';

@InputType('RequestEmailVerificationInput')
export class RequestEmailVerificationInput {
  @Field(() => String, { nullable: true, description: 'A new address for the account; its present one when left out.' }) email?: string | null;
  @Field(() => String, { nullable: true, description: 'Needed for a new address, by whoever has a password.' }) password?: string | null;
}
@ObjectType('RequestEmailVerificationPayload')
export class RequestEmailVerificationPayload {
  @Field(() => String, { description: 'Where the mail goes, unless it is verified already.' }) email: string;
}

@InputType('VerifyEmailInput')
export class VerifyEmailInput {
  @Field(() => String, { description: 'From the mail.' }) token: string;
}
@ObjectType('VerifyEmailPayload')
export class VerifyEmailPayload {
  @Field(() => UserType) user: object;
  @Field(() => String) email: string;
}

@InputType('RequestPasswordResetInput')
export class RequestPasswordResetInput {
  @Field(() => String) email: string;
}
@ObjectType('RequestPasswordResetPayload', { description: 'The same for every address, whether an account has it or not.' })
export class RequestPasswordResetPayload {
  @Field(() => String) email: string;
}

@InputType('ResetPasswordInput')
export class ResetPasswordInput {
  @Field(() => String, { description: 'From the mail.' }) token: string;
  @Field(() => String, { description: '8 to 256 characters.' }) password: string;
}
@ObjectType('ResetPasswordPayload')
export class ResetPasswordPayload {
  @Field(() => UserType) user: object;
}

@InputType('ChangePasswordInput')
export class ChangePasswordInput {
  @Field(() => String, { nullable: true, description: 'Left out by whoever has none yet.' }) currentPassword?: string | null;
  @Field(() => String, { description: '8 to 256 characters.' }) newPassword: string;
}
@ObjectType('ChangePasswordPayload')
export class ChangePasswordPayload {
  @Field(() => UserType) user: object;
  @Field(() => [ID], { description: 'The viewer’s other sessions, which have ended by it.' }) endedSessionIds: string[];
}
