import { encodeId } from '../lib/ids.js';
import type { ConsumerInfo, DataConsumerInfo, TransportInfo } from '../media/contract.js';
import type { JoinedCall } from '../services/calls/call-seats.js';

/** Media's own words, with the ids that clients know. */
export const shownTransport = ({ id, ...rest }: TransportInfo): object => ({ id: encodeId('CallTransport', id), ...rest });

export const shownConsumer = ({ id, producerId, peerId, kind, ...rest }: ConsumerInfo): object => ({
  ...rest, id: encodeId('CallConsumer', id), producerId: encodeId('CallProducer', producerId), participantId: encodeId('CallParticipant', peerId), kind: kind.toUpperCase(),
});

export const shownDataConsumer = ({ id, dataProducerId, peerId, ...rest }: DataConsumerInfo): object => ({
  ...rest, id: encodeId('CallConsumer', id), dataProducerId: encodeId('CallProducer', dataProducerId), participantId: encodeId('CallParticipant', peerId),
});

export function shownJoin({ call, participant, cursor, media, producers }: JoinedCall): object {
  const own = { transports: media?.own.transports ?? [], consumers: media?.own.consumers ?? [], dataConsumers: media?.own.dataConsumers ?? [] };
  return {
    call,
    participant,
    cursor,
    rtpCapabilities: media?.rtpCapabilities ?? null,
    producers: producers.filter(({ participantId }) => participantId !== participant.id),
    own: {
      transports: own.transports.map(({ id, direction }) => ({ id: encodeId('CallTransport', id), direction })),
      producers: producers.filter(({ participantId }) => participantId === participant.id),
      consumers: own.consumers.map(shownConsumer),
      dataConsumers: own.dataConsumers.map(shownDataConsumer),
    },
  };
}
