import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { STATUS_FONTS, type StatusFont as Font } from '../entities/status.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const StatusKind = enumOf('StatusKind', ['TEXT', 'IMAGE', 'VIDEO']);
export const StatusFont = enumOf('StatusFont', STATUS_FONTS, 'How the words of a text status are to be set; what fits best is the client’s choice.');
export const StatusAudienceKind = enumOf(
  'StatusAudienceKind',
  ['CONTACTS', 'EXCEPT', 'ONLY'],
  'Who sees a status: mutual contacts, all of them, all but some, or some alone. Mutual: both have each other among their contacts.',
);

@ObjectType('StatusViewerState', { description: 'What of a status is the viewer’s own.' })
export class StatusViewerStateType {
  @Field(() => DateTime, { nullable: true, description: 'When the viewer saw it; null: not yet, or it is their own.' }) viewedAt: Date | null;
  @Field(() => String, { nullable: true, description: 'The emoji that the viewer has reacted with.' }) reaction: string | null;
}

@ObjectType('StatusReactionCount')
export class StatusReactionCountType {
  @Field(() => String) emoji: string;
  @Field(() => Int) count: number;
}

@ObjectType('StatusViewer', { description: 'Somebody who has seen a status.' })
export class StatusViewerType {
  @Field(() => DateTime) viewedAt: Date;
  @Field(() => String, { nullable: true, description: 'The emoji that they have reacted with.' }) reaction: string | null;
}
export const StatusViewerPages = connectionOf('StatusViewer', () => StatusViewerType);

@ObjectType('StatusInsights', { description: 'What only a status’s author is told of it.' })
export class StatusInsightsType {
  @Field(() => StatusAudienceKind) audience: 'CONTACTS' | 'EXCEPT' | 'ONLY';
  @Field(() => Int) viewCount: number;
  @Field(() => Int, { description: 'How many have reacted.' }) reactionCount: number;
}

@ObjectType('Status', { implements: NodeType, description: 'What somebody shows to their contacts for 24 hours.' })
export class StatusType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => StatusKind) kind: 'TEXT' | 'IMAGE' | 'VIDEO';
  @Field(() => String, { nullable: true, description: 'The words of a text, the caption of a picture or video.' }) text: string | null;
  @Field(() => String, { nullable: true, description: '#rrggbb; null: the client’s choice.' }) backgroundColor: string | null;
  @Field(() => StatusFont, { nullable: true }) font: Font | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { description: 'From then on it is seen in highlights alone.' }) expiresAt: Date;
}
export const StatusPages = connectionOf('Status', () => StatusType);

@ObjectType('StatusGroup', { description: 'All that one person shows to the viewer at this moment.' })
export class StatusGroupType {
  @Field(() => Int, { description: 'How many there are.' }) total: number;
  @Field(() => Int, { description: 'How many of them the viewer has not seen.' }) unseen: number;
  @Field(() => DateTime, { description: 'When the newest was posted.' }) latestAt: Date;
  @Field(() => Boolean, { description: 'The viewer has muted this person’s statuses.' }) muted: boolean;
}
export const StatusGroupPages = connectionOf('StatusGroup', () => StatusGroupType);

@ObjectType('StatusHighlight', { implements: NodeType, description: 'Statuses that outlive their day, under a title. Everybody sees of it what they may see.' })
export class StatusHighlightType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String) title: string;
  @Field(() => Int, { description: 'Grows with every change: keep the highlight with the higher version.' }) version: number;
  @Field(() => DateTime) createdAt: Date;
}
export const StatusHighlightPages = connectionOf('StatusHighlight', () => StatusHighlightType);

@InputType('StatusAudienceInput')
export class StatusAudienceInput {
  @Field(() => StatusAudienceKind) kind: 'CONTACTS' | 'EXCEPT' | 'ONLY';
  @Field(() => [ID], { nullable: true, description: 'Up to 1,000: of EXCEPT those who don’t see it, of ONLY those who do, as far as they are mutual contacts.' }) userIds?: string[] | null;
}

