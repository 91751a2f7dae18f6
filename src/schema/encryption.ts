import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ChatType } from './chat.js';
import { connectionOf } from './connection.js';
import { GroupDeviceState } from './enums.js';
import { MessageType } from './message.js';
import { Bytes, DateTime } from './scalars.js';
import { StreamEventType } from './stream-event.js';

@ObjectType('Device', { description: 'A session that has registered an identity, and so can be in encrypted chats. It ends with the session.' })
export class DeviceType {
  @Field(() => ID) id: string;
  @Field(() => String, { nullable: true, description: 'The name that was given at the sign-in.' }) name: string | null;
  @Field(() => Bytes, { description: 'Ed25519. Compare it out of band: safetyNumber in the SDK.' }) signatureKey: Buffer;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When its session ended.' }) endedAt: Date | null;
}

@ObjectType('MlsCommit', { description: 'What leads from one epoch of a group into the next.' })
export class MlsCommitType {
  @Field(() => Int, { description: 'How often the group has been made anew, the first time included.' }) generation: number;
  @Field(() => Int, { description: 'The epoch that it leads out of.' }) epoch: number;
  @Field(() => ID, { description: 'The device whose commit it is.' }) deviceId: string;
  @Field(() => Bytes, { description: 'An MLSMessage.' }) content: Buffer;
  @Field(() => DateTime) createdAt: Date;
}
export const MlsCommitPages = connectionOf('MlsCommit', () => MlsCommitType);

@ObjectType('GroupDevice', { description: 'A device of a member, or one that is to be taken out.' })
export class GroupDeviceType {
  @Field(() => GroupDeviceState) state: 'IN_GROUP' | 'MISSING' | 'GONE';
}
export const GroupDevicePages = connectionOf('GroupDevice', () => GroupDeviceType);

@ObjectType('MlsGroup', { description: 'The group of an encrypted chat (RFC 9420), as far as the server knows it: docs/ENCRYPTION.md.' })
export class MlsGroupType {
  @Field(() => String, { description: 'The group_id, as UTF-8.' }) groupId: string;
  @Field(() => Int, { description: '1: MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519.' }) cipherSuite: number;
  @Field(() => Int) generation: number;
  @Field(() => Int, { nullable: true, description: 'Null while nobody has made the group.' }) epoch: number | null;
  @Field(() => Bytes, { nullable: true, description: 'A GroupInfo as MLSMessage, of this epoch: what a device needs to come in by an external commit.' }) groupInfo: Buffer | null;
}

@ObjectType('MlsWelcome', { description: 'What lets a device into a group.' })
export class MlsWelcomeType {
  @Field(() => ID) id: string;
  @Field(() => ChatType) chat: object;
  @Field(() => Int) generation: number;
  @Field(() => Int, { description: 'The epoch that one comes into.' }) epoch: number;
  @Field(() => Bytes, { description: 'An MLSMessage.' }) content: Buffer;
}
export const MlsWelcomePages = connectionOf('MlsWelcome', () => MlsWelcomeType);

@ObjectType('EncryptedBody', { description: 'What only the devices of the chat’s group can read.' })
export class EncryptedBodyType {
  @Field(() => Int) generation: number;
  @Field(() => Int) epoch: number;
  @Field(() => ID, { description: 'The device that has encrypted it.' }) deviceId: string;
  @Field(() => Bytes, { description: 'An MLSMessage: a PrivateMessage of an application.' }) content: string;
}

@InputType('KeyPackagesInput')
export class KeyPackagesInput {
  @Field(() => [Bytes], { description: 'Up to 100, each an MLSMessage of up to 8 KiB. Its credential is basic and says `<id of the user>/<id of the device>`; the device is `Viewer.deviceId`.' }) keyPackages: Buffer[];
  @Field(() => Bytes, { nullable: true, description: 'One that is given when no other is left, and so more than once. Replaces the earlier one.' }) lastResortKeyPackage?: Buffer | null;
}
@ObjectType('RegisterDevicePayload')
export class RegisterDevicePayload {
  @Field(() => DeviceType) device: object;
}
@ObjectType('UploadKeyPackagesPayload')
export class UploadKeyPackagesPayload {
  @Field(() => DeviceType) device: object;
}

