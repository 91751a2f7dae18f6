import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, decodeMessageId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { MessageMarksChangedType } from '../schema/events.js';
import {
  AddReactionInput, AddReactionPayload, ClosePollInput, ClosePollPayload, DeleteMessageInput, DeleteMessagePayload, EditMessageInput, EditMessagePayload, ForwardMessagesInput,
  ForwardMessagesPayload, PinMessageInput, PinMessagePayload, RemoveReactionInput, RemoveReactionPayload, StarMessageInput, StarMessagePayload, UnpinMessageInput, UnpinMessagePayload,
  UnstarMessageInput, UnstarMessagePayload, VotePollInput, VotePollPayload,
} from '../schema/message-inputs.js';
import { MessagePages, MessageType } from '../schema/message.js';
import { ViewerType } from '../schema/viewer.js';
import type { ForwardService } from '../services/forwards.js';
import type { MessageKey, MessageRow } from '../services/loaders/messages.js';
import type { MessageEditService } from '../services/message-edits.js';
import type { MessageMarkService } from '../services/message-marks.js';
import type { MessageService } from '../services/messages.js';
import type { PinService } from '../services/pins.js';
import type { PollService } from '../services/polls.js';
import type { ReactionService } from '../services/reactions.js';
import type { Context, Viewer } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

interface Changed {
  message: MessageRow;
}

@Resolver()
export class MessageChangesResolver {
  constructor(
    private readonly edits: MessageEditService,
    private readonly marks: MessageMarkService,
    private readonly forwards: ForwardService,
  ) {}

  @Mutation(() => EditMessagePayload, { description: 'Replaces the text of one’s own message; earlier texts are kept under `edits`.' })
  async editMessage(@Arg('input', () => EditMessageInput) { messageId, text, expectedVersion }: EditMessageInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.edits.edit(context.requireViewer(), decodeMessageId(messageId), { text, expectedVersion: expectedVersion ?? null }) };
  }

  @Mutation(() => DeleteMessagePayload, { description: 'Erases a message for everyone, or takes it out of the viewer’s own lists.' })
  async deleteMessage(@Arg('input', () => DeleteMessageInput) { messageId, scope }: DeleteMessageInput, @Ctx() context: Context): Promise<Changed> {
    const viewer = context.requireViewer();
    const key = decodeMessageId(messageId);
    return { message: await (scope === 'FOR_ME' ? this.marks.hide(viewer, key) : this.edits.deleteForEveryone(viewer, key)) };
  }

  @Mutation(() => StarMessagePayload, { description: 'Keeps a message under `viewer.starredMessages`.' })
  async starMessage(@Arg('input', () => StarMessageInput) { messageId }: StarMessageInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.marks.star(context.requireViewer(), decodeMessageId(messageId)) };
  }

  @Mutation(() => UnstarMessagePayload)
  async unstarMessage(@Arg('input', () => UnstarMessageInput) { messageId }: UnstarMessageInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.marks.unstar(context.requireViewer(), decodeMessageId(messageId)) };
  }

  @Mutation(() => ForwardMessagesPayload, { description: 'Sends messages on, all or (when one may not be) none. Polls are asked anew.' })
  async forwardMessages(@Arg('input', () => ForwardMessagesInput) input: ForwardMessagesInput, @Ctx() context: Context): Promise<{ messages: MessageRow[] }> {
    const viewer = context.requireViewer();
    const messages = input.messageIds.map((id) => decodeMessageId(id, 'messageIds'));
    const chatIds = input.chatIds.map((id) => decodeId('Chat', id, 'chatIds'));
    return { messages: await this.forwards.forward(viewer, { messages, chatIds, idempotencyKey: input.idempotencyKey }) };
  }
}

/** What people do with a message together. */
@Resolver()
export class MessageSharingResolver {
  constructor(
    private readonly reactions: ReactionService,
    private readonly pins: PinService,
    private readonly polls: PollService,
  ) {}

  @Mutation(() => AddReactionPayload, { description: 'At most 20 different emoji a message.' })
  async addReaction(@Arg('input', () => AddReactionInput) { messageId, emoji }: AddReactionInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.reactions.add(context.requireViewer(), decodeMessageId(messageId), emoji) };
  }

  @Mutation(() => RemoveReactionPayload)
  async removeReaction(@Arg('input', () => RemoveReactionInput) { messageId, emoji }: RemoveReactionInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.reactions.remove(context.requireViewer(), decodeMessageId(messageId), emoji) };
  }

  @Mutation(() => PinMessagePayload, { description: 'In a group chat by those who run it, in a direct chat by both. At most 50 a chat.' })
  async pinMessage(@Arg('input', () => PinMessageInput) { messageId }: PinMessageInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.pins.pin(context.requireViewer(), decodeMessageId(messageId)) };
  }

  @Mutation(() => UnpinMessagePayload)
  async unpinMessage(@Arg('input', () => UnpinMessageInput) { messageId }: UnpinMessageInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.pins.unpin(context.requireViewer(), decodeMessageId(messageId)) };
  }

  @Mutation(() => VotePollPayload, { description: 'Replaces the viewer’s votes.' })
  async votePoll(@Arg('input', () => VotePollInput) { messageId, optionIndexes }: VotePollInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.polls.vote(context.requireViewer(), decodeMessageId(messageId), optionIndexes) };
  }

  @Mutation(() => ClosePollPayload, { description: 'By its sender, or by those who run a group chat.' })
  async closePoll(@Arg('input', () => ClosePollInput) { messageId }: ClosePollInput, @Ctx() context: Context): Promise<Changed> {
    return { message: await this.polls.close(context.requireViewer(), decodeMessageId(messageId)) };
  }
}

@Resolver(() => ViewerType)
export class StarredMessagesResolver {
  constructor(private readonly marks: MessageMarkService) {}

  @FieldResolver(() => MessagePages.Connection, { description: 'The last starred first.' })
  starredMessages(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<MessageRow>> {
    return this.marks.starred(context, viewer.userId, args);
  }
}

@Resolver(() => MessageMarksChangedType)
export class MessageMarksChangedResolver {
  constructor(private readonly messages: MessageService) {}

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true, description: 'As it is now. Null when the viewer may no longer see it.' })
  message(@Root() event: { key: MessageKey }, @Ctx() context: Context): Promise<MessageRow | null> {
    return this.messages.find(context, event.key);
  }
}
