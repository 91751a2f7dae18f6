import { createUnionType, Field, ID, Int, ObjectType, type ClassType } from 'type-graphql';
import type { UserRole } from '../entities/user.js';
import { BOTS_OF_INBOX } from './bot-actions.js';
import { BotChangedType } from './bot-owner.js';
import { CALLS_OF_CHAT, CALLS_OF_INBOX } from './call-events.js';
import { ContactType } from './contacts.js';
import { ChatType, ChatMemberType, ChatSettingsType } from './chat.js';
import { DocumentType } from './document.js';
import { Role } from './enums.js';
import { ENCRYPTION_OF_CHAT, ENCRYPTION_OF_INBOX } from './encryption.js';
import { FileType } from './file.js';
import { GroupType } from './group.js';
import { MessageType, ReactionGroupType } from './message.js';
import { OrderChangedType } from './order.js';
import { ModerationCaseChangedType } from './moderation.js';
import { SupportCaseChangedType } from './support.js';
import { NOTIFICATION_EVENT_TYPES } from './notifications.js';
import { PrivacySettingsType } from './people.js';
import { ScheduledMessageType } from './scheduled.js';
import { EventCursor } from './scalars.js';
import { STATUSES_OF_INBOX } from './status-events.js';
import { ResyncRequiredType, StreamEventType } from './stream-event.js';
import { UserType } from './user.js';

/** An event of a chat's stream. */
@ObjectType({ implements: StreamEventType })
abstract class ChatStreamEvent extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => Int, { description: 'Its number in the stream: gapless. Of what is not in the log (receipts), the number of the newest event.' }) offset: number;
}
const chatEvent = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });
const userEvent = chatEvent;

@ObjectType({ implements: StreamEventType })
abstract class MessageEvent extends ChatStreamEvent {
  @Field(() => ID) messageId: string;
  @Field(() => MessageType, { nullable: true, description: 'As it is now. Null when it is from before one joined.' }) message: object | null;
}

@chatEvent('MessageSent', 'A new message.')
export class MessageSentType extends MessageEvent {}
@chatEvent('MessageUpdated', 'A message was edited, voted on, answered in its thread, or otherwise changed.')
export class MessageUpdatedType extends MessageEvent {}
@chatEvent('MessageDeleted', 'A message was deleted for everyone, or has disappeared.')
export class MessageDeletedType extends MessageEvent {}

@chatEvent('ReactionsChanged', 'All reactions of a message as they are now.')
export class ReactionsChangedType extends MessageEvent {
  @Field(() => [ReactionGroupType]) reactions: object[];
}

@chatEvent('PinnedMessagesChanged', 'A message was pinned or unpinned. What is deleted is no longer pinned either: MessageDeleted alone tells of that.')
export class PinnedMessagesChangedType extends MessageEvent {
  @Field(() => Boolean) pinned: boolean;
}

@ObjectType({ implements: StreamEventType })
abstract class MemberEvent extends ChatStreamEvent {
  @Field(() => ID) userId: string;
  @Field(() => UserType, { nullable: true }) user: object | null;
  @Field(() => Int) memberCount: number;
}
@chatEvent('MemberJoined', 'Somebody joined the chat.')
export class MemberJoinedType extends MemberEvent {
  @Field(() => ChatMemberType, { nullable: true, description: 'Null when they have left since.' }) member: object | null;
}
@chatEvent('MemberLeft', 'Somebody left the chat, or was removed. It is the last event for whoever it was.')
export class MemberLeftType extends MemberEvent {}
@chatEvent('MemberUpdated', 'A member’s role changed.')
export class MemberUpdatedType extends MemberEvent {
  @Field(() => ChatMemberType, { nullable: true, description: 'Null when they have left since.' }) member: object | null;
}

@chatEvent('ChatUpdated', 'Title, avatar or rules of the chat changed.')
export class ChatUpdatedType extends ChatStreamEvent {
  @Field(() => ChatType) chat: object;
}

