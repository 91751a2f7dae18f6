import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { MessageKind } from './enums.js';
import { MessageType } from './message.js';
import { DateTime } from './scalars.js';

@ObjectType('HighlightSegment', { description: 'A piece of a text that was found: plain text, whatever it looks like.' })
export class HighlightSegmentType {
  @Field(() => String) text: string;
  @Field(() => Boolean, { description: 'Whether it is what was looked for.' }) match: boolean;
}

@ObjectType()
class FoundEdge {
  @Field(() => [HighlightSegmentType], { description: 'The places where it was found, with what stands around them; more than one place is parted by " … ".' })
  highlights: HighlightSegmentType[];
}

export const MessageSearchPages = connectionOf('MessageSearch', () => MessageType, FoundEdge);

@InputType('MessageSearchFilter', { description: 'What is given must hold all together.' })
export class MessageSearchFilter {
  @Field(() => ID, { nullable: true, description: 'Only in this chat. NOT_FOUND when the viewer is not in it.' }) chatId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only from this person or bot.' }) senderId?: string | null;
  @Field(() => MessageKind, { nullable: true }) kind?: 'TEXT' | 'MEDIA' | 'VOICE' | 'CARD' | 'SYSTEM' | 'ENCRYPTED' | null;
  @Field(() => DateTime, { nullable: true, description: 'Sent then or later.' }) after?: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'Sent before then.' }) before?: Date | null;
}
