import type { Consumer, DataConsumer } from 'mediasoup/types';
import type { ConsumerInfo, DataConsumerInfo } from './contract.js';
import type { Published, PublishedData } from './published.js';

/** What a peer receives: of whom, and over which of its transports. */
export interface Taken {
  consumer: Consumer;
  transportId: string;
  from: Published;
}

export interface TakenData {
  consumer: DataConsumer;
  transportId: string;
  from: PublishedData;
}

export function consumerInfo({ consumer, from }: Taken): ConsumerInfo {
  const { id, producerId, kind, rtpParameters, type, paused, producerPaused } = consumer;
  return { id, producerId, peerId: from.peer.id, kind, source: from.source, rtpParameters, type, paused, producerPaused };
}

export function dataConsumerInfo({ consumer, from }: TakenData): DataConsumerInfo {
  const { id, dataProducerId, label, protocol, sctpStreamParameters } = consumer;
  return { id, dataProducerId, peerId: from.peer.id, label, protocol, sctpStreamParameters: sctpStreamParameters! };
}
