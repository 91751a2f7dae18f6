import { Field, ID, InputType } from 'type-graphql';
import { ChatKind } from './enums.js';

@InputType('ChatFilter', { description: 'What is left out filters nothing.' })
export class ChatFilterInput {
  @Field(() => ChatKind, { nullable: true }) kind?: 'DIRECT' | 'GROUP' | null;
  @Field(() => Boolean, { nullable: true }) unread?: boolean | null;
  @Field(() => Boolean, { nullable: true }) archived?: boolean | null;
  @Field(() => Boolean, { nullable: true }) pinned?: boolean | null;
  @Field(() => ID, { nullable: true, description: 'Chats of this group.' }) groupId?: string | null;
  @Field(() => String, { nullable: true, description: 'A part of the title, or of the other member’s name or handle.' }) query?: string | null;
}
