import type { Consumer, DataProducer, MediaKind, Producer } from 'mediasoup/types';
import type { DataProducerInfo, MediaSource, ProducerInfo, RemoteInfo } from './contract.js';
import type { Peer } from './peer.js';
import type { Segment } from './segment.js';

/** What somebody sends into a room, from wherever they sit. */
export interface Origin {
  readonly id: string;
  readonly peerId: string;
  readonly closed: boolean;
  /** Makes it known on a segment under its id. Answers what is called once, when done. Throws MediaErrors, or mediasoup's own. */
  bring(segment: Segment): Promise<() => void>;
}

export interface Source extends Origin {
  readonly kind: MediaKind;
  readonly source: MediaSource;
  /** Where it costs the least to receive. */
  readonly near: Segment;
}

/** What a peer on this node sends. */
export class Published implements Source {
  constructor(
    readonly peer: Peer,
    readonly producer: Producer,
    readonly source: MediaSource,
  ) {}

  get id(): string {
    return this.producer.id;
  }
  get peerId(): string {
    return this.peer.id;
  }
  get kind(): MediaKind {
    return this.producer.kind;
  }
  get closed(): boolean {
    return this.producer.closed;
  }
  get near(): Segment {
    return this.peer.segment;
  }

  bring(segment: Segment): Promise<() => void> {
    return segment.borrow({ producerId: this.id }, this.near);
  }
}

export class PublishedData implements Origin {
  constructor(
    readonly peer: Peer,
    readonly dataProducer: DataProducer,
  ) {}

  get id(): string {
    return this.dataProducer.id;
  }
  get peerId(): string {
    return this.peer.id;
  }
  get closed(): boolean {
    return this.dataProducer.closed;
  }

  bring(segment: Segment): Promise<() => void> {
    return segment.borrow({ dataProducerId: this.id }, this.peer.segment);
  }
}

/** What a peer asks of its room, and tells it. */
export interface Neighbours {
  /** `elsewhere` makes it known where this node has not heard of it yet. */
  find(producerId: string, elsewhere?: RemoteInfo): Source | undefined;
  findData(dataProducerId: string, elsewhere?: RemoteInfo): Origin | undefined;
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
