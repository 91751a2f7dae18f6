import type { Sql } from '../../db/database.js';
import { callStream, parseStream, type LoggedEvent } from '../../events/catalogue.js';
import { decodeCursor, type Cursor } from '../../events/cursor.js';
import { DomainError, forbidden, notFound } from '../../lib/errors.js';
import { decodeId } from '../../lib/ids.js';
import { seesCall } from '../../policies/call-policy.js';
import { readCallAccess } from '../../services/calls/call-access.js';
import type { CallLinks } from '../../services/calls/call-links.js';
import type { CallCaller } from '../../services/calls/caller.js';
import type { CallRooms } from './call-rooms.js';
import type { Attachment, ResetReason, ResyncReason } from './attachment.js';
import type { Channel } from './channel.js';
import type { Channels } from './channels.js';
import { endUnavailable, RESYNC, writeResync } from './chat-source.js';
import { Outbox } from './outbox.js';
import type { CallEventsSource, CallSubscriber } from './subscriptions.js';

const revoked = (message: string) => ({ message, extensions: { code: 'ACCESS_REVOKED' } });
/** After these the seat is not the caller's any more; a later stay makes earlier ones meaningless. */
const ENDINGS = ['participant.left', 'participant.removed', 'participant.moved'];

interface Place {
  participantId: string;
  waiting: boolean;
  /** Endings up to here are of earlier stays. */
  since: number;
}

/** `callEvents`: a call's stream for those who are in it. To follow it is what shows that somebody is there. */
export class CallSource implements CallEventsSource {
  constructor(
    private readonly channels: Channels,
    private readonly sql: Sql,
    private readonly links: CallLinks,
    private readonly rooms: CallRooms,
    private readonly onError: (error: unknown, stream: string) => void,
  ) {}

  async openFor(subscriber: CallSubscriber, args: Record<string, unknown>): Promise<() => void> {
    const callId = decodeId('Call', args['callId'] as string, 'callId');
    const stream = callStream(callId);
    const cursor = args['after'] == null ? null : decodeCursor(args['after'] as string);
    if (cursor && cursor.stream !== stream) throw new DomainError('INVALID_CURSOR', `This cursor is of another ${parseStream(cursor.stream).kind}’s stream.`, { field: 'after' });
    // Asked before a channel is made: nobody opens channels of calls that are not there.
    if (!(await readCallAccess(this.sql, callId, subscriber.caller))) throw notFound('call');
    const channel = (await this.channels.open([stream])).get(stream)!;
    try {
      return await this.#follow(subscriber, callId, channel, cursor);
    } catch (error) {
      this.channels.release(channel);
      throw error;
    }
  }

  async #follow(subscriber: CallSubscriber, callId: string, channel: Channel, cursor: Cursor | null): Promise<() => void> {
    // Before the seat is asked for: an ending that the answer doesn't tell of comes behind this place.
    const live = channel.delivered;
    const misfit = cursor && (await channel.misfit(cursor));
    const place = await this.#place(callId, subscriber.caller, cursor !== null);
    const attachment = this.#attachment(subscriber, channel, place);
    const { sink, group } = subscriber;
    const outbox = new Outbox(sink, group, (error) => this.onError(error, channel.stream));
    const leaveRoom = await this.rooms.enter(callId, { participantId: place.participantId, outbox, hears: () => !place.waiting });
    await this.links.opened(callId, place.participantId);
    const end = () => {
      leaveRoom();
      this.links.closed(place.participantId);
      channel.detach(attachment);
    };
    try {
      if (misfit) await this.#resync(subscriber, channel, misfit);
      else {
        const result = await channel.attach(attachment, cursor?.pos ?? live);
        if (result !== 'live' && result !== 'closed') await this.#resync(subscriber, channel, result);
      }
    } catch (error) {
      end();
      throw error;
    }
    return () => {
      end();
      this.channels.release(channel);
    };
  }

  async #place(callId: string, caller: CallCaller, resumes: boolean): Promise<Place> {
    const [row] = await this.sql<{ since: string }>(
      `select coalesce(max(e.pos), 0) as since from events e join call_participants p on e.ref->>'participantId' = p.id::text
       where e.stream = $1 and e.kind = any($2) and p.call_id = $3 and (p.user_id = $4 or p.token_id = $5)`,
      [callStream(callId), ENDINGS, callId, caller.userId, caller.tokenId],
    );
    const access = await readCallAccess(this.sql, callId, caller);
    if (!access || !seesCall(access)) throw notFound('call');
    const { seat, call } = access;
    const seated = seat?.state === 'JOINED' || seat?.state === 'WAITING';
    // Whoever was away when the call ended is told so by its events.
    if (seat && call.state === 'ENDED' && resumes) return { participantId: seat.id, waiting: false, since: Number.MAX_SAFE_INTEGER };
    if (call.state === 'ENDED') throw new DomainError('STATE_CONFLICT', 'The call has ended.');
    if (!seat || !seated) throw resumes && seat ? new DomainError('ACCESS_REVOKED', 'You are no longer in this call.') : forbidden('Join the call first.');
    if (seat.device !== null && seat.device !== caller.device) throw new DomainError('STATE_CONFLICT', 'You are in this call on another device.');
    return { participantId: seat.id, waiting: seat.state === 'WAITING', since: Number(row!.since) };
  }

  #attachment(subscriber: CallSubscriber, channel: Channel, place: Place): Attachment {
    const { sink, group, caller } = subscriber;
    const own = ({ ref }: LoggedEvent): boolean => 'participantId' in ref && ref.participantId === place.participantId;
    return {
      sink,
      group,
      viewerId: caller.userId ?? caller.device,
      visibleFrom: 0,
      // Who waits in the lobby hears of themselves, and of the end.
      hears: (event) => {
        if (!event) return !place.waiting;
        if (own(event) && (event.ref.kind === 'participant.admitted' || event.ref.kind === 'participant.joined')) place.waiting = false;
        // Of what carried others nobody else hears.
        if (event.ref.kind === 'media.reset' && event.ref.participantIds && !event.ref.participantIds.includes(place.participantId)) return false;
        if (event.ref.kind === 'producer.closed' && event.ref.reset && own(event)) return false;
        return !place.waiting || own(event) || event.ref.kind === 'call.over';
      },
      isLast: (event) =>
        event.ref.kind === 'call.over' ||
        (own(event) && event.pos > place.since && ENDINGS.includes(event.ref.kind) && !(event.ref.kind === 'participant.moved' && event.ref.device === caller.device)),
      onRevoked: ({ ref }) => {
        if (ref.kind === 'participant.removed') sink.error([revoked('You were removed from this call.')]);
        else if (ref.kind === 'participant.moved') sink.error([revoked('You are in this call on another device now.')]);
        else sink.complete();
      },
      onReset: (reason) => this.#reset(subscriber, channel, reason),
    };
  }

  #reset(subscriber: CallSubscriber, channel: Channel, reason: ResetReason): void {
    if (reason === 'unavailable') return endUnavailable(subscriber.sink);
    this.#resync(subscriber, channel, RESYNC[reason]).catch(() => endUnavailable(subscriber.sink));
  }

  async #resync(subscriber: CallSubscriber, channel: Channel, reason: ResyncReason): Promise<void> {
    await writeResync(subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    subscriber.sink.complete();
  }
}
