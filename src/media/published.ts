import type { Consumer, DataProducer, Producer } from 'mediasoup/types';
import type { DataProducerInfo, MediaSource, ProducerInfo } from './contract.js';
import type { Peer } from './peer.js';

/** What the others of a room see of a producer. */
export interface Published {
  readonly peer: Peer;
  readonly producer: Producer;
  readonly source: MediaSource;
}

export interface PublishedData {
  readonly peer: Peer;
  readonly dataProducer: DataProducer;
}

/** What a peer asks of its room, and tells it. */
export interface Neighbours {
  find(producerId: string): Published | undefined;
  findData(dataProducerId: string): PublishedData | undefined;
  produced(published: Published): Promise<void>;
  unpublished(published: Published): void;
  paused(published: Published): void;
  producedData(published: PublishedData): void;
  unpublishedData(published: PublishedData): void;
  consumerChanged(peer: Peer, consumer: Consumer, score: number): void;
  transportState(peer: Peer, transportId: string, state: 'connected' | 'disconnected'): void;
  transportEnded(peer: Peer, transportId: string): void;
}

export const infoOf = ({ peer, producer, source }: Published): ProducerInfo => ({
  id: producer.id,
  peerId: peer.id,
  kind: producer.kind,
  source,
  paused: producer.paused,
  type: producer.type,
  appData: producer.appData,
});

export const dataInfoOf = ({ peer, dataProducer }: PublishedData): DataProducerInfo => ({ id: dataProducer.id, peerId: peer.id, label: dataProducer.label, protocol: dataProducer.protocol });
