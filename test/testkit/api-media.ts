import type { ConsumerInfo, Joined, MediaKind, ProducerInfo, TransportInfo } from '../../src/media/contract.js';
import type { Seat } from './calls.js';
import type { ClientMedia } from './rtc.js';

/** What a seat's device asks of media, asked by the API: so a participant without a browser is one like any other. Ids are those of the API. */
export function apiMedia({ person: { api }, callId, joined }: Seat): ClientMedia {
  return {
    async join() {
      return { rtpCapabilities: joined.rtpCapabilities as Joined['rtpCapabilities'], producers: [], dataProducers: [], own: { transports: [], producers: [], dataProducers: [], consumers: [], dataConsumers: [] } };
    },
    async leave() {
      await api.leaveCall({ input: { callId } });
    },
    async createTransport(_room, _peer, { direction }) {
      return (await api.createTransport({ input: { callId, direction } })).createTransport.transport as unknown as TransportInfo;
    },
    async connectTransport(_room, _peer, transportId, dtlsParameters) {
      await api.connectTransport({ input: { callId, transportId, dtlsParameters } });
    },
    async produce(_room, peerId, transportId, { kind, source, rtpParameters, paused = false, appData = {} }) {
      const { producer } = (await api.produce({ input: { callId, transportId, kind: kind === 'audio' ? 'AUDIO' : 'VIDEO', source, rtpParameters, paused } })).produce;
      return { id: producer.id, peerId, kind, source, paused, type: 'simple', appData } satisfies ProducerInfo;
    },
    async consume(_room, _peer, { transportId, producerId, rtpCapabilities, paused }) {
      const { consumer } = (await api.consume({ input: { callId, transportId, producerId, rtpCapabilities, paused } })).consume;
      return { ...consumer, peerId: consumer.participantId, kind: consumer.kind.toLowerCase() as MediaKind } as unknown as ConsumerInfo;
    },
  };
}
