import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import type { EncryptedRef } from '../entities/message.js';
import { decodeId, decodeMessageId, encodeId } from '../lib/ids.js';
import { CIPHER_SUITE } from '../lib/mls-wire.js';
import { UNAVAILABLE_WHEN_ENCRYPTED, type ChatFeature } from '../policies/mls-policy.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  ClaimedKeyPackageType, ClaimKeyPackagesInput, ClaimKeyPackagesPayload, CommitMlsGroupInput, CommitMlsGroupPayload, CreateMlsGroupInput, CreateMlsGroupPayload, DeviceType, EncryptedBodyType, ForgetWelcomesInput,
  ForgetWelcomesPayload, GroupDevicePages, GroupDeviceType, KeyPackagesInput, MlsCommitPages, MlsCommitType, MlsGroupType, MlsWelcomePages, MlsWelcomeType, RegisterDevicePayload, SendEncryptedMessageInput,
  SendEncryptedMessagePayload, UploadKeyPackagesPayload,
} from '../schema/encryption.js';
import { ChatFeatureEnum, GroupDeviceState } from '../schema/enums.js';
import { MessageType } from '../schema/message.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { chatById, type ChatRow } from '../services/loaders/chats.js';
import type { MessageRow } from '../services/loaders/messages.js';
import type { CommitRow, DeviceRow, MlsGroupRow, WelcomeRow } from '../services/loaders/mls.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { ClaimedPackage, DeviceService, NewKeyPackages } from '../services/mls/devices.js';
import type { EncryptedMessageService } from '../services/mls/encrypted-messages.js';
import type { MlsGroupService } from '../services/mls/groups.js';
import { groupIdOf } from '../services/mls/names.js';
import type { GroupDeviceRow, MlsReading } from '../services/mls/reading.js';
import type { Context, Viewer } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const packagesOf = ({ keyPackages, lastResortKeyPackage }: KeyPackagesInput): NewKeyPackages => ({ keyPackages, lastResort: lastResortKeyPackage ?? null });

@Resolver(() => DeviceType)
export class DeviceResolver {
  constructor(private readonly devices: DeviceService) {}

  @Mutation(() => RegisterDevicePayload, { description: 'Gives this session an identity, by which it can be in encrypted chats.' })
  async registerDevice(@Arg('input', () => KeyPackagesInput) input: KeyPackagesInput, @Ctx() context: Context): Promise<{ device: DeviceRow }> {
    return { device: await this.devices.register(context.requireViewer(), packagesOf(input)) };
  }

  @Mutation(() => UploadKeyPackagesPayload, { description: 'At most 200 of a device are kept.' })
  async uploadKeyPackages(@Arg('input', () => KeyPackagesInput) input: KeyPackagesInput, @Ctx() context: Context): Promise<{ device: DeviceRow }> {
    return { device: await this.devices.upload(context.requireViewer(), packagesOf(input)) };
  }

  @Mutation(() => ClaimKeyPackagesPayload, { description: 'Takes a key package of each of these devices, to let them into an encrypted chat.' })
  async claimKeyPackages(@Arg('input', () => ClaimKeyPackagesInput) input: ClaimKeyPackagesInput, @Ctx() context: Context): Promise<{ keyPackages: ClaimedPackage[] }> {
    const viewer = context.requireViewer();
    const deviceIds = input.deviceIds.map((id) => decodeId('Device', id, 'deviceIds'));
    return { keyPackages: await this.devices.claim(viewer, decodeId('Chat', input.chatId, 'chatId'), deviceIds) };
  }

  @FieldResolver()
  id(@Root() device: DeviceRow): string {
    return encodeId('Device', device.id);
  }

  @FieldResolver(() => UserType)
  user(@Root() device: DeviceRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, device.userId);
  }
}

@Resolver(() => ClaimedKeyPackageType)
export class ClaimedKeyPackageResolver {
  @FieldResolver()
  deviceId(@Root() claimed: ClaimedPackage): string {
    return encodeId('Device', claimed.deviceId);
  }
  @FieldResolver()
  content(@Root() claimed: ClaimedPackage): Buffer {
    return claimed.package;
  }
}

@Resolver(() => ViewerType)
export class ViewerDevicesResolver {
  constructor(
    private readonly devices: DeviceService,
    private readonly reading: MlsReading,
  ) {}

  @FieldResolver(() => ID, { description: 'What this session is called as a device, also before it has registered.' })
  deviceId(@Root() viewer: Viewer): string {
    return encodeId('Device', viewer.sessionId);
  }

  @FieldResolver(() => DeviceType, { nullable: true, description: 'Null while this session has not registered as a device.' })
  device(@Root() viewer: Viewer): Promise<DeviceRow | null> {
    return this.devices.own(viewer);
  }

  @FieldResolver(() => Int, { description: 'Of this device: how many are left for others to claim, the last resort aside.' })
  keyPackagesLeft(@Root() viewer: Viewer): Promise<number> {
    return this.devices.left(viewer.sessionId);
  }

  @FieldResolver(() => MlsWelcomePages.Connection, { description: 'What has let this device into groups, oldest first, until it is forgotten.' })
  welcomes(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<WelcomeRow>> {
    return this.reading.welcomes(viewer, args);
  }
}

@Resolver(() => ChatType)
export class ChatEncryptionResolver {
  constructor(
    private readonly groups: MlsGroupService,
    private readonly reading: MlsReading,
  ) {}

