import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId, decodeMessageId, encodeMessageId } from '../lib/ids.js';
import { ChatType } from '../schema/chat.js';
import { MessageReferenceType, MessageType, ReactionGroupType } from '../schema/message.js';
import { SendMessageInput, SendMessagePayload, type PollInput } from '../schema/message-inputs.js';
import { UserType } from '../schema/user.js';
import { chatById, type ChatRow } from '../services/loaders/chats.js';
import { messageByKey, type MessageRow } from '../services/loaders/messages.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { MessageService } from '../services/messages.js';
import type { NewPoll } from '../services/polls.js';
import { reactionGroups, type ReactionGroup } from '../services/reactions.js';
import { newAttachments } from './attachments.js';
import type { Context } from './context.js';

const newPoll = ({ question, options, multiple, anonymous, closesAt }: PollInput): NewPoll => ({ question, options, multiple: multiple ?? false, anonymous: anonymous ?? false, closesAt: closesAt ?? null });

@Resolver(() => MessageType)
export class MessageResolver {
  constructor(private readonly messages: MessageService) {}

  @Mutation(() => SendMessagePayload)
  async sendMessage(@Arg('input', () => SendMessageInput) input: SendMessageInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    const seqIn = (id: string | null | undefined, field: string) => (id == null ? null : decodeMessageId(id, field));
    return {
      message: await this.messages.send(context.requireViewer(), {
        chatId: decodeId('Chat', input.chatId, 'chatId'),
        text: input.text ?? null,
        attachments: newAttachments(input),
        replyTo: seqIn(input.replyToId, 'replyToId'),
        threadRoot: seqIn(input.threadRootId, 'threadRootId'),
        poll: input.poll ? newPoll(input.poll) : null,
        ...(input.linkPreview === false ? { linkPreview: false as const } : {}),
        location: input.location ? { ...input.location, name: input.location.name ?? null } : null,
        idempotencyKey: input.idempotencyKey,
      }),
    };
  }

  @FieldResolver()
  id(@Root() message: MessageRow): string {
    return encodeMessageId(message.chatId, message.seq);
  }

  @FieldResolver(() => ChatType)
  chat(@Root() message: MessageRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return context.load(chatById, message.chatId);
  }

  @FieldResolver(() => UserType)
  sender(@Root() message: MessageRow, @Ctx() context: Context): UserRow | Promise<UserRow | null> {
    // Without waiting where it can be: an event whose every field is at hand is executed and written in one go.
    return context.peek(userById, message.senderId) ?? context.load(userById, message.senderId);
  }

  @FieldResolver(() => [ReactionGroupType])
  reactions(@Root() message: MessageRow): ReactionGroup[] {
    return reactionGroups(message);
  }

  @FieldResolver(() => MessageReferenceType, { nullable: true })
  replyTo(@Root() message: MessageRow): MessageReference | null {
    return message.replyToSeq === null ? null : { chatId: message.chatId, seq: message.replyToSeq };
  }

  @FieldResolver(() => MessageReferenceType, { nullable: true, description: 'The message in whose thread this one answers.' })
  threadRoot(@Root() message: MessageRow): MessageReference | null {
    return message.threadRootSeq === null ? null : { chatId: message.chatId, seq: message.threadRootSeq };
  }
}

interface MessageReference {
  chatId: string;
  seq: number;
}

@Resolver(() => MessageReferenceType)
export class MessageReferenceResolver {
  @FieldResolver()
  id(@Root() reference: MessageReference): string {
    return encodeMessageId(reference.chatId, reference.seq);
  }

  @FieldResolver()
  async state(@Root() reference: MessageReference, @Ctx() context: Context): Promise<'VISIBLE' | 'DELETED' | 'HIDDEN'> {
    if (!(await context.sees(reference.chatId, reference.seq))) return 'HIDDEN';
    const message = await context.load(messageByKey, reference);
    return !message || message.deletedAt ? 'DELETED' : 'VISIBLE';
  }

  @FieldResolver()
  async message(@Root() reference: MessageReference, @Ctx() context: Context): Promise<MessageRow | null> {
    if (!(await context.sees(reference.chatId, reference.seq))) return null;
    const message = await context.load(messageByKey, reference);
    return message?.deletedAt ? null : message;
  }
}
