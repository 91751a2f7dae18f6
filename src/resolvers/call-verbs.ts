import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  AdmitParticipantInput, AdmitParticipantPayload, AllowParticipantInput, AllowParticipantPayload, CreateCallTokenInput, CreateCallTokenPayload, CreateTurnCredentialsInput,
  CreateTurnCredentialsPayload, DeclineCallInput, DeclineCallPayload, EndCallInput, EndCallPayload, JoinCallInput, JoinCallPayload, LeaveCallInput, LeaveCallPayload, MuteParticipantInput,
  MuteParticipantPayload, RemoveParticipantInput, RemoveParticipantPayload, RevokeCallTokenInput, RevokeCallTokenPayload, RingCallInput, RingCallPayload, StartCallInput, StartCallPayload,
  TransferCallHostInput, TransferCallHostPayload, UpdateCallInput, UpdateCallPayload,
} from '../schema/call-inputs.js';
import type { CallMutes } from '../services/calls/call-mutes.js';
import type { CallSeats } from '../services/calls/call-seats.js';
import type { CallTokenService } from '../services/calls/call-tokens.js';
import type { CallService } from '../services/calls/calls.js';
import type { TurnCredentials, TurnService } from '../services/calls/turn.js';
import type { CallRow, ParticipantRow } from '../services/loaders/calls.js';
import { shownJoin } from './call-shapes.js';
import type { Context } from './context.js';

const callOf = ({ callId }: { callId: string }): string => decodeId('Call', callId, 'callId');
const participantOf = ({ participantId }: { participantId: string }): string => decodeId('CallParticipant', participantId, 'participantId');

@Resolver()
export class CallVerbsResolver {
  constructor(
    private readonly calls: CallService,
    private readonly seats: CallSeats,
    private readonly mutes: CallMutes,
  ) {}

  @Mutation(() => StartCallPayload, { description: 'Starts a call in a chat, and rings. A chat has one call at a time; whoever started it joins it by joinCall, as all do.' })
  async startCall(@Arg('input', () => StartCallInput) input: StartCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    const viewer = context.requireViewer();
    const ringUserIds = input.ringUserIds?.map((id) => decodeId('User', id, 'ringUserIds')) ?? null;
    return { call: await this.calls.start(viewer, { ...input, chatId: decodeId('Chat', input.chatId, 'chatId'), ringUserIds }) };
  }

  @Mutation(() => RingCallPayload, { description: 'Rings more members of the chat into the call.' })
  async ringCall(@Arg('input', () => RingCallInput) input: RingCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    const caller = context.requireCaller();
    return { call: await this.calls.ring(caller, callOf(input), input.userIds.map((id) => decodeId('User', id, 'userIds'))) };
  }

  @Mutation(() => JoinCallPayload, {
    description: 'Takes the caller’s seat: answers a ring, or comes back after a lost connection, with the same device any number of times. One device holds it: another gets STATE_CONFLICT, or takes it over.',
  })
  async joinCall(@Arg('input', () => JoinCallInput) input: JoinCallInput, @Ctx() context: Context): Promise<object> {
    const caller = context.requireCaller();
    return shownJoin(await this.seats.join(caller, { ...input, callId: callOf(input), region: input.region ?? null }));
  }

