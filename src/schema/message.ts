import { Field, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { MessageKind, ReferenceState } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('ReactionGroup', { description: 'How many have reacted with one emoji. Groups stand in the order of their first use.' })
export class ReactionGroupType {
  @Field(() => String) emoji: string;
  @Field(() => Int) count: number;
}

@ObjectType('Message', { implements: NodeType })
export class MessageType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => Int, { description: 'Its number among the chat’s messages: 1, 2, 3 …' }) seq: number;
  @Field(() => Int, { description: 'Grows with every change: keep the message with the higher version.' }) version: number;
  @Field(() => MessageKind) kind: 'TEXT' | 'MEDIA' | 'VOICE' | 'CARD' | 'SYSTEM' | 'ENCRYPTED';
  @Field(() => String, { nullable: true, description: 'Null when deleted, and for a card without words.' }) text: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) editedAt: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When it was deleted for everyone, or disappeared.' }) deletedAt: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When it will disappear.' }) expiresAt: Date | null;
}

@ObjectType('MessageReference', { description: 'The message that another one answers.' })
export class MessageReferenceType {
  @Field(() => ID) id: string;
  @Field(() => ReferenceState) state: 'VISIBLE' | 'DELETED' | 'HIDDEN';
  @Field(() => MessageType, { nullable: true, description: 'Only when VISIBLE.' }) message: object | null;
}

@ObjectType('ForwardOrigin', { description: 'Where a forwarded message was first written.' })
export class ForwardOriginType {
  @Field(() => UserType) sender: object;
  @Field(() => DateTime) sentAt: Date;
}

@ObjectType('ThreadSummary', { description: 'The answers to a message that stand beside the history.' })
export class ThreadSummaryType {
  @Field(() => Int, { description: 'Of answers that have not been deleted.' }) count: number;
  @Field(() => DateTime) lastReplyAt: Date;
  @Field(() => [UserType], { description: 'Whoever wrote the newest answers, newest first: at most 10, out of the last 200 answers.' }) participants: object[];
}

@ObjectType('MessageEdit', { description: 'What a message said before an edit.' })
export class MessageEditType {
  @Field(() => Int, { description: 'Of the message, while it said so.' }) version: number;
  @Field(() => String) text: string;
  @Field(() => DateTime) replacedAt: Date;
}

@ObjectType('LinkPreview', { description: 'What stands behind the first link of the text, as its page says. Comes a moment after the message, with MessageUpdated.' })
export class LinkPreviewType {
  @Field(() => String) url: string;
  @Field(() => String, { nullable: true, description: 'Of a product, this and what follows is as of now, and null when it is not published any more.' }) title: string | null;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => String, { nullable: true, description: 'At its publisher: whoever loads it tells them so.' }) imageUrl: string | null;
  @Field(() => String, { nullable: true }) siteName: string | null;
}

@ObjectType('MessageViewerState', { description: 'What of a message is the viewer’s own.' })
export class MessageViewerStateType {
  @Field(() => [String], { description: 'The emoji that the viewer has reacted with, in that order.' }) reactions: string[];
  @Field(() => Boolean) starred: boolean;
  @Field(() => Boolean, { description: 'Lists leave it out; by its id or number it can still be read.' }) deletedForViewer: boolean;
  @Field(() => Boolean, { description: 'The text names the viewer.' }) mentioned: boolean;
  @Field(() => Boolean, { description: 'The viewer has blocked the sender: in a group chat their messages still arrive.' }) senderBlocked: boolean;
}

export const MessagePages = connectionOf('Message', () => MessageType);
export const MessageEditPages = connectionOf('MessageEdit', () => MessageEditType);