@InputType('PostStatusInput')
export class PostStatusInput {
  @Field(() => String, { nullable: true, description: 'Up to 2 KiB.' }) text?: string | null;
  @Field(() => String, { nullable: true, description: '#rrggbb, behind a text.' }) backgroundColor?: string | null;
  @Field(() => StatusFont, { nullable: true, description: 'Of a text.' }) font?: Font | null;
  @Field(() => ID, { nullable: true, description: 'A picture or video of the viewer’s, READY: the text is its caption. Not together with a background or font.' }) fileId?: string | null;
  @Field(() => StatusAudienceInput, { nullable: true, description: 'Default: all mutual contacts.' }) audience?: StatusAudienceInput | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('PostStatusPayload')
export class PostStatusPayload {
  @Field(() => StatusType) status: object;
}

@InputType()
abstract class OfStatusInput {
  @Field(() => ID) statusId: string;
}
@InputType('ViewStatusInput')
export class ViewStatusInput extends OfStatusInput {}
@ObjectType('ViewStatusPayload')
export class ViewStatusPayload {
  @Field(() => StatusType) status: object;
}
@InputType('DeleteStatusInput')
export class DeleteStatusInput extends OfStatusInput {}
@ObjectType('DeleteStatusPayload')
export class DeleteStatusPayload {
  @Field(() => ID) statusId: string;
}
@InputType('ReactToStatusInput')
export class ReactToStatusInput extends OfStatusInput {
  @Field(() => String, { nullable: true, description: 'One emoji, in place of an earlier one; null takes it back.' }) emoji?: string | null;
}
@ObjectType('ReactToStatusPayload')
export class ReactToStatusPayload {
  @Field(() => StatusType) status: object;
}

@InputType()
abstract class OfPersonInput {
  @Field(() => ID) userId: string;
}
@ObjectType()
abstract class OfPersonPayload {
  @Field(() => UserType) user: object;
}
@InputType('MuteStatusesInput')
export class MuteStatusesInput extends OfPersonInput {}
@ObjectType('MuteStatusesPayload')
export class MuteStatusesPayload extends OfPersonPayload {}
@InputType('UnmuteStatusesInput')
export class UnmuteStatusesInput extends OfPersonInput {}
@ObjectType('UnmuteStatusesPayload')
export class UnmuteStatusesPayload extends OfPersonPayload {}

@InputType('CreateHighlightInput')
export class CreateHighlightInput {
  @Field(() => String, { description: 'Up to 128 bytes.' }) title: string;
  @Field(() => [ID], { description: '1 to 100 of the viewer’s own, which are shown today or in another highlight.' }) statusIds: string[];
  @Field(() => ID, { nullable: true, description: 'One of them. Default: the first.' }) coverStatusId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateHighlightPayload')
export class CreateHighlightPayload {
  @Field(() => StatusHighlightType) highlight: object;
}
@InputType('UpdateHighlightInput')
export class UpdateHighlightInput {
  @Field(() => ID) highlightId: string;
  @Field(() => String, { nullable: true, description: 'Up to 128 bytes.' }) title?: string | null;
  @Field(() => [ID], { nullable: true }) addStatusIds?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Those whose day is over, and which no other highlight holds, are gone with it.' }) removeStatusIds?: string[] | null;
  @Field(() => ID, { nullable: true, description: 'Left out: stays as it is; null: the first.' }) coverStatusId?: string | null;
}
@ObjectType('UpdateHighlightPayload')
export class UpdateHighlightPayload {
  @Field(() => StatusHighlightType) highlight: object;
}
@InputType('DeleteHighlightInput')
export class DeleteHighlightInput {
  @Field(() => ID) highlightId: string;
}
@ObjectType('DeleteHighlightPayload')
export class DeleteHighlightPayload {
  @Field(() => ID) highlightId: string;
}
