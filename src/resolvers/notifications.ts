import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { NOTIFICATION_KINDS, type NotificationLevel as Level, type NotificationPreferences } from '../entities/notification.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { canSeeGroup } from '../policies/group-policy.js';
import { CallType } from '../schema/call.js';
import { ChatType, ChatViewerStateType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { GroupType } from '../schema/group.js';
import { MessageType } from '../schema/message.js';
import {
  MarkNotificationsReadInput, MarkNotificationsReadPayload, NotificationAddedType, NotificationLevel, NotificationPages, NotificationPreferencesType, NotificationsReadType, NotificationType, PushConfigType,
  PushDevicePages, PushDeviceType, RegisterPushDeviceInput, RegisterPushDevicePayload, UnregisterPushDeviceInput, UnregisterPushDevicePayload, UpdateNotificationPreferencesInput,
  UpdateNotificationPreferencesPayload,
} from '../schema/notifications.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { callById, type CallRow } from '../services/loaders/calls.js';
import { chatById, viewerMembership, type ChatRow, type MemberRow } from '../services/loaders/chats.js';
import { groupById, groupMember, type GroupRow } from '../services/loaders/groups.js';
import { messageByKey, type MessageRow } from '../services/loaders/messages.js';
import { messagesOf, notificationById, unreadNotificationsOf, viewerLevel, type NotificationRow } from '../services/loaders/notifications.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { NotificationService } from '../services/notifications/notifications.js';
import { timeOfDay, type NotificationPreferenceService } from '../services/notifications/preferences.js';
import type { PushDeviceRow, PushDeviceService } from '../services/notifications/push-devices.js';
import type { Context, Viewer } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => NotificationType)
export class NotificationResolver {
  constructor(private readonly notifications: NotificationService) {}

  @Mutation(() => MarkNotificationsReadPayload, { description: 'Those that were read stay read.' })
  async markNotificationsRead(@Arg('input', () => MarkNotificationsReadInput) input: MarkNotificationsReadInput, @Ctx() context: Context): Promise<{ viewer: Viewer }> {
    const viewer = context.requireViewer();
    const notificationIds = input.notificationIds?.map((id) => decodeId('Notification', id, 'notificationIds')) ?? null;
    await this.notifications.markRead(viewer, { notificationIds, upToId: input.upToId == null ? null : decodeId('Notification', input.upToId, 'upToId') });
    context.forget();
    return { viewer };
  }

  @FieldResolver()
  id(@Root() row: NotificationRow): string {
    return encodeId('Notification', row.id);
  }

  @FieldResolver(() => Int, { description: 'How many it tells of: new messages (99 at most), people who reacted, who ask to join.' })
  async count(@Root() row: NotificationRow, @Ctx() context: Context): Promise<number> {
    const ofMessages = row.kind === 'DIRECT_MESSAGE' || row.kind === 'GROUP_MESSAGE';
    return ofMessages ? ((await context.load(messagesOf, row.id))?.count ?? 0) : row.count;
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'Who did it; of several the newest.' })
  actor(@Root() row: NotificationRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return row.actorId === null ? null : context.load(userById, row.actorId);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true })
  async chat(@Root() { chatId }: NotificationRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return chatId !== null && (await context.load(viewerMembership, chatId)) ? context.load(chatById, chatId) : null;
  }

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true, description: 'Of new messages the first.' })
  async message(@Root() { chatId, seq }: NotificationRow, @Ctx() context: Context): Promise<MessageRow | null> {
    return chatId !== null && seq !== null && (await context.sees(chatId, seq)) ? context.load(messageByKey, { chatId, seq }) : null;
  }

  @ViewerDependent()
  @FieldResolver(() => CallType, { nullable: true })
  async call(@Root() { chatId, callId }: NotificationRow, @Ctx() context: Context): Promise<CallRow | null> {
    return callId !== null && chatId !== null && (await context.load(viewerMembership, chatId)) ? context.load(callById, callId) : null;
  }

  @ViewerDependent()
  @FieldResolver(() => GroupType, { nullable: true })
  async group(@Root() { groupId, userId }: NotificationRow, @Ctx() context: Context): Promise<GroupRow | null> {
    if (groupId === null) return null;
    const [group, membership] = await Promise.all([context.load(groupById, groupId), context.load(groupMember, { groupId, userId })]);
    return group && canSeeGroup({ group, membership }) ? group : null;
  }
}

@Resolver(() => ViewerType)
export class ViewerNotificationsResolver {
  constructor(
    private readonly centre: NotificationService,
    private readonly preferences: NotificationPreferenceService,
    private readonly devices: PushDeviceService,
  ) {}

  @FieldResolver(() => NotificationPages.Connection, { description: 'The newest first.' })
  notifications(@Args(() => ForwardArgs) args: ForwardArgs, @Arg('unreadOnly', () => Boolean, { defaultValue: false }) unreadOnly: boolean, @Ctx() context: Context): Promise<Page<NotificationRow>> {
    context.requireViewer();
    return this.centre.list(context, unreadOnly, args);
  }

