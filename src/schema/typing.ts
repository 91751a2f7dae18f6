import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

@InputType('SetTypingInput')
export class SetTypingInput {
  @Field(() => ID) chatId: string;
  @Field(() => Boolean, { description: 'Say true again every few seconds while it goes on: it expires by itself after 6.' }) typing: boolean;
}
@ObjectType('SetTypingPayload')
export class SetTypingPayload {
  @Field(() => Boolean) typing: boolean;
  @Field(() => DateTime) expiresAt: Date;
}

@ObjectType('TypingEvent', { description: 'Somebody else begins to write, goes on, or stops. Ephemeral: of several changes only the last may be told.' })
export class TypingEventType {
  @Field(() => ID) chatId: string;
  @Field(() => ID) userId: string;
  @Field(() => UserType) user: object;
  @Field(() => Boolean) typing: boolean;
  @Field(() => DateTime, { description: 'Unless it is said again: take them for not typing from then on.' }) expiresAt: Date;
}
