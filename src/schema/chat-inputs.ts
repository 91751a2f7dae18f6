import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ChatMemberType, ChatType } from './chat.js';
import { ChatEncryption, ChatKind, MemberRole } from './enums.js';
import { DateTime } from './scalars.js';

@InputType('CreateChatInput')
export class CreateChatInput {
  @Field(() => ChatKind) kind: 'DIRECT' | 'GROUP';
  @Field(() => ChatEncryption, { nullable: true, description: 'Default NONE. MLS: end-to-end encrypted, with at most 250 members.' }) encryption?: 'NONE' | 'MLS' | null;
  @Field(() => [ID], { description: 'Of the others; one in a direct chat, up to 1,000 in a group chat.' }) memberIds: string[];
  @Field(() => String, { nullable: true, description: 'Of a group chat: 1 to 256 bytes.' }) title?: string | null;
  @Field(() => ID, { nullable: true, description: 'The group that the chat is to be a part of: for those who run it, with its members.' }) groupId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('CreateChatPayload')
export class CreateChatPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('UpdateChatInput', { description: 'What is left out stays as it is; null takes it away.' })
export class UpdateChatInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: '1 to 256 bytes.' }) title?: string | null;
  @Field(() => String, { nullable: true, description: 'An http(s) address.' }) avatarUrl?: string | null;
  @Field(() => ID, { nullable: true, description: 'One of one’s own pictures, instead of `avatarUrl`.' }) avatarFileId?: string | null;
  @Field(() => Int, { nullable: true, description: '0 to 3,600.' }) slowModeSeconds?: number | null;
  @Field(() => Int, { nullable: true, description: 'New messages disappear after so many seconds: 5 to 31,536,000. In a direct chat either of the two sets it.' }) messageTtlSeconds?: number | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it may be told how the chat feels (chatSentiment). In a direct chat either of the two sets it.' }) sentiment?: boolean | null;
}

@ObjectType('UpdateChatPayload')
export class UpdateChatPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('UpdateChatSettingsInput', { description: 'The viewer’s own settings. What is left out stays as it is.' })
export class UpdateChatSettingsInput {
  @Field(() => ID) chatId: string;
  @Field(() => Boolean, { nullable: true, description: 'Without mutedUntil: for good.' }) muted?: boolean | null;
  @Field(() => DateTime, { nullable: true, description: 'Mutes until then; null unmutes.' }) mutedUntil?: Date | null;
  @Field(() => Boolean, { nullable: true, description: 'At most 20 chats are pinned.' }) pinned?: boolean | null;
  @Field(() => Boolean, { nullable: true }) archived?: boolean | null;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB; null or empty clears it.' }) draft?: string | null;
}

@ObjectType('UpdateChatSettingsPayload')
export class UpdateChatSettingsPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('AddChatMembersInput')
export class AddChatMembersInput {
  @Field(() => ID) chatId: string;
  @Field(() => [ID], { description: '1 to 100. Those who are in already are skipped.' }) memberIds: string[];
}

@ObjectType('AddChatMembersPayload')
export class AddChatMembersPayload {
  @Field(() => ChatType) chat: object;
  @Field(() => [ChatMemberType], { description: 'Those who were not in.' }) added: object[];
}

@InputType('RemoveChatMemberInput')
export class RemoveChatMemberInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID) userId: string;
}

@ObjectType('RemoveChatMemberPayload')
export class RemoveChatMemberPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('LeaveChatInput')
export class LeaveChatInput {
  @Field(() => ID) chatId: string;
}

@ObjectType('LeaveChatPayload')
export class LeaveChatPayload {
  @Field(() => ID) chatId: string;
}

@InputType('UpdateChatMemberRoleInput')
export class UpdateChatMemberRoleInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID) userId: string;
  @Field(() => MemberRole, { description: 'OWNER hands the chat over: its owner becomes ADMIN.' }) role: 'OWNER' | 'ADMIN' | 'MEMBER';
}

@ObjectType('UpdateChatMemberRolePayload')
export class UpdateChatMemberRolePayload {
  @Field(() => ChatType) chat: object;
  @Field(() => ChatMemberType) member: object;
}
