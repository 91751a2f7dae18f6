import { Ctx, FieldResolver, ID, Int, Resolver, Root, type ClassType } from 'type-graphql';
import {
  BlockChangedType,
  ChatAddedType,
  ChatSettingsChangedType,
  ChatUpdatedType,
  ContactChangedType,
  MemberJoinedType,
  MemberLeftType,
  MemberUpdatedType,
  MessageDeletedType,
  MessageSentType,
  MessageUpdatedType,
  PinnedMessagesChangedType,
  ProfileChangedType,
  ReactionsChangedType,
} from '../schema/events.js';
import { ChatMemberType, ChatType } from '../schema/chat.js';
import { MessageType, ReactionGroupType } from '../schema/message.js';
import { PrivacySettingsType } from '../schema/people.js';
import { PresenceEventType } from '../schema/presence.js';
import { TypingEventType } from '../schema/typing.js';
import { UserType } from '../schema/user.js';
import { chatById, chatMember, type ChatRow, type MemberRow } from '../services/loaders/chats.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { privacyOf, type PrivacyRow } from '../services/loaders/relations.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import { reactionGroups } from '../services/reactions.js';
import { encodeId } from '../lib/ids.js';
import type { Context } from './context.js';

interface OfMessage {
  chatKey: string;
  row: MessageRow | null;
}
interface OfMember {
  chatKey: string;
  userKey: string;
}

/** `message`, for those who may see it. */
function messageEventResolver(type: ClassType): ClassType {
  @Resolver(() => type)
  class MessageEventResolver {
    @FieldResolver(() => MessageType, { nullable: true })
    message(@Root() event: OfMessage, @Ctx() context: Context): MessageRow | null | Promise<MessageRow | null> {
      if (!event.row) return null;
      const sees = context.sees(event.chatKey, event.row.seq);
      return typeof sees === 'boolean' ? (sees ? event.row : null) : sees.then((may) => (may ? event.row : null));
    }
  }
  return MessageEventResolver;
}

@Resolver(() => ReactionsChangedType)
class ReactionsChangedResolver {
  @FieldResolver(() => [ReactionGroupType])
  reactions(@Root() event: OfMessage, @Ctx() context: Context): object[] | Promise<object[]> {
    if (!event.row) return [];
    const groups = reactionGroups(event.row);
    const sees = context.sees(event.chatKey, event.row.seq);
    return typeof sees === 'boolean' ? (sees ? groups : []) : sees.then((may) => (may ? groups : []));
  }
}

function memberEventResolver(type: ClassType): ClassType {
  @Resolver(() => type)
  class MemberEventResolver {
    @FieldResolver(() => ID)
    userId(@Root() event: OfMember): string {
      return encodeId('User', event.userKey);
    }
    @FieldResolver(() => UserType, { nullable: true })
    user(@Root() event: OfMember, @Ctx() context: Context): Promise<UserRow | null> {
      return context.load(userById, event.userKey);
    }
    @FieldResolver(() => Int)
    async memberCount(@Root() event: OfMember, @Ctx() context: Context): Promise<number> {
      return (await context.load(chatById, event.chatKey))?.memberCount ?? 0;
    }
  }
  return MemberEventResolver;
}

/** `member` as it is now: null once they have left. */
function withMember(type: ClassType): ClassType {
  @Resolver(() => type)
  class WithMemberResolver {
    @FieldResolver(() => ChatMemberType, { nullable: true })
    member(@Root() event: OfMember, @Ctx() context: Context): Promise<MemberRow | null> {
      return context.load(chatMember, { chatId: event.chatKey, userId: event.userKey });
    }
  }
  return WithMemberResolver;
}

function withChat(type: ClassType, nullable: boolean): ClassType {
  @Resolver(() => type)
  class WithChatResolver {
    @FieldResolver(() => ChatType, { nullable })
    chat(@Root() event: { chatKey: string; gone?: boolean }, @Ctx() context: Context): Promise<ChatRow | null> | null {
      return event.gone ? null : context.load(chatById, event.chatKey);
    }
  }
  return WithChatResolver;
}

/** `user`: whom an event is about. */
function withUser(type: ClassType): ClassType {
  @Resolver(() => type)
  class WithUserResolver {
    @FieldResolver(() => UserType)
    user(@Root() event: { userKey: string }, @Ctx() context: Context): Promise<UserRow | null> {
      return context.load(userById, event.userKey);
    }
  }
  return WithUserResolver;
}

@Resolver(() => ProfileChangedType)
class ProfileChangedResolver {
  @FieldResolver(() => PrivacySettingsType)
  privacy(@Root() event: { userKey: string }, @Ctx() context: Context): Promise<PrivacyRow | null> {
    return context.load(privacyOf, event.userKey);
  }
}

export const EVENT_RESOLVERS = [
  ...[MessageSentType, MessageUpdatedType, MessageDeletedType, ReactionsChangedType, PinnedMessagesChangedType].map(messageEventResolver),
  ReactionsChangedResolver,
  ...[MemberJoinedType, MemberLeftType, MemberUpdatedType].map(memberEventResolver),
  ...[MemberJoinedType, MemberUpdatedType].map(withMember),
  withChat(ChatUpdatedType, false),
  withChat(ChatAddedType, true),
  ...[ProfileChangedType, ContactChangedType, BlockChangedType, PresenceEventType, TypingEventType].map(withUser),
  ProfileChangedResolver,
  withChat(ChatSettingsChangedType, true),
];
