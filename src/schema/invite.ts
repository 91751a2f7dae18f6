import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ChatType } from './chat.js';
import { connectionOf } from './connection.js';
import { DateTime } from './scalars.js';

@ObjectType('InviteLink', { description: 'Lets whoever holds its token into a chat. The token itself is told once, where it is made.' })
export class InviteLinkType {
  @Field(() => ID) id: string;
  @Field(() => Int, { nullable: true }) maxUses: number | null;
  @Field(() => Int) uses: number;
  @Field(() => DateTime, { nullable: true }) expiresAt: Date | null;
  @Field(() => DateTime, { nullable: true }) revokedAt: Date | null;
  @Field(() => DateTime) createdAt: Date;
}
export const InviteLinkPages = connectionOf('InviteLink', () => InviteLinkType);

@InputType('CreateInviteLinkInput')
export class CreateInviteLinkInput {
  @Field(() => ID) chatId: string;
  @Field(() => Int, { nullable: true, description: '1 to 100,000; without: as often as one likes.' }) maxUses?: number | null;
  @Field(() => DateTime, { nullable: true }) expiresAt?: Date | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('CreateInviteLinkPayload')
export class CreateInviteLinkPayload {
  @Field(() => InviteLinkType) inviteLink: object;
  @Field(() => String, { description: 'The secret, fit for a URL. It is not shown again.' }) token: string;
}

@InputType('RevokeInviteLinkInput')
export class RevokeInviteLinkInput {
  @Field(() => ID) inviteLinkId: string;
}

@ObjectType('RevokeInviteLinkPayload')
export class RevokeInviteLinkPayload {
  @Field(() => InviteLinkType) inviteLink: object;
}

@InputType('JoinChatInput', { description: 'Either of the two.' })
export class JoinChatInput {
  @Field(() => String, { nullable: true, description: 'Of an invite link.' }) token?: string | null;
  @Field(() => ID, { nullable: true, description: 'A chat of a group that one is a member of.' }) chatId?: string | null;
}

@ObjectType('JoinChatPayload')
export class JoinChatPayload {
  @Field(() => ChatType) chat: object;
}
