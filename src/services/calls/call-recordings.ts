import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { callStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import type { Media, Recorded } from '../../media/contract.js';
import { assertRunsCall, assertSeated } from '../../policies/call-policy.js';
import { NOBODY } from '../actor.js';
import { CALL_COLUMNS, RECORDING_COLUMNS, type CallRow, type RecordingRow } from '../loaders/calls.js';
import type { ObjectStore } from '../../storage/store.js';
import { tieFiles } from '../files/file-claims.js';
import { lockCall } from './call-access.js';
import { actorIdOf, type CallCaller } from './caller.js';
import type { MediaGateway } from './media-gateway.js';
import { recordingType } from './recording-store.js';
import { untilWritten } from './until-written.js';

const BATCH = 50;
/** Of a call `c`: whoever is in it has said yes. */
const AGREED = `not exists (select from call_participants p where p.call_id = c.id and p.state = 'JOINED' and p.recording_consent is not true)`;

/** Nothing was said, or what was recording is gone: it is over all the same, without a file. */
function nothingKept(error: unknown): null {
  if (error instanceof DomainError && (error.code === 'STATE_CONFLICT' || error.code === 'NOT_FOUND')) return null;
  throw error;
}

/** Recordings of calls. Everybody in the call is asked first; one no, and nothing is recorded. */
export class CallRecordings {
  readonly #stop: () => void;
  /** What is being written of recordings that have ended. */
  readonly #writing = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateway: MediaGateway,
    media: Media,
    private readonly store: Pick<ObjectStore, 'remove'>,
    private readonly log: Logger,
  ) {
    this.#stop = media.on('recordingEnded', ({ roomId, recordingId, recorded }) => {
      const failed = (error: Error) => log.warn({ callId: roomId, error: error.message }, 'calls: could not write that a recording has ended');
      const writing: Promise<unknown> = untilWritten(() => this.#ended(roomId, recordingId, recorded), { over: () => this.#closed, failed }).finally(() => this.#writing.delete(writing));
      this.#writing.add(writing);
    });
  }

  /** Once media has ended, and with it what was recorded. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#writing);
    this.#stop();
  }

  /** Asks everybody in the call; it begins once all have agreed. Errors: NOT_FOUND, FORBIDDEN (not the host), STATE_CONFLICT (asked or recorded already). */
  async start(caller: CallCaller, callId: string): Promise<CallRow> {
    await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'startRecording' }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      assertRunsCall(access);
      assertSeated(access, caller.device);
      // An asking has the id of the recording that comes of it: what was agreed to in one is not begun in another.
      const asked = await tx.sql(`update calls set recording_state = 'ASKING', recording_id = $2 where id = $1 and recording_state = 'OFF' returning 1`, [callId, newId()]);
      if (!asked.length) throw new DomainError('STATE_CONFLICT', 'The call is recorded already, or people are being asked.');
      // What somebody has said to an earlier asking is not an answer to this one.
      const anew = await tx.sql<{ id: string }>(
        'update call_participants set recording_consent = case when id = $2 then true end where call_id = $1 and recording_consent is distinct from case when id = $2 then true end returning id',
        [callId, access.seat.id],
      );
      for (const { id } of anew) tx.append(callStream(callId), { kind: 'participant.updated', participantId: id });
      tx.append(callStream(callId), { kind: 'recording.changed' });
      return null;
    });
    await this.#begin(callId);
    return this.#call(callId);
  }

  /** The caller's answer; a no ends the asking, or the recording. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (nobody asks). */
  async consent(caller: CallCaller, callId: string, consent: boolean): Promise<CallRow> {
    const refused = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'consentToRecording' }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      assertSeated(access, caller.device);
      const [call] = await tx.sql<{ state: string }>('select recording_state as state from calls where id = $1', [callId]);
      if (call!.state === 'OFF') throw new DomainError('STATE_CONFLICT', 'Nobody asks to record this call.');
      const changed = await tx.sql('update call_participants set recording_consent = $2 where id = $1 and recording_consent is distinct from $2 returning 1', [access.seat.id, consent]);
      if (changed.length) tx.append(callStream(callId), { kind: 'participant.updated', participantId: access.seat.id });
      if (!consent && call!.state === 'ASKING') await this.#off(tx, callId);
      return !consent && call!.state === 'ON';
    });
    if (refused) await this.#finish(callId);
    else if (consent) await this.#begin(callId);
    return this.#call(callId);
  }

  /** Ends the recording, or the asking. One in which nothing was sent has no file. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (not recorded), CALLS_UNAVAILABLE. */
  async stop(caller: CallCaller, callId: string): Promise<RecordingRow | null> {
    const state = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'stopRecording' }, async (tx) => {
      assertRunsCall(await lockCall(tx.sql, callId, caller));
      const [call] = await tx.sql<{ state: string }>('select recording_state as state from calls where id = $1', [callId]);
      if (call!.state === 'OFF') throw new DomainError('STATE_CONFLICT', 'The call is not recorded.');
      if (call!.state === 'ASKING') await this.#off(tx, callId);
      return call!.state;
    });
    return state === 'ON' ? this.#finish(callId) : null;
  }

  /** Begins what everybody has agreed to by now, since somebody has left; true when there may be more. */
  async sweep(): Promise<boolean> {
    const rows = await this.sql<{ id: string }>(
      `select id from calls c where c.recording_state = 'ASKING' and c.state <> 'ENDED' and c.media_node is not null and ${AGREED} limit $1`,
      [BATCH],
    );
    for (const { id } of rows) await this.#begin(id).catch((error: Error) => this.log.warn({ callId: id, error: error.message }, 'calls: a recording could not begin'));
    return rows.length === BATCH;
  }

  /** Once everybody has agreed. Whatever goes wrong, nothing is recorded, and everybody hears so. */
  async #begin(callId: string): Promise<void> {
    const [call] = await this.sql<{ node: string | null; asking: string | null; startedBy: string }>(
      `select media_node as node, recording_id as asking, started_by as "startedBy" from calls c where id = $1 and recording_state = 'ASKING' and ${AGREED}`,
      [callId],
    );
    if (!call?.node) return;
    const { node, asking, startedBy } = call;
    let recordingId: string;
    try {
      ({ recordingId } = await this.gateway.ask(node, 'startRecording', callId, {}));
    } catch (error) {
      // Another has begun it at the same moment.
      if (error instanceof DomainError && error.code === 'STATE_CONFLICT') return;
      await this.unitOfWork.run({ actorId: NOBODY, operation: 'beginRecording' }, (tx) => this.#off(tx, callId, asking));
      throw error;
    }
    let begun = false;
    try {
      begun = await this.unitOfWork.run({ actorId: NOBODY, operation: 'beginRecording' }, async (tx) => {
        const id = asking ?? newId();
        await tx.sql('select from calls where id = $1 for update', [callId]);
        // Media took a while: by now somebody may have said no, or come who has not been asked, and the call may be over, or elsewhere.
        const on = await tx.sql(
          `update calls c set recording_state = 'ON', recording_id = $2
           where id = $1 and recording_state = 'ASKING' and recording_id is not distinct from $3 and state <> 'ENDED' and media_node = $4 and ${AGREED} returning 1`,
          [callId, id, asking, node],
        );
        if (!on.length) return false;
        await tx.sql('insert into call_recordings (id, call_id, started_by, media_recording_id, started_at) values ($1, $2, $3, $4, $5)', [id, callId, startedBy, recordingId, tx.now]);
        tx.append(callStream(callId), { kind: 'recording.changed' });
        return true;
      });
    } finally {
      if (!begun) await this.#drop(node, callId, recordingId);
    }
  }

  /** Nobody was to be recorded by it: nothing of it is kept. Where somebody is still being asked, it begins anew once they have agreed. */
  async #drop(node: string, callId: string, recordingId: string): Promise<void> {
    await this.gateway
      .ask(node, 'stopRecording', callId, recordingId, false)
      .catch(nothingKept)
      .catch((error: Error) => this.log.error({ callId, error: error.message }, 'calls: a recording that was not to be could not be stopped'));
  }

  async #finish(callId: string): Promise<RecordingRow | null> {
    const [row] = await this.sql<{ node: string | null; id: string; mediaId: string }>(
      'select c.media_node as node, r.id, r.media_recording_id as "mediaId" from calls c join call_recordings r on r.id = c.recording_id where c.id = $1',
      [callId],
    );
    if (!row) return null;
    const recorded = row.node ? await this.gateway.ask(row.node, 'stopRecording', callId, row.mediaId).catch(nothingKept) : null;
    await this.#ended(callId, row.mediaId, recorded);
    const [kept] = await this.sql<RecordingRow>(`select ${RECORDING_COLUMNS} from call_recordings g where g.id = $1`, [row.id]);
    return kept ?? null;
  }

  async #ended(callId: string, mediaId: string, recorded: Recorded | null): Promise<void> {
    const unknown = await this.unitOfWork.run({ actorId: NOBODY, operation: 'endRecording' }, async (tx) => {
      const [call] = await tx.sql<{ over: boolean }>(`select state = 'ENDED' as over from calls where id = $1 for update`, [callId]);
      const [row] = await tx.sql<{ id: string }>(
        'update call_recordings set ended_at = coalesce(ended_at, $3), file = coalesce(file, $4), bytes = coalesce(bytes, $5), duration_ms = coalesce(duration_ms, $6) where call_id = $1 and media_recording_id = $2 returning id',
        [callId, mediaId, tx.now, recorded?.file ?? null, recorded?.bytes ?? null, recorded && Math.round(recorded.durationMs)],
      );
      if (!row) return call?.over ?? true;
      if (recorded) await keepAsFile(tx, row.id, recorded);
      const off = await tx.sql(`update calls set recording_state = 'OFF', recording_id = null where id = $1 and recording_id = $2 returning 1`, [callId, row.id]);
      if (off.length) tx.append(callStream(callId), { kind: 'recording.changed' });
      return false;
    });
    // Its call ended while it began, so that nobody will write down that there is one: nobody could find it, nor have it erased.
    if (unknown && recorded) await this.store.remove([recorded.file]);
  }

  /** With `asking`: only while that is what is asked. */
  async #off(tx: Tx, callId: string, asking: string | null = null): Promise<null> {
    const off = await tx.sql(
      `update calls set recording_state = 'OFF', recording_id = null where id = $1 and recording_state <> 'OFF' and ($2::uuid is null or (recording_state = 'ASKING' and recording_id = $2)) returning 1`,
      [callId, asking],
    );
    if (off.length) tx.append(callStream(callId), { kind: 'recording.changed' });
    return null;
  }

  async #call(id: string): Promise<CallRow> {
    const [row] = await this.sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.id = $1`, [id]);
    return row!;
  }
}

/** It stands among all files, under its own id, shown by the recording and fetched by a link as they are. It counts for whoever began it. */
async function keepAsFile(tx: Tx, id: string, { file, bytes }: Recorded): Promise<void> {
  await tx.sql(
    `insert into files (id, owner_id, state, kind, name, content_type, bytes, key, duration_ms, created_at)
     select r.id, r.started_by, 'READY', 'VIDEO', $2, $3, $4, $5, r.duration_ms, $6 from call_recordings r where r.id = $1 on conflict do nothing`,
    [id, `call${file.slice(file.lastIndexOf('.'))}`, recordingType(file), bytes, file, tx.now],
  );
  await tieFiles(tx, [id], 'CALL_RECORDING', { id });
}
