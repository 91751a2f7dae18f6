import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('App', { description: 'A program of the viewer’s that acts for them, or for people who let it: docs/PARTNERS.md.' })
export class AppType {
  @Field(() => ID, { description: 'Also its client_id.' }) id: string;
  @Field(() => String) name: string;
  @Field(() => [String]) redirectUris: string[];
  @Field(() => [String], { description: 'The most that it may be given, as chats:read.' }) scopes: string[];
  @Field(() => Boolean, { description: 'It executes nothing but the operations that it has registered.' }) registeredOnly: boolean;
  @Field(() => Boolean, { description: 'It keeps a secret. Else it is a page, or a program on somebody’s machine, and nobody but PKCE knows it again.' }) confidential: boolean;
  @Field(() => [String], { description: 'By which the tickets are verified that its server signs for its own users: JWKs, as JSON.' }) publicKeys: string[];
  @Field(() => DateTime) createdAt: Date;
}
export const AppPages = connectionOf('App', () => AppType);

@ObjectType('ApiKey', { description: 'By which an app acts for its owner.' })
export class ApiKeyType {
  @Field(() => ID) id: string;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'Its beginning and end.' }) hint: string;
  @Field(() => [String]) scopes: string[];
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) expiresAt: Date | null;
  @Field(() => DateTime, { nullable: true }) revokedAt: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'Within a minute.' }) lastUsedAt: Date | null;
}
export const ApiKeyPages = connectionOf('ApiKey', () => ApiKeyType);

@InputType('CreateAppInput')
export class CreateAppInput {
  @Field(() => String) name: string;
  @Field(() => [String], { description: 'Up to 10; where people are sent back to, compared letter by letter. None for an app that acts for its owner alone.' }) redirectUris: string[];
  @Field(() => [String], { description: 'The most that it may be given.' }) scopes: string[];
  @Field(() => Boolean, { defaultValue: true, description: 'False for an app that can keep no secret: it has none, and no credentials of its own. It stays so.' }) confidential: boolean;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateAppPayload')
export class CreateAppPayload {
  @Field(() => AppType) app: object;
  @Field(() => String, { nullable: true, description: 'Shown here alone; null in the answer to a repeat, and of an app that is not confidential.' }) clientSecret: string | null;
}
@InputType('UpdateAppInput', { description: 'What is left out stays.' })
export class UpdateAppInput {
  @Field(() => ID) appId: string;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => [String], { nullable: true }) redirectUris?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'What is taken away, its keys and the sessions that it holds have no more, within seconds.' }) scopes?: string[] | null;
  @Field(() => Boolean, { nullable: true, description: 'Execute nothing but the operations that it has registered, whoever it acts for; within seconds.' }) registeredOnly?: boolean | null;
  @Field(() => [String], { nullable: true, description: 'Up to 4 JWKs as JSON, each with a kid: Ed25519, P-256, or RSA of 2048 bits at least. In place of those that there are.' }) publicKeys?: string[] | null;
}
@ObjectType('UpdateAppPayload')
export class UpdateAppPayload {
  @Field(() => AppType) app: object;
}
@InputType('DeleteAppInput')
export class DeleteAppInput {
  @Field(() => ID) appId: string;
}
@ObjectType('DeleteAppPayload')
export class DeleteAppPayload {
  @Field(() => ID) appId: string;
}
@InputType('RotateAppSecretInput')
export class RotateAppSecretInput {
  @Field(() => ID) appId: string;
}
@ObjectType('RotateAppSecretPayload')
export class RotateAppSecretPayload {
  @Field(() => AppType) app: object;
  @Field(() => String, { description: 'Shown here alone. The old one is good for a day more.' }) clientSecret: string;
}
@InputType('CreateApiKeyInput')
export class CreateApiKeyInput {
  @Field(() => ID) appId: string;
  @Field(() => String) name: string;
  @Field(() => [String], { nullable: true, description: 'Some of the app’s; all unless told.' }) scopes?: string[] | null;
  @Field(() => Int, { nullable: true, description: '1 to 3650; never unless told.' }) expiresInDays?: number | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateApiKeyPayload')
export class CreateApiKeyPayload {
  @Field(() => ApiKeyType) apiKey: object;
  @Field(() => String, { nullable: true, description: 'Send it as `Authorization: Bearer …`. Shown here alone; null in the answer to a repeat.' }) key: string | null;
}
@InputType('RevokeApiKeyInput')
export class RevokeApiKeyInput {
  @Field(() => ID) apiKeyId: string;
}
@ObjectType('RevokeApiKeyPayload')
export class RevokeApiKeyPayload {
  @Field(() => ApiKeyType) apiKey: object;
}
@InputType('RotateApiKeyInput')
export class RotateApiKeyInput {
  @Field(() => ID) apiKeyId: string;
  @Field(() => Int, { defaultValue: 24, description: 'For how long the old key is good, too: 0 to 720.' }) overlapHours: number;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('RotateApiKeyPayload')
export class RotateApiKeyPayload {
  @Field(() => ApiKeyType) apiKey: object;
  @Field(() => String, { nullable: true, description: 'Shown here alone; null in the answer to a repeat.' }) key: string | null;
  @Field(() => ApiKeyType, { description: 'The old one, with its end.' }) previous: object;
}
@InputType('AuthorizeAppInput')
export class AuthorizeAppInput {
  @Field(() => ID) clientId: string;
  @Field(() => String) redirectUri: string;
  @Field(() => [String]) scopes: string[];
  @Field(() => String, { description: 'Of PKCE, by S256.' }) codeChallenge: string;
  @Field(() => String, { nullable: true }) state?: string | null;
}
@ObjectType('AuthorizeAppPayload')
export class AuthorizeAppPayload {
  @Field(() => String, { description: 'Where to send the person, with the code.' }) redirectTo: string;
}
@InputType('IssueUserTokenInput')
export class IssueUserTokenInput {
  @Field(() => String, { description: 'The partner’s own id of the user.' }) externalId: string;
  @Field(() => String, { nullable: true, description: 'For a user who is new here.' }) displayName?: string | null;
}
@ObjectType('IssueUserTokenPayload')
export class IssueUserTokenPayload {
  @Field(() => UserType) user: object;
  @Field(() => String) accessToken: string;
  @Field(() => DateTime) accessTokenExpiresAt: Date;
}