@chatEvent('DocumentChanged', 'A whiteboard, or a session of co-browsing, began, was renamed, ended, or was deleted. What is on it is told by documentUpdates.')
export class DocumentChangedType extends ChatStreamEvent {
  @Field(() => ID) documentId: string;
  @Field(() => DocumentType, { nullable: true, description: 'As it is now. Null when it has been deleted.' }) document: object | null;
}

@chatEvent('GroupBuyChanged', 'Somebody has joined a group buy, or left it, or it was decided.')
export class GroupBuyChangedType extends ChatStreamEvent {
  @Field(() => ID) groupBuyId: string;
}

@ObjectType('MemberReceipt', { description: 'How far one member has received and read.' })
export class MemberReceiptType {
  @Field(() => ID) userId: string;
  @Field(() => Int) lastReadSeq: number;
  @Field(() => Int) lastDeliveredSeq: number;
}

@chatEvent('ReceiptsChanged', 'How far members have received and read, at most once a second a chat. State, not log: read it again after a resume.')
export class ReceiptsChangedType extends ChatStreamEvent {
  @Field(() => [MemberReceiptType], { nullable: true, description: 'The members whose pointers moved; null above 100 members, where counts alone are told.' }) receipts: object[] | null;
  @Field(() => Int, { description: 'The highest message that every member has read. What one wrote oneself counts as read.' }) readByAllSeq: number;
  @Field(() => Int, { description: 'The newest message; 0: there is none.' }) newestSeq: number;
  @Field(() => Int, { description: 'How many have received the newest message, its sender aside.' }) deliveredCount: number;
  @Field(() => Int, { description: 'How many have read the newest message, its sender aside.' }) readCount: number;
}

@userEvent('InboxCheckpoint', 'Where streams stand for which no cursor was given: keep these cursors, to resume each of them without loss.')
export class InboxCheckpointType extends StreamEventType {
  @Field(() => [EventCursor]) cursors: string[];
}
@userEvent('ChatAdded', 'The viewer is now in this chat; its events follow.')
export class ChatAddedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => ChatType, { nullable: true, description: 'Null when the viewer has left since.' }) chat: object | null;
  @Field(() => EventCursor, { nullable: true, description: 'Where the chat’s stream begins for the viewer.' }) chatCursor: string | null;
}
@userEvent('ChatRemoved', 'The viewer is no longer in this chat.')
export class ChatRemovedType extends StreamEventType {
  @Field(() => ID) chatId: string;
}

@userEvent('AccountChanged', 'How the viewer can be reached, or what they may do, changed.')
export class AccountChangedType extends StreamEventType {
  @Field(() => String, { nullable: true }) email: string | null;
  @Field(() => Boolean) emailVerified: boolean;
  @Field(() => String, { nullable: true }) phone: string | null;
  @Field(() => [Role]) roles: UserRole[];
}
@userEvent('FileChanged', 'A file of the viewer’s became READY or was REJECTED, or a rendition of it was made.')
export class FileChangedType extends StreamEventType {
  @Field(() => ID) fileId: string;
  @Field(() => FileType, { nullable: true, description: 'As it is now; null when it was forgotten since.' }) file: object | null;
}
@userEvent('SessionsChanged', 'The viewer was signed in on a device, or a session has ended.')
export class SessionsChangedType extends StreamEventType {
  @Field(() => ID) sessionId: string;
}

