import type { CallEventRef } from '../../events/catalogue.js';
import { encodeId } from '../../lib/ids.js';
import type { DeliveredEvent, Load, Make } from '../chat-events.js';
import { callById, participantById, producerById } from '../loaders/calls.js';

export const CALL_OF_CHAT_EVENTS = { 'call.started': 'CallStarted', 'call.ended': 'CallEnded' } as const;

const PARTICIPANT_EVENTS = {
  'participant.waiting': 'ParticipantWaiting',
  'participant.admitted': 'ParticipantAdmitted',
  'participant.joined': 'ParticipantJoined',
  'participant.updated': 'ParticipantUpdated',
  'participant.moved': 'ParticipantMoved',
  'participant.muted': 'ParticipantMuted',
  'participant.left': 'ParticipantLeft',
  'participant.removed': 'ParticipantRemoved',
  'host.changed': 'CallHostChanged',
} as const;
const CALL_EVENTS = { 'call.updated': 'CallUpdated', 'recording.changed': 'CallRecordingChanged', 'showcase.changed': 'CallShowcaseChanged', 'media.reset': 'CallMediaReset' } as const;

/** An event of a call's stream, with today's rows. */
export async function hydrateCallEvent(callId: string, ref: CallEventRef, make: Make, load: Load): Promise<DeliveredEvent> {
  const call = { callId: encodeId('Call', callId), callKey: callId };
  switch (ref.kind) {
    case 'call.updated':
    case 'recording.changed':
    case 'showcase.changed':
    case 'media.reset':
      return make(CALL_EVENTS[ref.kind], call);
    case 'call.over': {
      const row = await load(callById, callId);
      return make('CallEnded', { ...call, chatId: encodeId('Chat', row!.chatId), chatKey: row!.chatId });
    }
    case 'producer.added':
    case 'producer.updated':
      return make(ref.kind === 'producer.added' ? 'ProducerAdded' : 'ProducerUpdated', {
        ...call, producerId: encodeId('CallProducer', ref.producerId), participantId: encodeId('CallParticipant', ref.participantId), producer: await load(producerById, ref.producerId),
      });
    case 'producer.closed':
      return make('ProducerClosed', { ...call, producerId: encodeId('CallProducer', ref.producerId), participantId: encodeId('CallParticipant', ref.participantId) });
    default: {
      // A newer server may have written what this one has never heard of.
      const typename = PARTICIPANT_EVENTS[ref.kind] as string | undefined;
      if (!typename) throw new Error(`There is no shape for ${ref.kind}.`);
      const participant = await load(participantById, ref.participantId);
      const muted = ref.kind === 'participant.muted' ? { source: ref.source, mutedById: ref.byId && encodeId('CallParticipant', ref.byId) } : {};
      return make(typename, { ...call, participantId: encodeId('CallParticipant', ref.participantId), participant, ...muted });
    }
  }
}
