import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { FileType } from './file.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const DATA_EXPORT_STATES = ['WAITING', 'READY', 'EXPIRED'] as const;
export type DataExportStateName = (typeof DATA_EXPORT_STATES)[number];
export const DataExportState = enumOf('DataExportState', DATA_EXPORT_STATES, 'WAITING: it is being made. EXPIRED: its file has been removed.');

@ObjectType('DataExport', { description: 'A copy of what the place has of somebody: a ZIP of JSON, and their files.' })
export class DataExportType {
  @Field(() => ID) id: string;
  @Field(() => UserType, { description: 'Whose data it is.' }) user: object;
  @Field(() => DataExportState) state: DataExportStateName;
  @Field(() => FileType, { nullable: true, description: 'Once it is READY.' }) file: object | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) finishedAt: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When the file is removed.' }) expiresAt: Date | null;
}
export const DataExportPages = connectionOf('DataExport', () => DataExportType);

@InputType('RequestDataExportInput')
export class RequestDataExportInput {
  @Field(() => ID, { nullable: true, description: 'Somebody else, for support: they find it among theirs. Oneself unless told.' }) userId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('RequestDataExportPayload')
export class RequestDataExportPayload {
  @Field(() => DataExportType) dataExport: object;
}

@InputType('DeleteAccountInput')
export class DeleteAccountInput {
  @Field(() => String, { description: 'One’s own, to say that it is meant.' }) handle: string;
  @Field(() => String, { nullable: true, description: 'Where the account has one.' }) password?: string | null;
}
@ObjectType('DeleteAccountPayload')
export class DeleteAccountPayload {
  @Field(() => ID, { description: 'What is kept names this id, behind which there is nobody any more.' }) userId: string;
}

@InputType('EraseUserInput')
export class EraseUserInput {
  @Field(() => ID) userId: string;
  @Field(() => String, { description: 'For the audit log. Up to 2 KiB.' }) reason: string;
}
@ObjectType('EraseUserPayload')
export class EraseUserPayload {
  @Field(() => UserType, { description: 'A pseudonym, from now on.' }) user: object;
}
