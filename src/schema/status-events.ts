import { Field, ID, ObjectType, type ClassType } from 'type-graphql';
import { DateTime } from './scalars.js';
import { StatusHighlightType, StatusInsightsType, StatusType } from './status.js';
import { StreamEventType } from './stream-event.js';

const event = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });

@ObjectType({ implements: StreamEventType })
abstract class OfStatus extends StreamEventType {
  @Field(() => ID) statusId: string;
}
@ObjectType({ implements: StreamEventType })
abstract class OfAuthor extends OfStatus {
  @Field(() => ID, { description: 'Its author.' }) userId: string;
}

@event('StatusPosted', 'Somebody shows something to the viewer, or the viewer to others.')
export class StatusPostedType extends OfAuthor {
  @Field(() => StatusType, { nullable: true, description: 'Null when it is not there for the viewer any more.' }) status: object | null;
}
@event('StatusDeleted', 'A status is no longer shown. What is in highlights is still there after it has expired.')
export class StatusDeletedType extends OfAuthor {
  @Field(() => Boolean, { description: 'Its day was over; else its author has taken it back.' }) expired: boolean;
}
@event('StatusViewed', 'Somebody has seen a status of the viewer’s, or reacted to it: how things stand now, at most once a second a status.')
export class StatusViewedType extends OfStatus {
  @Field(() => StatusInsightsType, { nullable: true, description: 'Null when it has been deleted, or has expired.' }) insights: object | null;
}
@event('StatusMarksChanged', 'The viewer has seen a status, or reacted to it, on any device.')
export class StatusMarksChangedType extends OfAuthor {
  @Field(() => DateTime, { nullable: true, description: 'When they saw it; null when the status is gone.' }) viewedAt: Date | null;
  @Field(() => String, { nullable: true }) reaction: string | null;
}
@event('StatusMuteChanged', 'The viewer has muted somebody’s statuses, or no longer does.')
export class StatusMuteChangedType extends StreamEventType {
  @Field(() => ID) userId: string;
  @Field(() => Boolean) muted: boolean;
}
@event('StatusHighlightChanged', 'A highlight of the viewer’s was made, changed or deleted.')
export class StatusHighlightChangedType extends StreamEventType {
  @Field(() => ID) highlightId: string;
  @Field(() => StatusHighlightType, { nullable: true, description: 'As it is now. Null when it has been deleted.' }) highlight: object | null;
  @Field(() => [ID], { description: 'What it holds.' }) statusIds: string[];
  @Field(() => ID, { nullable: true, description: 'The cover that was chosen.' }) coverStatusId: string | null;
}

export const STATUSES_OF_INBOX: ClassType[] = [StatusPostedType, StatusDeletedType, StatusViewedType, StatusMarksChangedType, StatusMuteChangedType, StatusHighlightChangedType];
