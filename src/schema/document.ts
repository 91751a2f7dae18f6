import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { DocumentEditing, DocumentEnd, DocumentKind } from './enums.js';
import { NodeType } from './node.js';
import { Bytes, DateTime, JsonScalar } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('Document', { implements: NodeType, description: 'What several people of a chat change at once: a whiteboard (a Yjs document), or a session of co-browsing. See docs/DOCUMENTS.md.' })
export class DocumentType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => DocumentKind) kind: 'WHITEBOARD' | 'CO_BROWSING';
  @Field(() => String, { nullable: true }) title: string | null;
  @Field(() => DocumentEditing) editing: 'EVERYONE' | 'ADMINS';
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) endedAt: Date | null;
}

@ObjectType('DocumentViewerState', { description: 'What the viewer may do with a document.' })
export class DocumentViewerStateType {
  @Field(() => Boolean) canEdit: boolean;
  @Field(() => Boolean, { description: 'Name it, say who edits, take it away.' }) canManage: boolean;
}

export const DocumentPages = connectionOf('Document', () => DocumentType);

@InputType('CreateWhiteboardInput')
export class CreateWhiteboardInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID, { nullable: true, description: 'A call that goes on in the chat, in which this is begun.' }) callId?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 200 bytes.' }) title?: string | null;
  @Field(() => DocumentEditing, { nullable: true, description: 'EVERYONE unless told.' }) editing?: 'EVERYONE' | 'ADMINS' | null;
  @Field(() => ID) idempotencyKey: string;
}
@InputType('StartCoBrowsingInput')
export class StartCoBrowsingInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID, { nullable: true, description: 'A call that goes on in the chat, in which this is begun.' }) callId?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 200 bytes.' }) title?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@InputType()
abstract class OfDocumentInput {
  @Field(() => ID) documentId: string;
}
@InputType('UpdateWhiteboardInput')
export class UpdateWhiteboardInput extends OfDocumentInput {
  @Field(() => String, { nullable: true, description: 'Up to 200 bytes; null takes it away.' }) title?: string | null;
  @Field(() => DocumentEditing, { nullable: true }) editing?: 'EVERYONE' | 'ADMINS' | null;
}
@InputType('DeleteWhiteboardInput')
export class DeleteWhiteboardInput extends OfDocumentInput {}
@InputType('EndCoBrowsingInput')
export class EndCoBrowsingInput extends OfDocumentInput {}
@InputType('ApplyDocumentUpdateInput')
export class ApplyDocumentUpdateInput extends OfDocumentInput {
  @Field(() => Bytes, { description: 'Of a whiteboard: a Yjs update (version 1). Of co-browsing: a JSON array of rrweb events in UTF-8, perhaps packed by gzip. Up to 512 KiB.' }) update: Buffer;
  @Field(() => Int, { nullable: true, description: 'Of co-browsing alone: the number of this batch, 1, 2, 3 …' }) batch?: number | null;
}
@InputType('UpdateAwarenessInput')
export class UpdateAwarenessInput extends OfDocumentInput {
  @Field(() => String, { description: 'One tab of the viewer’s: as given to documentUpdates, with which it goes.' }) clientId: string;
  @Field(() => JsonScalar, { nullable: true, description: 'A pointer, a selection, a name: up to 2 KiB as JSON. Null: gone.' }) state?: unknown;
}
@InputType('RequestControlInput')
export class RequestControlInput extends OfDocumentInput {}
@InputType('ReleaseControlInput')
export class ReleaseControlInput extends OfDocumentInput {}
@InputType()
abstract class OfAskerInput extends OfDocumentInput {
  @Field(() => ID) userId: string;
}
@InputType('GrantControlInput')
export class GrantControlInput extends OfAskerInput {}
@InputType('DenyControlInput')
export class DenyControlInput extends OfAskerInput {}
@InputType('SendControlInput')
export class SendControlInput extends OfDocumentInput {
  @Field(() => [JsonScalar], { description: '1 to 50, together up to 8 KiB as JSON. What they mean is between the two pages.' }) messages: unknown[];
}

