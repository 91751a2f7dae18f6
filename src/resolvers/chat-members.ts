import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { AddChatMembersInput, AddChatMembersPayload, LeaveChatInput, LeaveChatPayload, RemoveChatMemberInput, RemoveChatMemberPayload, UpdateChatMemberRoleInput, UpdateChatMemberRolePayload } from '../schema/chat-inputs.js';
import type { ChatMemberService } from '../services/chat-members.js';
import { chatById, chatMember } from '../services/loaders/chats.js';
import type { Context } from './context.js';

@Resolver()
export class ChatMembershipResolver {
  constructor(private readonly members: ChatMemberService) {}

  @Mutation(() => AddChatMembersPayload)
  async addChatMembers(@Arg('input', () => AddChatMembersInput) input: AddChatMembersInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    const memberIds = input.memberIds.map((id) => decodeId('User', id, 'memberIds'));
    const added = await this.members.add(viewer, { chatId, memberIds });
    const rows = await context.loadMany(chatMember, added.map((userId) => ({ chatId, userId })));
    return { chat: await context.load(chatById, chatId), added: rows.filter((row) => row !== null) };
  }

  @Mutation(() => RemoveChatMemberPayload, { description: 'The owner removes anybody, an admin removes members.' })
  async removeChatMember(@Arg('input', () => RemoveChatMemberInput) input: RemoveChatMemberInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    await this.members.remove(viewer, { chatId, userId: decodeId('User', input.userId, 'userId') });
    return { chat: await context.load(chatById, chatId) };
  }

  @Mutation(() => LeaveChatPayload, { description: 'An owner who leaves passes the chat to the admin who has been in longest, else to such a member.' })
  async leaveChat(@Arg('input', () => LeaveChatInput) input: LeaveChatInput, @Ctx() context: Context): Promise<LeaveChatPayload> {
    const viewer = context.requireViewer();
    await this.members.leave(viewer, decodeId('Chat', input.chatId, 'chatId'));
    return { chatId: input.chatId };
  }

  @Mutation(() => UpdateChatMemberRolePayload, { description: 'For the owner.' })
  async updateChatMemberRole(@Arg('input', () => UpdateChatMemberRoleInput) input: UpdateChatMemberRoleInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const key = { chatId: decodeId('Chat', input.chatId, 'chatId'), userId: decodeId('User', input.userId, 'userId') };
    await this.members.updateRole(viewer, { ...key, role: input.role });
    return { chat: await context.load(chatById, key.chatId), member: await context.load(chatMember, key) };
  }
}
