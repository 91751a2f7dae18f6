import { Field, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { MessageKind, ReferenceState } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

@ObjectType('ReactionGroup')
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

export const MessagePages = connectionOf('Message', () => MessageType);
