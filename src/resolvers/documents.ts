import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  ApplyDocumentUpdateInput, ApplyDocumentUpdatePayload, AwarenessChangedType, CreateWhiteboardInput, CreateWhiteboardPayload, DeleteWhiteboardInput, DeleteWhiteboardPayload,
  DocumentPages, DocumentType, DocumentViewerStateType, UpdateAwarenessInput, UpdateAwarenessPayload, UpdateWhiteboardInput, UpdateWhiteboardPayload,
} from '../schema/document.js';
import { DocumentKind } from '../schema/enums.js';
import { DocumentChangedType } from '../schema/events.js';
import { UserType } from '../schema/user.js';
import type { DocumentUpdateService } from '../services/documents/document-updates.js';
import type { DocumentService, DocumentViewerState } from '../services/documents/documents.js';
import { chatById, type ChatRow } from '../services/loaders/chats.js';
import { documentById, type DocumentRow } from '../services/loaders/documents.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const documentIdOf = ({ documentId }: { documentId: string }): string => decodeId('Document', documentId, 'documentId');

export const callIdOf = ({ callId }: { callId?: string | null }): string | null => (callId == null ? null : decodeId('Call', callId, 'callId'));

@Resolver(() => DocumentType)
export class DocumentResolver {
  constructor(
    private readonly documents: DocumentService,
    private readonly updates: DocumentUpdateService,
  ) {}

  @Query(() => DocumentType, { nullable: true, description: 'A document of one of the viewer’s chats, else null.' })
  document(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<DocumentRow | null> {
    context.requireViewer();
    return this.documents.find(context, decodeId('Document', id));
  }

  @Mutation(() => CreateWhiteboardPayload, { description: 'At most 200 whiteboards a chat.' })
  async createWhiteboard(@Arg('input', () => CreateWhiteboardInput) input: CreateWhiteboardInput, @Ctx() context: Context): Promise<object> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    return { document: await this.documents.start(context.requireViewer(), { ...input, kind: 'WHITEBOARD', chatId, callId: callIdOf(input) }) };
  }

  @Mutation(() => UpdateWhiteboardPayload, { description: 'For its maker, and those who run a group chat.' })
  async updateWhiteboard(@Arg('input', () => UpdateWhiteboardInput) input: UpdateWhiteboardInput, @Ctx() context: Context): Promise<object> {
    return { document: await this.documents.update(context.requireViewer(), documentIdOf(input), input) };
  }

  @Mutation(() => DeleteWhiteboardPayload, { description: 'With all that is on it. For its maker, and those who run a group chat.' })
  async deleteWhiteboard(@Arg('input', () => DeleteWhiteboardInput) input: DeleteWhiteboardInput, @Ctx() context: Context): Promise<object> {
    await this.documents.delete(context.requireViewer(), documentIdOf(input));
    return { documentId: input.documentId };
  }

  @Mutation(() => ApplyDocumentUpdatePayload, { description: 'Changes a document. Idempotent: what is there already changes nothing.' })
  applyDocumentUpdate(@Arg('input', () => ApplyDocumentUpdateInput) input: ApplyDocumentUpdateInput, @Ctx() context: Context): Promise<object> {
    return this.updates.apply(context.requireViewer(), documentIdOf(input), input.update, input.batch ?? null);
  }

  @Mutation(() => UpdateAwarenessPayload, { description: 'Tells those who look on where the viewer points. Kept nowhere.' })
  async updateAwareness(@Arg('input', () => UpdateAwarenessInput) input: UpdateAwarenessInput, @Ctx() context: Context): Promise<object> {
    return { expiresAt: await this.updates.tell(context.requireViewer(), documentIdOf(input), input.clientId, input.state) };
  }

  @FieldResolver()
  id(@Root() document: DocumentRow): string {
    return encodeId('Document', document.id);
  }
  @FieldResolver(() => ID, { nullable: true, description: 'The call in which it was begun.' })
  callId(@Root() document: DocumentRow): string | null {
    return document.callId && encodeId('Call', document.callId);
  }
  @FieldResolver(() => ChatType)
  chat(@Root() document: DocumentRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return context.load(chatById, document.chatId);
  }
  @FieldResolver(() => UserType, { nullable: true, description: 'Of co-browsing: the presenter.' })
  createdBy(@Root() document: DocumentRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, document.createdBy);
  }
  @FieldResolver(() => UserType, { nullable: true, description: 'Of co-browsing: who, besides the presenter, controls the page.' })
  controller(@Root() document: DocumentRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return document.controllerId === null ? null : context.load(userById, document.controllerId);
  }
  @FieldResolver(() => [UserType], { description: 'Of co-browsing: who asks for control, in the order in which they asked.' })
  async controlRequests(@Root() document: DocumentRow, @Ctx() context: Context): Promise<UserRow[]> {
    return (await context.loadMany(userById, document.controlRequests)).filter((user) => user !== null);
  }
  @ViewerDependent()
  @FieldResolver(() => DocumentViewerStateType, { nullable: true })
  viewerState(@Root() document: DocumentRow, @Ctx() context: Context): Promise<DocumentViewerState | null> {
    return this.documents.viewerState(context.requireViewer(), document);
  }
}

@Resolver(() => ChatType)
export class ChatDocumentsResolver {
  constructor(private readonly service: DocumentService) {}

  @ViewerDependent()
  @FieldResolver(() => DocumentPages.Connection, { description: 'For members, newest first: whiteboards, and sessions of co-browsing with those that have ended.' })
  documents(
    @Root() chat: ChatRow,
    @Arg('kind', () => DocumentKind, { nullable: true }) kind: DocumentRow['kind'] | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<DocumentRow>> {
    return this.service.list(context, chat.id, { ...args, kind });
  }
}

@Resolver(() => DocumentChangedType)
export class DocumentChangedResolver {
  @FieldResolver(() => DocumentType, { nullable: true })
  document(@Root() event: { documentKey: string }, @Ctx() context: Context): Promise<DocumentRow | null> {
    return context.load(documentById, event.documentKey);
  }
}

@Resolver(() => AwarenessChangedType)
export class AwarenessChangedResolver {
  @FieldResolver(() => UserType, { nullable: true })
  user(@Root() event: { userKey: string }, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, event.userKey);
  }
}