  @Mutation(() => CreateMlsGroupPayload, { description: 'Makes the group of an encrypted chat; or, for those who run the chat, another in its place.' })
  async createMlsGroup(@Arg('input', () => CreateMlsGroupInput) { chatId, groupInfo }: CreateMlsGroupInput, @Ctx() context: Context): Promise<{ chat: ChatRow | null }> {
    const id = decodeId('Chat', chatId, 'chatId');
    await this.groups.create(context.requireViewer(), { chatId: id, groupInfo });
    return { chat: await context.load(chatById, id) };
  }

  @Mutation(() => CommitMlsGroupPayload, { description: 'One commit leads out of an epoch: every other for it is EPOCH_CONFLICT.' })
  async commitMlsGroup(@Arg('input', () => CommitMlsGroupInput) input: CommitMlsGroupInput, @Ctx() context: Context): Promise<{ chat: ChatRow | null }> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    const removedDeviceIds = (input.removedDeviceIds ?? []).map((id) => decodeId('Device', id, 'removedDeviceIds'));
    await this.groups.commit(context.requireViewer(), { chatId, commit: input.commit, welcome: input.welcome ?? null, groupInfo: input.groupInfo, removedDeviceIds });
    return { chat: await context.load(chatById, chatId) };
  }

  @Mutation(() => ForgetWelcomesPayload, { description: 'Says that this device has made use of welcomes.' })
  async forgetWelcomes(@Arg('input', () => ForgetWelcomesInput) { welcomeIds }: ForgetWelcomesInput, @Ctx() context: Context): Promise<ForgetWelcomesPayload> {
    await this.groups.forget(context.requireViewer(), welcomeIds.map((id) => decodeId('Welcome', id, 'welcomeIds')));
    return { welcomeIds };
  }

  @FieldResolver(() => [ChatFeatureEnum], { description: 'What there is not in this chat, since the server cannot read it.' })
  unavailableFeatures(@Root() chat: ChatRow): readonly ChatFeature[] {
    return chat.encryption === 'MLS' ? UNAVAILABLE_WHEN_ENCRYPTED : [];
  }

  @ViewerDependent()
  @FieldResolver(() => MlsGroupType, { nullable: true, description: 'Of an encrypted chat, for its members.' })
  mls(@Root() chat: ChatRow, @Ctx() context: Context): Promise<MlsGroupRow | null> {
    return this.reading.group(context, chat.id);
  }
}

@Resolver(() => MlsGroupType)
export class MlsGroupResolver {
  constructor(private readonly reading: MlsReading) {}

  @FieldResolver()
  groupId(@Root() group: MlsGroupRow): string {
    return groupIdOf(group.chatId, group.generation);
  }
  @FieldResolver()
  cipherSuite(): number {
    return CIPHER_SUITE;
  }
  @FieldResolver(() => MlsCommitPages.Connection, { description: 'Of this generation, oldest first: those of the last 30 days, none from before the viewer joined the chat.' })
  commits(
    @Root() group: MlsGroupRow,
    @Arg('fromEpoch', () => Int, { defaultValue: 0, description: 'The epoch that one is in.' }) fromEpoch: number,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<CommitRow>> {
    return this.reading.commits(context, group, fromEpoch, args);
  }
  @FieldResolver(() => GroupDevicePages.Connection, { description: 'MISSING ones are to be added, GONE ones to be removed.' })
  devices(
    @Root() group: MlsGroupRow,
    @Arg('state', () => GroupDeviceState, { nullable: true }) state: 'IN_GROUP' | 'MISSING' | 'GONE' | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<GroupDeviceRow>> {
    return this.reading.devices(context, group.chatId, state, args);
  }
}

@Resolver(() => GroupDeviceType)
export class GroupDeviceResolver {
  @FieldResolver(() => DeviceType)
  device(@Root() row: GroupDeviceRow): DeviceRow {
    return row;
  }
}

@Resolver(() => MlsCommitType)
export class MlsCommitResolver {
  @FieldResolver()
  deviceId(@Root() commit: CommitRow): string {
    return encodeId('Device', commit.deviceId);
  }
}

@Resolver(() => MlsWelcomeType)
export class MlsWelcomeResolver {
  @FieldResolver()
  id(@Root() welcome: WelcomeRow): string {
    return encodeId('Welcome', welcome.id);
  }
  @FieldResolver(() => ChatType)
  chat(@Root() welcome: WelcomeRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return context.load(chatById, welcome.chatId);
  }
}

@Resolver(() => MessageType)
export class EncryptedMessageResolver {
  constructor(private readonly messages: EncryptedMessageService) {}

  @Mutation(() => SendEncryptedMessagePayload, { description: 'Into an encrypted chat.' })
  async sendEncryptedMessage(@Arg('input', () => SendEncryptedMessageInput) input: SendEncryptedMessageInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    const viewer = context.requireViewer();
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    const replyTo = input.replyToId == null ? null : decodeMessageId(input.replyToId, 'replyToId');
    const threadRoot = input.threadRootId == null ? null : decodeMessageId(input.threadRootId, 'threadRootId');
    return { message: await this.messages.send(viewer, { chatId, content: input.content, replyTo, threadRoot, idempotencyKey: input.idempotencyKey }) };
  }

  @FieldResolver(() => EncryptedBodyType, { nullable: true, description: 'Of an ENCRYPTED message that has not been deleted.' })
  encrypted(@Root() { card }: MessageRow): EncryptedRef | null {
    return card?.type === 'encrypted' ? card : null;
  }
}

@Resolver(() => EncryptedBodyType)
export class EncryptedBodyResolver {
  @FieldResolver()
  deviceId(@Root() body: EncryptedRef): string {
    return encodeId('Device', body.deviceId);
  }
}
