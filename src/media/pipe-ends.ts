import type { EventEmitter } from 'node:events';
import type { Consumer, DataConsumer, DataProducer, PipeTransport, Producer } from 'mediasoup/types';
import type { PipeEnd } from './contract.js';
import { answered } from './input.js';
import type { Segment } from './segment.js';

const MAX_MESSAGE = 262_144;
/** Two nodes that reach each other shake hands in a second: the first packet comes before the other end listens. SCTP tries it anew after 1, 3 and 7 s. */
const ANSWER_MS = 8_000;

/** One end of a pipe to another node: RTP by SRTP with keys of its own, what is lost sent again, and data by SCTP. */
export function openPipe({ router, live }: Segment): Promise<PipeTransport> {
  return answered(
    router.createPipeTransport({ listenInfo: live.pipeListenInfo, enableSrtp: true, enableRtx: true, enableSctp: true, maxSendMessageSize: MAX_MESSAGE, maxReceiveMessageSize: MAX_MESSAGE }),
    'producerId',
  );
}

/**
 * Tells once should nothing come from the other end: RTP alone would not show it, but SCTP's association stands only once packets have come both ways. And tells once
 * when it has ended, because the other end has, or because nothing comes any more. Before the pipe is connected.
 */
export function watchPipe(transport: PipeTransport, told: { silent: () => void; ended: () => void }): void {
  const patience = setTimeout(told.silent, ANSWER_MS).unref();
  transport.observer.once('close', () => clearTimeout(patience));
  transport.on('sctpstatechange', (state) => {
    if (state === 'connected') clearTimeout(patience);
    if (transport.closed) return;
    if (state === 'failed') told.silent();
    if (state === 'closed') told.ended();
  });
}

/** Begins SCTP, which mediasoup does not while there is nothing to send by it. At the lender's end, where data goes out alone. */
export async function beginSctp(transport: PipeTransport): Promise<void> {
  await answered(transport.produceData({ sctpStreamParameters: { streamId: 0 }, label: 'pipe' }), 'pipe');
}

/** How the other node reaches it. */
export function endOf({ tuple: { localAddress: ip, localPort: port }, srtpParameters }: PipeTransport): PipeEnd {
  return { ip, port, srtpParameters: srtpParameters! };
}

export function onceClosed({ observer }: Producer | DataProducer | Consumer | DataConsumer, listener: () => void): void {
  (observer as EventEmitter).once('close', listener);
}
