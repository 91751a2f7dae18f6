import { Field, ID, InterfaceType, ObjectType } from 'type-graphql';
import { ResyncReason } from './enums.js';
import { DateTime, EventCursor } from './scalars.js';

@InterfaceType('StreamEvent', { description: 'An event with its place in its stream.' })
export abstract class StreamEventType {
  @Field(() => ID, { description: 'The chat, user, call, news source or cart whose stream this is.' }) streamId: string;
  @Field(() => EventCursor, { description: 'Give it as `after` to go on behind this event.' }) cursor: string;
  @Field(() => DateTime) at: Date;
}

@ObjectType('ResyncRequired', {
  implements: StreamEventType,
  description: 'The stream can’t be continued from the given cursor: read the state again, then subscribe from its eventCursor. Nothing follows in this stream.',
})
export class ResyncRequiredType extends StreamEventType {
  @Field(() => ResyncReason) reason: string;
}
