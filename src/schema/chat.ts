import { Field, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { ChatEncryption, ChatKind, MemberRole } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

@ObjectType('Chat', { implements: NodeType, description: 'A conversation: between two people, or of a group of members.' })
export class ChatType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => ChatKind) kind: 'DIRECT' | 'GROUP';
  @Field(() => ChatEncryption) encryption: 'NONE' | 'MLS';
  @Field(() => String, { nullable: true, description: 'Null in a direct chat: show the other member.' }) title: string | null;
  @Field(() => Int) memberCount: number;
  @Field(() => Int, { description: 'Seconds a member waits between two messages; 0: none. Owner and admins are free of it.' }) slowModeSeconds: number;
  @Field(() => Int, { nullable: true, description: 'Seconds after which a new message disappears; null: never.' }) messageTtlSeconds: number | null;
  @Field(() => Boolean, { description: 'Whether it may be told how the chat feels.' }) sentiment: boolean;
  @Field(() => DateTime) createdAt: Date;
}

@ObjectType('ChatMember')
export class ChatMemberType {
  @Field(() => MemberRole) role: 'OWNER' | 'ADMIN' | 'MEMBER';
  @Field(() => DateTime) joinedAt: Date;
  @Field(() => Int, { description: 'The last message that they have read; receipts only move on.' }) lastReadSeq: number;
  @Field(() => Int, { description: 'The last message that has reached one of their devices.' }) lastDeliveredSeq: number;
  @Field(() => DateTime, { nullable: true, description: 'Those who moderate let them send nothing until then.' }) silencedUntil: Date | null;
}

@ObjectType('ChatViewerState', { description: 'What of a chat is the viewer’s own.' })
export class ChatViewerStateType {
  @Field(() => MemberRole) role: 'OWNER' | 'ADMIN' | 'MEMBER';
  @Field(() => Int) lastReadSeq: number;
  @Field(() => Int) lastDeliveredSeq: number;
  @Field(() => Boolean) muted: boolean;
  @Field(() => DateTime, { nullable: true, description: 'When the muting ends; null also when it does not.' }) mutedUntil: Date | null;
  @Field(() => Boolean) pinned: boolean;
  @Field(() => Boolean) archived: boolean;
  @Field(() => String, { nullable: true, description: 'What the viewer has begun to write, on whichever device.' }) draft: string | null;
  @Field(() => DateTime, { nullable: true }) draftUpdatedAt: Date | null;
}

@ObjectType('ChatSettings', { description: 'A person’s own settings of a chat.' })
export class ChatSettingsType {
  @Field(() => Boolean) muted: boolean;
  @Field(() => DateTime, { nullable: true, description: 'When the muting ends; null also when it does not.' }) mutedUntil: Date | null;
  @Field(() => Boolean) pinned: boolean;
  @Field(() => Boolean) archived: boolean;
  @Field(() => String, { nullable: true }) draft: string | null;
  @Field(() => DateTime, { nullable: true }) draftUpdatedAt: Date | null;
}

export const ChatPages = connectionOf('Chat', () => ChatType);
export const ChatMemberPages = connectionOf('ChatMember', () => ChatMemberType);
