import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('AskingApp', { description: 'An app that asks to act for the viewer, as the page shows it on which they say yes.' })
export class AskingAppType {
  @Field(() => ID, { description: 'Its client_id.' }) id: string;
  @Field(() => String) name: string;
  @Field(() => UserType, { description: 'Whose program it is.' }) owner: object;
  @Field(() => [String], { description: 'What it asks for.' }) scopes: string[];
}

@ObjectType('AuthorizedApp', { description: 'An app that the viewer has let act for them.' })
export class AuthorizedAppType {
  @Field(() => ID, { description: 'Its client_id.' }) id: string;
  @Field(() => String) name: string;
  @Field(() => [String], { description: 'What it may do.' }) scopes: string[];
  @Field(() => DateTime) authorizedAt: Date;
  @Field(() => DateTime, { description: 'When it last asked for new tokens.' }) lastActiveAt: Date;
}
export const AuthorizedAppPages = connectionOf('AuthorizedApp', () => AuthorizedAppType);

@InputType('RevokeAppAccessInput')
export class RevokeAppAccessInput {
  @Field(() => ID) appId: string;
}
@ObjectType('RevokeAppAccessPayload')
export class RevokeAppAccessPayload {
  @Field(() => ID) appId: string;
}
