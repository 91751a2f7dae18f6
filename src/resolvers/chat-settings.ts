import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root, type ClassType } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { ChatSettingsType, ChatViewerStateType } from '../schema/chat.js';
import { UpdateChatInput, UpdateChatPayload, UpdateChatSettingsInput, UpdateChatSettingsPayload } from '../schema/chat-inputs.js';
import { UserType } from '../schema/user.js';
import { FOREVER, type ChatSettingsService } from '../services/chat-settings.js';
import { unreadOf } from '../services/loaders/chat-list.js';
import { chatById, type MemberRow } from '../services/loaders/chats.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { avatarInput } from './files.js';

@Resolver()
export class ChatSettingsMutations {
  constructor(private readonly settings: ChatSettingsService) {}

  @Mutation(() => UpdateChatPayload, { description: 'For those who run the chat.' })
  async updateChat(@Arg('input', () => UpdateChatInput) input: UpdateChatInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { chat: await this.settings.update(viewer, { ...input, ...avatarInput(input), chatId: decodeId('Chat', input.chatId, 'chatId') }) };
  }

  @Mutation(() => UpdateChatSettingsPayload, { description: 'The viewer’s own: mute, pin, archive, draft.' })
  async updateChatSettings(@Arg('input', () => UpdateChatSettingsInput) input: UpdateChatSettingsInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    await this.settings.updateOwn(viewer, { ...input, chatId });
    return { chat: await context.load(chatById, chatId) };
  }
}

/** What a membership's own settings look like, wherever they stand. */
function settingsResolver(type: ClassType): ClassType {
  @Resolver(() => type)
  class OwnSettingsResolver {
    @FieldResolver()
    muted(@Root() member: MemberRow, @Ctx() context: Context): boolean {
      return member.mutedUntil !== null && member.mutedUntil > context.now;
    }
    @FieldResolver()
    mutedUntil(@Root() member: MemberRow, @Ctx() context: Context): Date | null {
      return member.mutedUntil && member.mutedUntil > context.now && member.mutedUntil < FOREVER ? member.mutedUntil : null;
    }
    @FieldResolver()
    pinned(@Root() member: MemberRow): boolean {
      return member.pinnedAt !== null;
    }
    @FieldResolver()
    archived(@Root() member: MemberRow): boolean {
      return member.archivedAt !== null;
    }
  }
  return OwnSettingsResolver;
}

@Resolver(() => ChatSettingsType)
export class ChatSettingsResolver extends settingsResolver(ChatSettingsType) {}

@Resolver(() => ChatViewerStateType)
export class ChatViewerStateResolver extends settingsResolver(ChatViewerStateType) {
  @FieldResolver(() => Int, { description: 'Messages that count and were not read: not one’s own, no system messages, none in threads. 99 at most.' })
  async unreadCount(@Root() { chatId }: MemberRow, @Ctx() context: Context): Promise<number> {
    return (await context.load(unreadOf, chatId))?.count ?? 0;
  }

  @FieldResolver(() => Boolean, { description: 'There are more than 99 unread: show 99+.' })
  async unreadCapped(@Root() { chatId }: MemberRow, @Ctx() context: Context): Promise<boolean> {
    return (await context.load(unreadOf, chatId))?.capped ?? false;
  }

  @FieldResolver(() => Int, { description: 'How many of the unread name the viewer. 99 at most.' })
  async mentionsCount(@Root() { chatId }: MemberRow, @Ctx() context: Context): Promise<number> {
    return (await context.load(unreadOf, chatId))?.mentions ?? 0;
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'Of a direct chat: whom the viewer talks to.' })
  async otherMember(@Root() { chatId, userId }: MemberRow, @Ctx() context: Context): Promise<UserRow | null> {
    const other = (await context.load(chatById, chatId))?.directKey?.split(':').find((id) => id !== userId);
    return other ? context.load(userById, other) : null;
  }
}