  @Mutation(() => DeclineCallPayload, { description: 'Says no to a ring, on all of the viewer’s devices.' })
  async declineCall(@Arg('input', () => DeclineCallInput) input: DeclineCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.calls.decline(context.requireCaller(), callOf(input)) };
  }

  @Mutation(() => LeaveCallPayload, { description: 'Gives up the seat. A call between two is over then; of a larger one the host hands on what they run.' })
  async leaveCall(@Arg('input', () => LeaveCallInput) input: LeaveCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.seats.leave(context.requireCaller(), callOf(input)) };
  }

  @Mutation(() => EndCallPayload, { description: 'Ends the call for everybody: by its host, by those who run its chat, by either of two.' })
  async endCall(@Arg('input', () => EndCallInput) input: EndCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.calls.end(context.requireCaller(), callOf(input)) };
  }

  @Mutation(() => UpdateCallPayload, { description: 'Locks the call, sets its lobby, or who shares a screen. What is left out stays.' })
  async updateCall(@Arg('input', () => UpdateCallInput) input: UpdateCallInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.calls.update(context.requireCaller(), callOf(input), input) };
  }

  @Mutation(() => TransferCallHostPayload)
  async transferCallHost(@Arg('input', () => TransferCallHostInput) input: TransferCallHostInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.seats.makeHost(context.requireCaller(), callOf(input), participantOf(input)) };
  }

  @Mutation(() => AdmitParticipantPayload, { description: 'Lets somebody in from the lobby.' })
  async admitParticipant(@Arg('input', () => AdmitParticipantInput) input: AdmitParticipantInput, @Ctx() context: Context): Promise<{ participant: ParticipantRow }> {
    return { participant: await this.seats.admit(context.requireCaller(), callOf(input), participantOf(input)) };
  }

  @Mutation(() => RemoveParticipantPayload, { description: 'Takes somebody out of the call, or turns them away in the lobby.' })
  async removeParticipant(@Arg('input', () => RemoveParticipantInput) input: RemoveParticipantInput, @Ctx() context: Context): Promise<{ participant: ParticipantRow }> {
    return { participant: await this.seats.remove(context.requireCaller(), callOf(input), participantOf(input)) };
  }

  @Mutation(() => MuteParticipantPayload, { description: 'Pauses what somebody sends.' })
  async muteParticipant(@Arg('input', () => MuteParticipantInput) input: MuteParticipantInput, @Ctx() context: Context): Promise<{ participant: ParticipantRow }> {
    return { participant: await this.mutes.mute(context.requireCaller(), { ...input, callId: callOf(input), participantId: participantOf(input) }) };
  }

  @Mutation(() => AllowParticipantPayload, { description: 'Lets somebody send again what a mute has held.' })
  async allowParticipant(@Arg('input', () => AllowParticipantInput) input: AllowParticipantInput, @Ctx() context: Context): Promise<{ participant: ParticipantRow }> {
    return { participant: await this.mutes.unmute(context.requireCaller(), { ...input, callId: callOf(input), participantId: participantOf(input) }) };
  }
}

@Resolver()
export class CallTokensResolver {
  constructor(
    private readonly tokens: CallTokenService,
    private readonly turn: TurnService,
    private readonly calls: CallService,
  ) {}

  @Mutation(() => CreateCallTokenPayload, { description: 'A token by which one guest without an account joins this call. By the host.' })
  async createCallToken(@Arg('input', () => CreateCallTokenInput) input: CreateCallTokenInput, @Ctx() context: Context): Promise<object> {
    const { id, ...issued } = await this.tokens.create(context.requireViewer(), { ...input, callId: callOf(input) });
    return { ...issued, tokenId: encodeId('CallToken', id) };
  }

  @Mutation(() => RevokeCallTokenPayload, { description: 'Makes a join token worthless, and takes its guest out of the call.' })
  async revokeCallToken(@Arg('input', () => RevokeCallTokenInput) { tokenId }: RevokeCallTokenInput, @Ctx() context: Context): Promise<{ tokenId: string }> {
    await this.tokens.revoke(context.requireCaller(), decodeId('CallToken', tokenId, 'tokenId'));
    return { tokenId };
  }

  @Mutation(() => CreateTurnCredentialsPayload, { description: 'Credentials for the operator’s TURN server, good for an hour. CALLS_UNAVAILABLE where there is none.' })
  async createTurnCredentials(@Arg('input', () => CreateTurnCredentialsInput) { callId }: CreateTurnCredentialsInput, @Ctx() context: Context): Promise<TurnCredentials> {
    const caller = context.requireCaller();
    await this.calls.assertMayRelay(caller, callId == null ? null : decodeId('Call', callId, 'callId'));
    return this.turn.credentials(caller);
  }
}
