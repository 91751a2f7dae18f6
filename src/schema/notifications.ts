import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { NOTIFICATION_KINDS, NOTIFICATION_LEVELS, PUSH_CONTENTS, PUSH_PROVIDERS, type NotificationKind as Kind, type NotificationLevel as Level, type PushContent as Content } from '../entities/notification.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';
import { StreamEventType } from './stream-event.js';
import { ViewerType } from './viewer.js';

export const NotificationKind = enumOf('NotificationKind', NOTIFICATION_KINDS, 'INCOMING_CALL is pushed only; in the inbox it is the event IncomingCall.');
export const NotificationLevel = enumOf(
  'NotificationLevel',
  NOTIFICATION_LEVELS,
  'What of a chat one is told of. MENTIONS: what is meant for oneself (mentions, replies, reactions). Without a choice it is ALL, and MENTIONS above 100 members.',
);
export const PushContent = enumOf('PushContent', PUSH_CONTENTS, 'What a push shows: sender and text, the sender alone, or only that there is something. The text of encrypted chats never.');
export const PushProvider = enumOf('PushProvider', PUSH_PROVIDERS);

@ObjectType('Notification', { implements: NodeType, description: 'Something that concerns the viewer. Kept for 90 days.' })
export class NotificationType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => NotificationKind) kind: Kind;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => Boolean, { description: 'Read by markNotificationsRead, or with the message that it is about.' }) read: boolean;
}
export const NotificationPages = connectionOf('Notification', () => NotificationType);

@ObjectType('NotificationKindPreference')
export class NotificationKindPreferenceType {
  @Field(() => NotificationKind) kind: Kind;
  @Field(() => Boolean, { description: 'In the notification centre.' }) inApp: boolean;
  @Field(() => Boolean) push: boolean;
}

@ObjectType('QuietHours', { description: 'Every day nothing is pushed at these hours, by the clocks of the time zone. What happens then waits in the notification centre.' })
export class QuietHoursType {
  @Field(() => String, { description: 'As 22:30.' }) from: string;
  @Field(() => String, { description: 'As 07:00. Before `from`: on the next day.' }) to: string;
  @Field(() => String, { description: 'As Europe/Zurich.' }) timeZone: string;
  @Field(() => Boolean, { description: 'Calls are silenced, too.' }) silenceCalls: boolean;
}

@ObjectType('NotificationPreferences', { description: 'What the viewer wants to be told of. By chat: Chat.notificationLevel, and its muting.' })
export class NotificationPreferencesType {
  @Field(() => [NotificationKindPreferenceType], { description: 'All kinds.' }) kinds: NotificationKindPreferenceType[];
  @Field(() => PushContent) content: Content;
  @Field(() => QuietHoursType, { nullable: true }) quietHours: QuietHoursType | null;
}

@InputType('NotificationKindPreferenceInput')
export class NotificationKindPreferenceInput {
  @Field(() => NotificationKind) kind: Kind;
  @Field(() => Boolean, { nullable: true }) inApp?: boolean | null;
  @Field(() => Boolean, { nullable: true }) push?: boolean | null;
}
@InputType('QuietHoursInput')
export class QuietHoursInput {
  @Field(() => String, { description: 'As 22:30.' }) from: string;
  @Field(() => String, { description: 'As 07:00. Before `from`: on the next day.' }) to: string;
  @Field(() => String, { description: 'The name of a time zone, as Europe/Zurich.' }) timeZone: string;
  @Field(() => Boolean, { nullable: true, description: 'True unless told.' }) silenceCalls?: boolean | null;
}
@InputType('ChatNotificationLevelInput')
export class ChatNotificationLevelInput {
  @Field(() => ID) chatId: string;
  @Field(() => NotificationLevel, { nullable: true, description: 'Null: as by default.' }) level?: Level | null;
}
@InputType('UpdateNotificationPreferencesInput', { description: 'What is left out stays as it is.' })
export class UpdateNotificationPreferencesInput {
  @Field(() => [NotificationKindPreferenceInput], { nullable: true }) kinds?: NotificationKindPreferenceInput[] | null;
  @Field(() => PushContent, { nullable: true }) content?: Content | null;
  @Field(() => QuietHoursInput, { nullable: true, description: 'Null: none.' }) quietHours?: QuietHoursInput | null;
  @Field(() => [ChatNotificationLevelInput], { nullable: true, description: 'Up to 100.' }) chats?: ChatNotificationLevelInput[] | null;
}
@ObjectType('UpdateNotificationPreferencesPayload')
export class UpdateNotificationPreferencesPayload {
  @Field(() => NotificationPreferencesType) notificationPreferences: object;
}

