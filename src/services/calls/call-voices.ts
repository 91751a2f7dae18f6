import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';
import { MediaError } from '../../media/contract.js';
import type { MediaServer } from '../../media/media-server.js';
import type { VoiceLink, VoiceSink } from '../../media/voice-link.js';
import { assertCanPublish, assertSeated } from '../../policies/call-policy.js';
import { lockCall } from './call-access.js';
import type { CallLinks } from './call-links.js';
import { insertProducer } from './call-media.js';
import type { CallSeats } from './call-seats.js';
import { actorIdOf, type CallCaller } from './caller.js';

export interface Voice {
  participantId: string;
  link: VoiceLink;
  /** The socket has gone: the seat is kept for a while. */
  lost(): void;
}

/** People who speak and hear over a plain socket. Their seat is like any other; the socket must be in the process that has their seat. */
export class CallVoices {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly seats: CallSeats,
    private readonly links: CallLinks,
    private readonly node: string,
    /** Null where this process carries no calls. */
    private readonly media: Pick<MediaServer, 'openVoice'> | null,
  ) {}

  /**
   * Takes the caller's seat, as `joinCall` does, and opens their voice. Errors: those of joining; FORBIDDEN for a listener, for whoever waits in the lobby and for whom the
   * host has muted; CALLS_UNAVAILABLE with `retryAfter` when another process carries the call.
   */
  async open(caller: CallCaller, callId: string, options: { takeOver: boolean; recordingConsent: boolean }, sink: VoiceSink): Promise<Voice> {
    const { participant, call } = await this.seats.join(caller, { ...options, callId, voiceOnly: true, region: null });
    if (participant.state === 'WAITING') throw new DomainError('FORBIDDEN', 'You wait in the lobby until somebody lets you in.');
    if (!this.media || (participant.mediaNode ?? call.mediaNode) !== this.node) throw new DomainError('CALLS_UNAVAILABLE', 'Another process carries this call: connect again.', { retryAfter: 1 });
    await this.#assertMaySpeak(caller, callId);
    await this.links.opened(callId, participant.id);
    try {
      const link = await this.media.openVoice(callId, participant.id, sink);
      await this.#tell(caller, callId, link);
      return { participantId: participant.id, link, lost: () => this.links.closed(participant.id) };
    } catch (error) {
      this.links.closed(participant.id);
      throw error instanceof MediaError ? new DomainError('CALLS_UNAVAILABLE', 'The call’s media was reset: connect again.', { retryAfter: 1 }) : error;
    }
  }

  async #assertMaySpeak(caller: CallCaller, callId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'openVoice' }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      assertSeated(access, caller.device);
      assertCanPublish(access, 'MICROPHONE');
      return null;
    });
  }

  /** Everybody hears of what this voice sends, as of any other microphone. */
  async #tell(caller: CallCaller, callId: string, link: VoiceLink): Promise<void> {
    try {
      await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'openVoice' }, async (tx) => {
        const access = await lockCall(tx.sql, callId, caller);
        assertSeated(access, caller.device);
        // The host may have held it while it was opened.
        assertCanPublish(access, 'MICROPHONE');
        const { id, paused } = link.producer;
        await insertProducer(tx, { id, callId, participantId: access.seat.id, kind: 'AUDIO', source: 'MICROPHONE', label: null, protocol: null, appData: null, paused });
        return null;
      });
    } catch (error) {
      link.close();
      throw error;
    }
  }
}
