import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { ReportReason, ReportTargetType } from './enums.js';
import { DateTime } from './scalars.js';

@ObjectType('Report', { description: 'What the viewer has reported.' })
export class ReportType {
  @Field(() => ID) id: string;
  @Field(() => ReportTargetType) targetType: string;
  @Field(() => ID) targetId: string;
  @Field(() => ReportReason) reason: string;
  @Field(() => String, { nullable: true }) note: string | null;
  @Field(() => DateTime) createdAt: Date;
}

@InputType('ReportContentInput')
export class ReportContentInput {
  @Field(() => ID, { description: 'A user, message, chat or group.' }) targetId: string;
  @Field(() => ReportReason) reason: 'SPAM' | 'HARASSMENT' | 'HATE' | 'VIOLENCE' | 'SEXUAL_CONTENT' | 'CHILD_SAFETY' | 'SELF_HARM' | 'FRAUD' | 'IMPERSONATION' | 'OTHER';
  @Field(() => String, { nullable: true, description: 'Up to 2 KiB.' }) note?: string | null;
}
@ObjectType('ReportContentPayload')
export class ReportContentPayload {
  @Field(() => ReportType, { description: 'A target is reported once: a repeat answers the first report.' }) report: object;
}