  @FieldResolver(() => Int, { description: '99 at most.' })
  async unreadNotificationCount(@Root() viewer: Viewer, @Ctx() context: Context): Promise<number> {
    return (await context.load(unreadNotificationsOf, viewer.userId))?.count ?? 0;
  }

  @FieldResolver(() => NotificationPreferencesType)
  notificationPreferences(@Root() viewer: Viewer): Promise<NotificationPreferences> {
    return this.preferences.read(viewer.userId);
  }

  @FieldResolver(() => PushDevicePages.Connection, { description: 'The newest first.' })
  pushDevices(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<PushDeviceRow>> {
    return this.devices.list(context.requireViewer(), args);
  }
}

@Resolver(() => NotificationPreferencesType)
export class NotificationPreferencesResolver {
  constructor(private readonly preferences: NotificationPreferenceService) {}

  @Mutation(() => UpdateNotificationPreferencesPayload)
  async updateNotificationPreferences(@Arg('input', () => UpdateNotificationPreferencesInput) input: UpdateNotificationPreferencesInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const chats = input.chats?.map(({ chatId, level }) => ({ chatId: decodeId('Chat', chatId, 'chats.chatId'), level: level ?? null })) ?? null;
    return { notificationPreferences: await this.preferences.update(viewer, { ...input, chats }) };
  }

  @FieldResolver()
  kinds(@Root() { kinds }: NotificationPreferences): NotificationPreferencesType['kinds'] {
    return NOTIFICATION_KINDS.map((kind) => ({ kind, inApp: kinds[kind]?.inApp ?? true, push: kinds[kind]?.push ?? true }));
  }

  @FieldResolver()
  quietHours(@Root() { quiet }: NotificationPreferences): NotificationPreferencesType['quietHours'] {
    return quiet && { from: timeOfDay(quiet.from), to: timeOfDay(quiet.to), timeZone: quiet.zone, silenceCalls: quiet.calls };
  }
}

@Resolver(() => ChatViewerStateType)
export class ChatNotificationLevelResolver {
  @FieldResolver(() => NotificationLevel, { description: 'What the viewer is told of, unless it is muted.' })
  async notificationLevel(@Root() { chatId }: MemberRow, @Ctx() context: Context): Promise<Level> {
    return (await context.load(viewerLevel, chatId))?.level ?? 'ALL';
  }
}

@Resolver(() => PushDeviceType)
export class PushDeviceResolver {
  constructor(
    private readonly devices: PushDeviceService,
    private readonly config: PushConfigType,
  ) {}

  @Query(() => PushConfigType)
  pushConfig(): PushConfigType {
    return this.config;
  }

  @Mutation(() => RegisterPushDevicePayload, { description: 'The device of this session is reached there from now on, and nowhere else. A repeat changes nothing.' })
  async registerPushDevice(@Arg('input', () => RegisterPushDeviceInput) input: RegisterPushDeviceInput, @Ctx() context: Context): Promise<{ pushDevice: PushDeviceRow }> {
    return { pushDevice: await this.devices.register(context.requireViewer(), input) };
  }

  @Mutation(() => UnregisterPushDevicePayload)
  async unregisterPushDevice(@Arg('input', () => UnregisterPushDeviceInput) { pushDeviceId }: UnregisterPushDeviceInput, @Ctx() context: Context): Promise<UnregisterPushDevicePayload> {
    await this.devices.unregister(context.requireViewer(), decodeId('PushDevice', pushDeviceId, 'pushDeviceId'));
    return { pushDeviceId };
  }

  @FieldResolver(() => ID)
  id(@Root() row: PushDeviceRow): string {
    return encodeId('PushDevice', row.id);
  }

  @FieldResolver()
  current(@Root() row: PushDeviceRow, @Ctx() context: Context): boolean {
    return row.sessionId === context.requireViewer().sessionId;
  }
}

@Resolver(() => NotificationAddedType)
export class NotificationAddedResolver {
  @FieldResolver(() => NotificationType, { nullable: true })
  notification(@Root() event: { notificationKey: string }, @Ctx() context: Context): Promise<NotificationRow | null> {
    return context.load(notificationById, event.notificationKey);
  }
}

@Resolver(() => NotificationsReadType)
export class NotificationsReadResolver {
  @FieldResolver(() => Int)
  async unreadNotificationCount(@Root() event: { ownerKey: string }, @Ctx() context: Context): Promise<number> {
    return (await context.load(unreadNotificationsOf, event.ownerKey))?.count ?? 0;
  }
}

export const NOTIFICATION_RESOLVERS = [
  NotificationResolver, ViewerNotificationsResolver, NotificationPreferencesResolver, ChatNotificationLevelResolver, PushDeviceResolver, NotificationAddedResolver, NotificationsReadResolver,
];