@ObjectType()
abstract class DocumentPayload {
  @Field(() => DocumentType) document: object;
}
@ObjectType('CreateWhiteboardPayload')
export class CreateWhiteboardPayload extends DocumentPayload {}
@ObjectType('UpdateWhiteboardPayload')
export class UpdateWhiteboardPayload extends DocumentPayload {}
@ObjectType('StartCoBrowsingPayload')
export class StartCoBrowsingPayload extends DocumentPayload {}
@ObjectType('EndCoBrowsingPayload')
export class EndCoBrowsingPayload extends DocumentPayload {}
@ObjectType('RequestControlPayload')
export class RequestControlPayload extends DocumentPayload {}
@ObjectType('GrantControlPayload')
export class GrantControlPayload extends DocumentPayload {}
@ObjectType('DenyControlPayload')
export class DenyControlPayload extends DocumentPayload {}
@ObjectType('ReleaseControlPayload')
export class ReleaseControlPayload extends DocumentPayload {}
@ObjectType('DeleteWhiteboardPayload')
export class DeleteWhiteboardPayload {
  @Field(() => ID) documentId: string;
}
@ObjectType('ApplyDocumentUpdatePayload')
export class ApplyDocumentUpdatePayload {
  @Field(() => Int, { description: 'The entry of the document’s log up to which it now holds the update.' }) seq: number;
  @Field(() => Boolean, { description: 'False: all of it was there already.' }) changed: boolean;
  @Field(() => Boolean, { description: 'Of co-browsing: send a full snapshot soon, so that whoever comes late need not replay so much.' }) snapshotWanted: boolean;
}
@ObjectType('UpdateAwarenessPayload')
export class UpdateAwarenessPayload {
  @Field(() => DateTime, { description: 'Say it again before.' }) expiresAt: Date;
}
@ObjectType('SendControlPayload')
export class SendControlPayload {
  @Field(() => ID) documentId: string;
}

@ObjectType()
abstract class OfDocumentEvent {
  @Field(() => ID) documentId: string;
}
@ObjectType('DocumentState', { description: 'First, and again whenever a reader can’t be brought up to date otherwise: applying it does no harm to whoever has it already.' })
export class DocumentStateType extends OfDocumentEvent {
  @Field(() => DocumentType) document: object;
  @Field(() => Int, { description: 'The entry up to which this is the state: what follows is numbered behind it.' }) seq: number;
  @Field(() => Bytes, { description: 'Of a whiteboard: one Yjs update with all that the given state vector lacks. Of co-browsing empty: what is to be replayed follows.' }) update: string;
  @Field(() => Bytes, { nullable: true, description: 'Of a whiteboard: what the server has. Send it what it lacks.' }) stateVector: string | null;
  @Field(() => Int, { description: 'Of co-browsing: the presenter’s last batch.' }) batches: number;
}
@ObjectType('DocumentUpdated', { description: 'One entry of the document’s log.' })
export class DocumentUpdatedType extends OfDocumentEvent {
  @Field(() => Int, { description: '1, 2, 3 … without gaps, but for those before the newest snapshot.' }) seq: number;
  @Field(() => ID) userId: string;
  @Field(() => Bytes) update: string;
}
@ObjectType('ControlChanged', { description: 'Who controls the presenter’s page, and who asks to, as it was decided at this entry of the log.' })
export class ControlChangedType extends OfDocumentEvent {
  @Field(() => Int) seq: number;
  @Field(() => ID, { nullable: true }) controllerId: string | null;
  @Field(() => [ID], { description: 'In the order in which they asked.' }) requesterIds: string[];
}
@ObjectType('AwarenessChanged', { description: 'Somebody else points, or is gone. Ephemeral: of one client the newest alone may be told.' })
export class AwarenessChangedType extends OfDocumentEvent {
  @Field(() => ID) userId: string;
  @Field(() => UserType, { nullable: true }) user: object | null;
  @Field(() => String) clientId: string;
  @Field(() => JsonScalar, { nullable: true, description: 'Null: gone.' }) state: unknown;
}
@ObjectType('ControlInput', { description: 'To the presenter alone: what the controller does. Ephemeral, in order.' })
export class ControlInputType extends OfDocumentEvent {
  @Field(() => ID) userId: string;
  @Field(() => [JsonScalar]) messages: unknown[];
}
@ObjectType('DocumentEnded', { description: 'The last.' })
export class DocumentEndedType extends OfDocumentEvent {
  @Field(() => DocumentEnd) reason: 'ENDED' | 'DELETED';
}

export const DocumentEvent = createUnionType({
  name: 'DocumentEvent',
  description: 'What happens in a document.',
  types: () => [DocumentStateType, DocumentUpdatedType, ControlChangedType, AwarenessChangedType, ControlInputType, DocumentEndedType] as const,
});