@InputType('MarkNotificationsReadInput', { description: 'Either of them.' })
export class MarkNotificationsReadInput {
  @Field(() => [ID], { nullable: true, description: 'Up to 100.' }) notificationIds?: string[] | null;
  @Field(() => ID, { nullable: true, description: 'This notification and all older ones.' }) upToId?: string | null;
}
@ObjectType('MarkNotificationsReadPayload')
export class MarkNotificationsReadPayload {
  @Field(() => ViewerType) viewer: object;
}

@ObjectType('PushDevice', { description: 'Where the device of one of the viewer’s sessions is reached. It ends with the session.' })
export class PushDeviceType {
  @Field(() => ID) id: string;
  @Field(() => PushProvider) provider: string;
  @Field(() => Boolean, { description: 'Of the session that asks.' }) current: boolean;
  @Field(() => DateTime) createdAt: Date;
}
export const PushDevicePages = connectionOf('PushDevice', () => PushDeviceType);

@ObjectType('PushConfig', { description: 'What a client needs in order to register for pushes.' })
export class PushConfigType {
  @Field(() => [PushProvider]) providers: string[];
  @Field(() => String, { description: 'The applicationServerKey of PushManager.subscribe, base64url.' }) webPushPublicKey: string;
}

@InputType('WebPushSubscriptionInput', { description: 'What PushSubscription.toJSON() has.' })
export class WebPushSubscriptionInput {
  @Field(() => String) endpoint: string;
  @Field(() => String, { description: 'Its keys.p256dh.' }) p256dh: string;
  @Field(() => String, { description: 'Its keys.auth.' }) auth: string;
}
@InputType('FcmRegistrationInput')
export class FcmRegistrationInput {
  @Field(() => String, { description: 'The registration token.' }) token: string;
}
@InputType('RegisterPushDeviceInput', { description: 'Either of them.' })
export class RegisterPushDeviceInput {
  @Field(() => WebPushSubscriptionInput, { nullable: true }) webPush?: WebPushSubscriptionInput | null;
  @Field(() => FcmRegistrationInput, { nullable: true }) fcm?: FcmRegistrationInput | null;
}
@ObjectType('RegisterPushDevicePayload')
export class RegisterPushDevicePayload {
  @Field(() => PushDeviceType) pushDevice: object;
}
@InputType('UnregisterPushDeviceInput')
export class UnregisterPushDeviceInput {
  @Field(() => ID) pushDeviceId: string;
}
@ObjectType('UnregisterPushDevicePayload')
export class UnregisterPushDevicePayload {
  @Field(() => ID) pushDeviceId: string;
}

const event = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });

@event('NotificationAdded', 'There is something new for the viewer, or more of it: then the notification is one that was there.')
export class NotificationAddedType extends StreamEventType {
  @Field(() => ID) notificationId: string;
  @Field(() => NotificationType, { nullable: true, description: 'As it is now. Null when it has been taken back.' }) notification: object | null;
}
@event('NotificationsRead', 'The viewer has marked notifications as read, on any device.')
export class NotificationsReadType extends StreamEventType {
  @Field(() => Int, { description: '99 at most.' }) unreadNotificationCount: number;
}
@event('NotificationPreferencesChanged', 'What the viewer wants to be told of has changed, on any device: read it again.')
export class NotificationPreferencesChangedType extends StreamEventType {}

export const NOTIFICATION_EVENT_TYPES = [NotificationAddedType, NotificationsReadType, NotificationPreferencesChangedType];
