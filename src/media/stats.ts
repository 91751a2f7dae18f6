import type { BaseTransportStats, ConsumerStat, ProducerStat } from 'mediasoup/types';
import type { PeerStats } from './contract.js';
import type { Peer } from './peer.js';

/** Asking each of two hundred consumers would cost the worker more than it tells. */
const MOST_CONSUMERS = 24;
const WHOLE = 256;

/** How well a peer is doing, from what its transports, producers and consumers measured last. What closes meanwhile is left out. */
export async function statsOf(peer: Peer): Promise<PeerStats> {
  const [transports, producers, consumers] = await Promise.all([
    settled<BaseTransportStats>(peer.transports.map((transport) => transport.getStats() as Promise<BaseTransportStats[]>)),
    settled<ProducerStat>(peer.producers.filter(({ paused }) => !paused).map((producer) => producer.getStats())),
    settled<ConsumerStat | ProducerStat>(peer.consumers.filter(({ paused, producerPaused }) => !paused && !producerPaused).slice(0, MOST_CONSUMERS).map((consumer) => consumer.getStats())),
  ]);
  const streams = [...producers, ...consumers.filter(({ type }) => type === 'outbound-rtp')];
  const roundTrips = streams.flatMap((stream) => ('roundTripTime' in stream && stream.roundTripTime ? [stream.roundTripTime] : []));
  return {
    streams: streams.length,
    loss: Math.max(0, ...streams.map(({ fractionLost }) => fractionLost / WHOLE)),
    roundTripMs: roundTrips.length > 0 ? Math.max(...roundTrips) : null,
    score: Math.min(10, ...streams.map(({ score }) => score)),
    bytesSent: transports.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
    bytesReceived: transports.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0),
  };
}

async function settled<Stat>(asked: Promise<Stat[]>[]): Promise<Stat[]> {
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