@userEvent('ViewerReceiptChanged', 'The viewer has received or read on another device, at most once a second. State, not log: read it again after a resume.')
export class ViewerReceiptChangedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => Int) lastReadSeq: number;
  @Field(() => Int) lastDeliveredSeq: number;
}
@userEvent('ScheduledMessageChanged', 'A message was scheduled by the viewer, or one of theirs was sent, cancelled, or has failed.')
export class ScheduledMessageChangedType extends StreamEventType {
  @Field(() => ID) scheduledMessageId: string;
  @Field(() => ScheduledMessageType, { nullable: true, description: 'As it is now. Null when it has been forgotten since.' }) scheduledMessage: object | null;
}
@userEvent('ProfileChanged', 'The viewer’s own profile or privacy settings changed.')
export class ProfileChangedType extends StreamEventType {
  @Field(() => UserType) user: object;
  @Field(() => PrivacySettingsType) privacy: object;
}
@userEvent('ContactChanged', 'An entry of the viewer’s contacts was made, changed, or taken away.')
export class ContactChangedType extends StreamEventType {
  @Field(() => ID) userId: string;
  @Field(() => UserType) user: object;
  @Field(() => ContactType, { nullable: true, description: 'Null when they are no contact any more.' }) contact: object | null;
}
@userEvent('BlockChanged', 'The viewer has blocked or unblocked somebody.')
export class BlockChangedType extends StreamEventType {
  @Field(() => ID) userId: string;
  @Field(() => UserType) user: object;
  @Field(() => Boolean) blocked: boolean;
}

@userEvent('MessageMarksChanged', 'The viewer has starred a message, or deleted it for themself, or taken a star away.')
export class MessageMarksChangedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => ID) messageId: string;
  @Field(() => Boolean) starred: boolean;
  @Field(() => Boolean) deletedForViewer: boolean;
}
@userEvent('ChatSettingsChanged', 'The viewer’s own settings of a chat, as they are now: changed on any device.')
export class ChatSettingsChangedType extends StreamEventType {
  @Field(() => ID) chatId: string;
  @Field(() => ChatType, { nullable: true, description: 'Null when the viewer has left since.' }) chat: object | null;
  @Field(() => ChatSettingsType, { nullable: true, description: 'Null when the viewer has left since.' }) settings: object | null;
}
@userEvent('GroupChanged', 'A group that the viewer belongs to, asks to join or runs has changed, or the viewer’s place in it.')
export class GroupChangedType extends StreamEventType {
  @Field(() => ID) groupId: string;
  @Field(() => GroupType, { nullable: true, description: 'As it is now; null when it is not there for the viewer any more.' }) group: object | null;
}

/** Rooms of the house add their own events here: the order is that of the printed schema. */
export const CHAT_EVENT_TYPES: ClassType[] = [
  MessageSentType,
  MessageUpdatedType,
  MessageDeletedType,
  ReactionsChangedType,
  PinnedMessagesChangedType,
  MemberJoinedType,
  MemberLeftType,
  MemberUpdatedType,
  ChatUpdatedType,
  DocumentChangedType,
  GroupBuyChangedType,
  ReceiptsChangedType,
  ...CALLS_OF_CHAT,
  ...ENCRYPTION_OF_CHAT,
  ResyncRequiredType,
];
export const USER_EVENT_TYPES: ClassType[] = [
  InboxCheckpointType,
  ChatAddedType,
  ChatRemovedType,
  ChatSettingsChangedType,
  GroupChangedType,
  SessionsChangedType,
  ScheduledMessageChangedType,
  ModerationCaseChangedType,
  SupportCaseChangedType,
  MessageMarksChangedType,
  AccountChangedType,
  FileChangedType,
  ProfileChangedType,
  ContactChangedType,
  BlockChangedType,
  ViewerReceiptChangedType,
  ...CALLS_OF_INBOX,
  ...STATUSES_OF_INBOX,
  OrderChangedType,
  ...NOTIFICATION_EVENT_TYPES,
  ...ENCRYPTION_OF_INBOX,
  ...BOTS_OF_INBOX,
  BotChangedType,
];

export const ChatEvent = createUnionType({ name: 'ChatEvent', description: 'What happens in a chat, in order.', types: () => CHAT_EVENT_TYPES as never });
export const InboxEvent = createUnionType({
  name: 'InboxEvent',
  description: 'What happens in all of the viewer’s chats, and to the viewer.',
  types: () => [...CHAT_EVENT_TYPES, ...USER_EVENT_TYPES] as never,
});
