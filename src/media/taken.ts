import type { Consumer, DataConsumer } from 'mediasoup/types';
import type { ConsumerInfo, DataConsumerInfo } from './contract.js';
import type { Origin, Source } from './published.js';

/** What a peer receives: of whom, and over which of its transports. */
export interface Taken {
  consumer: Consumer;
  transportId: string;
  from: Source;
}

export interface TakenData {
  consumer: DataConsumer;
  transportId: string;
  from: Origin;
}

export function consumerInfo({ consumer, from }: Taken): ConsumerInfo {
  const { id, producerId, kind, rtpParameters, type, paused, producerPaused } = consumer;
  return { id, producerId, peerId: from.peerId, kind, source: from.source, rtpParameters, type, paused, producerPaused };
}

export function dataConsumerInfo({ consumer, from }: TakenData): DataConsumerInfo {
  const { id, dataProducerId, label, protocol, sctpStreamParameters } = consumer;
  return { id, dataProducerId, peerId: from.peerId, label, protocol, sctpStreamParameters: sctpStreamParameters! };
}