@InputType('ClaimKeyPackagesInput')
export class ClaimKeyPackagesInput {
  @Field(() => ID) chatId: string;
  @Field(() => [ID], { description: 'Up to 100 devices of members.' }) deviceIds: string[];
}
@ObjectType('ClaimedKeyPackage')
export class ClaimedKeyPackageType {
  @Field(() => ID) deviceId: string;
  @Field(() => Bytes, { description: 'An MLSMessage.' }) content: Buffer;
  @Field(() => Boolean, { description: 'Others may be given it, too.' }) lastResort: boolean;
}
@ObjectType('ClaimKeyPackagesPayload')
export class ClaimKeyPackagesPayload {
  @Field(() => [ClaimedKeyPackageType], { description: 'Of the devices that have any.' }) keyPackages: object[];
}

@InputType('CreateMlsGroupInput')
export class CreateMlsGroupInput {
  @Field(() => ID) chatId: string;
  @Field(() => Bytes, { description: 'Up to 256 KiB: a GroupInfo as MLSMessage, of epoch 0, whose group_id is `MlsGroup.groupId`; of the next generation to replace a group.' }) groupInfo: Buffer;
}
@ObjectType('CreateMlsGroupPayload')
export class CreateMlsGroupPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('CommitMlsGroupInput')
export class CommitMlsGroupInput {
  @Field(() => ID) chatId: string;
  @Field(() => Bytes, { description: 'Up to 64 KiB: an MLSMessage of the group’s epoch. Its proposals stand in it.' }) commit: Buffer;
  @Field(() => Bytes, { nullable: true, description: 'Up to 256 KiB, for the devices that it adds: an MLSMessage.' }) welcome?: Buffer | null;
  @Field(() => Bytes, { description: 'Up to 256 KiB: the GroupInfo of the new epoch, with the ratchet tree and the external_pub extension, as MLSMessage.' }) groupInfo: Buffer;
  @Field(() => [ID], { nullable: true, description: 'The devices that it removes: those that are GONE, and one’s own others.' }) removedDeviceIds?: string[] | null;
}
@ObjectType('CommitMlsGroupPayload')
export class CommitMlsGroupPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('ForgetWelcomesInput')
export class ForgetWelcomesInput {
  @Field(() => [ID], { description: 'Up to 100.' }) welcomeIds: string[];
}
@ObjectType('ForgetWelcomesPayload')
export class ForgetWelcomesPayload {
  @Field(() => [ID]) welcomeIds: string[];
}

@InputType('SendEncryptedMessageInput')
export class SendEncryptedMessageInput {
  @Field(() => ID) chatId: string;
  @Field(() => Bytes, { description: 'Up to 64 KiB: an MLSMessage of the group’s epoch, a PrivateMessage of an application.' }) content: Buffer;
  @Field(() => ID, { nullable: true, description: 'The server sees what answers what.' }) replyToId?: string | null;
  @Field(() => ID, { nullable: true }) threadRootId?: string | null;
  @Field(() => ID, { description: 'Not bound to `content`: after EPOCH_CONFLICT, or a lost answer, encrypt again and keep the key.' }) idempotencyKey: string;
}
@ObjectType('SendEncryptedMessagePayload')
export class SendEncryptedMessagePayload {
  @Field(() => MessageType) message: object;
}

const event = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });

@event('EncryptionCommitted', 'The group of an encrypted chat has gone into its next epoch.')
export class EncryptionCommittedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => Int) offset: number;
  @Field(() => MlsCommitType, { nullable: true, description: 'Null when it is not kept any more.' }) commit: object | null;
}
@event('EncryptionChanged', 'A group was made, or the devices of a member are others: read MlsGroup.devices again.')
export class EncryptionChangedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => Int) offset: number;
}
@event('WelcomeAdded', 'A device of the viewer’s was let into the group of an encrypted chat. The device itself finds it in Viewer.welcomes.')
export class WelcomeAddedType extends StreamEventType {
  @Field(() => ID) welcomeId: string;
  @Field(() => ID) deviceId: string;
  @Field(() => ID) chatId: string;
}
@event('KeyPackagesLow', 'Fewer than 10 key packages of a device of the viewer’s are left.')
export class KeyPackagesLowType extends StreamEventType {
  @Field(() => ID) deviceId: string;
}
export const ENCRYPTION_OF_CHAT = [EncryptionCommittedType, EncryptionChangedType];
export const ENCRYPTION_OF_INBOX = [WelcomeAddedType, KeyPackagesLowType];
