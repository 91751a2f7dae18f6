import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { CALL_OUTCOMES, type CallOutcome, type ParticipantState } from '../entities/call.js';
import { callStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  CallLogEntryType, CallLogPages, CallOutcome as OutcomeEnum, CallParticipantPages, CallParticipantState, CallParticipantType, CallProducerType, CallType, CallViewerStateType,
} from '../schema/call.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { EventCursor } from '../schema/scalars.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { CallLog } from '../services/calls/call-log.js';
import type { CallParticipants } from '../services/calls/call-participants.js';
import type { CallService } from '../services/calls/calls.js';
import type { CallLogRow } from '../services/loaders/call-log.js';
import { activeCallOf, callById, hostOf, producersOf, viewerParticipant, type CallRow, type ParticipantRow, type ProducerRow } from '../services/loaders/calls.js';
import { chatById, viewerMembership, type ChatRow } from '../services/loaders/chats.js';
import { streamHead } from '../services/loaders/streams.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context, Viewer } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => CallType)
export class CallResolver {
  constructor(
    private readonly calls: CallService,
    private readonly people: CallParticipants,
  ) {}

  @Query(() => CallType, { nullable: true, description: 'A call of a chat that the viewer is in, or that the guest was asked into; else null.' })
  call(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<CallRow | null> {
    return this.calls.find(context.requireCaller(), decodeId('Call', id));
  }

  @FieldResolver()
  id(@Root() call: CallRow): string {
    return encodeId('Call', call.id);
  }
  @FieldResolver()
  chatId(@Root() call: CallRow): string {
    return encodeId('Chat', call.chatId);
  }

  @FieldResolver(() => EventCursor, { description: 'Where the call’s events stand. Read it before the state.' })
  async eventCursor(@Root() call: CallRow, @Ctx() context: Context): Promise<string> {
    const stream = callStream(call.id);
    const { epoch, head } = (await context.load(streamHead, stream))!;
    return encodeCursor(stream, epoch, head);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true, description: 'Null for whoever is not in it.' })
  async chat(@Root() call: CallRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return (await context.load(viewerMembership, call.chatId)) ? context.load(chatById, call.chatId) : null;
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'Null for guests.' })
  startedBy(@Root() call: CallRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return context.forGuests ? null : context.load(userById, call.startedBy);
  }

  @FieldResolver(() => CallParticipantType, { nullable: true, description: 'Who runs it; null when it is over.' })
  host(@Root() call: CallRow, @Ctx() context: Context): Promise<ParticipantRow | null> {
    return context.load(hostOf, call.id);
  }

  @ViewerDependent()
  @FieldResolver(() => CallParticipantPages.Connection, { description: 'In the order in which they were asked or came. Who waits in the lobby sees themselves.' })
  participants(
    @Root() call: CallRow,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('states', () => [CallParticipantState], { defaultValue: ['RINGING', 'WAITING', 'JOINED'] }) states: ParticipantState[],
    @Ctx() context: Context,
  ): Promise<Page<ParticipantRow>> {
    return this.people.list(context.requireCaller(), call.id, states, args);
  }

  @ViewerDependent()
  @FieldResolver(() => CallViewerStateType, { nullable: true })
  async viewerState(@Root() call: CallRow, @Ctx() context: Context): Promise<{ participant: ParticipantRow | null }> {
    return { participant: context.viewer ? await context.load(viewerParticipant, call.id) : await this.people.own(context.requireCaller(), call.id) };
  }
}

@Resolver(() => CallParticipantType)
export class CallParticipantResolver {
  @FieldResolver()
  id(@Root() row: ParticipantRow): string {
    return encodeId('CallParticipant', row.id);
  }
  @FieldResolver(() => UserType, { nullable: true, description: 'Null of a guest, and for guests.' })
  user(@Root() row: ParticipantRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return row.userId === null || context.forGuests ? null : context.load(userById, row.userId);
  }
  @FieldResolver(() => String, { description: 'As it is to be shown.' })
  async name(@Root() row: ParticipantRow, @Ctx() context: Context): Promise<string> {
    return row.userId === null ? row.name! : ((await context.load(userById, row.userId))?.displayName ?? '');
  }
  @FieldResolver(() => Boolean, { description: 'Somebody without an account.' })
  guest(@Root() row: ParticipantRow): boolean {
    return row.userId === null;
  }
  @FieldResolver(() => Boolean, { description: 'In the call, and not lost. The seat of who is lost is kept for 30 seconds.' })
  connected(@Root() row: ParticipantRow): boolean {
    return (row.state === 'JOINED' || row.state === 'WAITING') && row.lostAt === null;
  }
  @FieldResolver(() => [CallProducerType], { description: 'What they send now.' })
  async producers(@Root() row: ParticipantRow, @Ctx() context: Context): Promise<ProducerRow[]> {
    return (await context.load(producersOf, row.id)) ?? [];
  }
}

@Resolver(() => CallProducerType)
export class CallProducerResolver {
  @FieldResolver()
  id(@Root() row: ProducerRow): string {
    return encodeId('CallProducer', row.id);
  }
  @FieldResolver()
  participantId(@Root() row: ProducerRow): string {
    return encodeId('CallParticipant', row.participantId);
  }
}

@Resolver(() => ChatType)
export class ChatCallResolver {
  @ViewerDependent()
  @FieldResolver(() => CallType, { nullable: true, description: 'The call that goes on in the chat, for its members.' })
  async activeCall(@Root() chat: ChatRow, @Ctx() context: Context): Promise<CallRow | null> {
    return (await context.load(viewerMembership, chat.id)) ? context.load(activeCallOf, chat.id) : null;
  }
}

@Resolver(() => CallLogEntryType)
export class CallLogEntryResolver {
  @FieldResolver()
  callId(@Root() row: CallLogRow): string {
    return encodeId('Call', row.callId);
  }
  @FieldResolver()
  chatId(@Root() row: CallLogRow): string {
    return encodeId('Chat', row.chatId);
  }
  @FieldResolver()
  durationSeconds(@Root() row: CallLogRow): number {
    return Math.round(row.talkedMs / 1000);
  }
  @FieldResolver(() => CallType)
  call(@Root() row: CallLogRow, @Ctx() context: Context): Promise<CallRow | null> {
    return context.load(callById, row.callId);
  }
  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true, description: 'Where to call back; null when the viewer has left it.' })
  async chat(@Root() row: CallLogRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return (await context.load(viewerMembership, row.chatId)) ? context.load(chatById, row.chatId) : null;
  }
}

@Resolver(() => ViewerType)
export class ViewerCallsResolver {
  constructor(private readonly log: CallLog) {}

  @FieldResolver(() => CallLogPages.Connection, { description: 'The viewer’s calls, the newest first.' })
  callLog(
    @Root() viewer: Viewer,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('outcomes', () => [OutcomeEnum], { nullable: true, description: 'Default: all.' }) outcomes: CallOutcome[] | null,
  ): Promise<Page<CallLogRow>> {
    return this.log.list(viewer.userId, outcomes?.length ? outcomes : CALL_OUTCOMES, args);
  }
}
