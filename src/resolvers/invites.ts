import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { CreateInviteLinkInput, CreateInviteLinkPayload, InviteLinkPages, InviteLinkType, JoinChatInput, JoinChatPayload, RevokeInviteLinkInput, RevokeInviteLinkPayload } from '../schema/invite.js';
import { UserType } from '../schema/user.js';
import type { InviteLinkRow, InviteService } from '../services/invites.js';
import type { ChatRow } from '../services/loaders/chats.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => ChatType)
export class ChatInvitesResolver {
  constructor(private readonly invites: InviteService) {}

  @Mutation(() => CreateInviteLinkPayload, { description: 'For those who run the chat.' })
  createInviteLink(@Arg('input', () => CreateInviteLinkInput) input: CreateInviteLinkInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return this.invites.create(viewer, { ...input, chatId: decodeId('Chat', input.chatId, 'chatId') });
  }

  @Mutation(() => RevokeInviteLinkPayload, { description: 'For those who run the chat.' })
  async revokeInviteLink(@Arg('input', () => RevokeInviteLinkInput) input: RevokeInviteLinkInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { inviteLink: await this.invites.revoke(viewer, decodeId('InviteLink', input.inviteLinkId, 'inviteLinkId')) };
  }

  @Mutation(() => JoinChatPayload, { description: 'Comes in by an invite link; a chat of one’s group, by its id.' })
  async joinChat(@Arg('input', () => JoinChatInput) input: JoinChatInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const chatId = input.chatId == null ? null : decodeId('Chat', input.chatId, 'chatId');
    return { chat: await this.invites.join(viewer, { token: input.token ?? null, chatId }) };
  }

  @ViewerDependent()
  @FieldResolver(() => InviteLinkPages.Connection, { nullable: true, description: 'Those not revoked, newest first; null for whoever does not run the chat.' })
  inviteLinks(@Root() chat: ChatRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<InviteLinkRow> | null> {
    return this.invites.list(context, chat.id, args);
  }
}

@Resolver(() => InviteLinkType)
export class InviteLinkResolver {
  @FieldResolver()
  id(@Root() link: InviteLinkRow): string {
    return encodeId('InviteLink', link.id);
  }

  @FieldResolver(() => UserType, { nullable: true })
  createdBy(@Root() link: InviteLinkRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, link.createdBy);
  }
}
