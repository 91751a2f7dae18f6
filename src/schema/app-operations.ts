import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';

@ObjectType('AppOperation', { description: 'An operation that an app has registered: its clients may send `documentId` instead of its text.' })
export class AppOperationType {
  @Field(() => String, { description: 'SHA-256 of its document, as 64 hexadecimal digits: the `documentId`.' }) hash: string;
  @Field(() => String, { nullable: true, description: 'What the operation calls itself.' }) name: string | null;
  @Field(() => String) document: string;
  @Field(() => DateTime) createdAt: Date;
}
export const AppOperationPages = connectionOf('AppOperation', () => AppOperationType);

@InputType('RegisterAppOperationsInput')
export class RegisterAppOperationsInput {
  @Field(() => ID) appId: string;
  @Field(() => [String], { description: '1 to 200, each with one operation, letter by letter as clients hash it.' }) documents: string[];
}
@ObjectType('RegisterAppOperationsPayload')
export class RegisterAppOperationsPayload {
  @Field(() => [AppOperationType], { description: 'In the order of the documents; also those that were there already.' }) operations: object[];
}
@InputType('RemoveAppOperationsInput')
export class RemoveAppOperationsInput {
  @Field(() => ID) appId: string;
  @Field(() => [String], { description: '1 to 200.' }) hashes: string[];
}
@ObjectType('RemoveAppOperationsPayload')
export class RemoveAppOperationsPayload {
  @Field(() => [String], { description: 'Those that were there.' }) removedHashes: string[];
}
