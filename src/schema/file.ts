import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { FILE_FAILURES, FILE_KINDS, FILE_STATES, type FileFailure as Failure, type FileKind as Kind, type FileState as State } from '../entities/file.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';

export const FileKind = enumOf('FileKind', FILE_KINDS);
export const FileState = enumOf('FileState', FILE_STATES, 'UPLOADING: its bytes are awaited. PROCESSING: they are looked at. READY: it is served. REJECTED: it never will be. DELETED: it was.');
export const FileFailure = enumOf('FileFailure', FILE_FAILURES, 'Why a file was rejected. UNSUPPORTED: of a kind that is not taken. UNREADABLE: broken.');

@ObjectType('File', { description: 'A file that somebody uploaded; or a picture elsewhere, of which no more than its `url` is known.' })
export class FileType {
  @Field(() => String, { nullable: true }) name: string | null;
  @Field(() => String, { nullable: true, description: 'Its real type, once it is READY.' }) contentType: string | null;
  @Field(() => Float, { nullable: true }) bytes: number | null;
  @Field(() => FileKind, { nullable: true }) kind: Kind | null;
  @Field(() => FileState, { nullable: true }) state: State | null;
  @Field(() => FileFailure, { nullable: true, description: 'Only when REJECTED.' }) failure: Failure | null;
  @Field(() => Int, { nullable: true, description: 'Of a picture or video, pixels.' }) width: number | null;
  @Field(() => Int, { nullable: true }) height: number | null;
  @Field(() => Int, { nullable: true, description: 'Of sound or video, milliseconds.' }) durationMs: number | null;
  @Field(() => String, { nullable: true, description: 'What to show of a picture or video until it is there: blurha.sh.' }) blurhash: string | null;
  @Field(() => DateTime, { nullable: true }) createdAt: Date | null;
}

@ObjectType('UploadHeader', { description: 'A header that must be sent with the bytes.' })
export class UploadHeaderType {
  @Field(() => String) name: string;
  @Field(() => String) value: string;
}

@ObjectType('UploadPart', { description: 'A part of a large file: PUT `bytes` of it, from `offset` on, to `url`.' })
export class UploadPartType {
  @Field(() => Int, { description: '1, 2, 3 …' }) number: number;
  @Field(() => Float) offset: number;
  @Field(() => Int) bytes: number;
  @Field(() => String) url: string;
}

@ObjectType('Upload', { description: 'Where to send a file: PUT all of it to `url`, or each of the `parts` to its own. Any order, several at once, again after a failure.' })
export class UploadType {
  @Field(() => String, { nullable: true, description: 'Null for a file in parts.' }) url: string | null;
  @Field(() => Int, { nullable: true }) partBytes: number | null;
  @Field(() => [UploadPartType], { description: 'Those that have not arrived.' }) parts: UploadPartType[];
  @Field(() => DateTime, { description: 'Until when it can be finished.' }) expiresAt: Date;
}

@ObjectType('StorageUse')
export class StorageUseType {
  @Field(() => Float, { description: 'Of all of one’s files, those under way included.' }) bytes: number;
  @Field(() => Float) limit: number;
}

@ObjectType('Attachment', { description: 'A file that came with a message.' })
export class AttachmentType {
  @Field(() => FileType) file: object;
  @Field(() => String, { nullable: true, description: 'What is written under this one; what is written under all of them is the `text` of the message.' }) caption: string | null;
}

@InputType('AttachmentInput')
export class AttachmentInput {
  @Field(() => ID, { description: 'One’s own file, READY.' }) fileId: string;
  @Field(() => String, { nullable: true, description: 'Up to 1 KiB.' }) caption?: string | null;
}

@InputType('CreateUploadInput')
export class CreateUploadInput {
  @Field(() => String, { description: 'As people see it, up to 255 bytes.' }) name: string;
  @Field(() => String, { description: 'As image/jpeg. The real bytes must be of this kind.' }) contentType: string;
  @Field(() => Float, { description: 'Exactly so many will be sent.' }) bytes: number;
  @Field(() => String, { description: 'SHA-256 of all bytes, in hex.' }) sha256: string;
  @Field(() => Boolean, { nullable: true, description: 'A voice message: gets a waveform, and its message is of the kind VOICE.' }) voice?: boolean | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('CreateUploadPayload')
export class CreateUploadPayload {
  @Field(() => FileType) file: object;
  @Field(() => UploadType, { nullable: true, description: 'Null when a repeat finds everything sent.' }) upload: object | null;
}

@InputType('CompleteUploadInput')
export class CompleteUploadInput {
  @Field(() => ID) fileId: string;
}

@ObjectType('CompleteUploadPayload')
export class CompleteUploadPayload {
  @Field(() => FileType, { description: 'READY, or REJECTED; a large file is PROCESSING first.' }) file: object;
}
