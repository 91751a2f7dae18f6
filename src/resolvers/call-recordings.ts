import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  CallRecordingType, ConsentToRecordingInput, ConsentToRecordingPayload, StartRecordingInput, StartRecordingPayload, StopRecordingInput, StopRecordingPayload,
} from '../schema/call-recording.js';
import { CallType } from '../schema/call.js';
import { FileType } from '../schema/file.js';
import type { CallRecordings } from '../services/calls/call-recordings.js';
import { recordingsOf, viewerParticipant, type CallRow, type RecordingRow } from '../services/loaders/calls.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => CallRecordingType)
export class CallRecordingsResolver {
  constructor(private readonly recordings: CallRecordings) {}

  @Mutation(() => StartRecordingPayload, { description: 'Asks everybody in the call whether it may be recorded; it begins once all have agreed. By the host.' })
  async startRecording(@Arg('input', () => StartRecordingInput) { callId }: StartRecordingInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.recordings.start(context.requireCaller(), decodeId('Call', callId, 'callId')) };
  }

  @Mutation(() => ConsentToRecordingPayload, { description: 'The caller’s answer. A no ends the asking, and also a recording.' })
  async consentToRecording(@Arg('input', () => ConsentToRecordingInput) { callId, consent }: ConsentToRecordingInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.recordings.consent(context.requireCaller(), decodeId('Call', callId, 'callId'), consent) };
  }

  @Mutation(() => StopRecordingPayload)
  async stopRecording(@Arg('input', () => StopRecordingInput) { callId }: StopRecordingInput, @Ctx() context: Context): Promise<{ recording: RecordingRow | null }> {
    return { recording: await this.recordings.stop(context.requireCaller(), decodeId('Call', callId, 'callId')) };
  }

  @FieldResolver()
  id(@Root() row: RecordingRow): string {
    return encodeId('CallRecording', row.id);
  }

  @FieldResolver(() => FileType, { nullable: true, description: 'To be fetched by its `url`, once it is complete.' })
  media(@Root() row: RecordingRow, @Ctx() context: Context): Promise<FileRow | null> | null {
    return row.file === null ? null : context.load(fileById, row.id);
  }
}

@Resolver(() => CallType)
export class CallRecordingsOfCallResolver {
  @ViewerDependent()
  @FieldResolver(() => [CallRecordingType], { description: 'For those with an account who were in the call; else empty.' })
  async recordings(@Root() call: CallRow, @Ctx() context: Context): Promise<RecordingRow[]> {
    const own = context.viewer && (await context.load(viewerParticipant, call.id));
    return own?.joinedAt ? ((await context.load(recordingsOf, call.id)) ?? []) : [];
  }
}
