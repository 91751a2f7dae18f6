import type { EventEmitter } from 'node:events';
import type { Consumer, DataConsumer, DataProducer, PipeTransport, Producer } from 'mediasoup/types';
import type { PipeEnd } from './contract.js';
import { answered } from './input.js';
import type { Segment } from './segment.js';

const MAX_MESSAGE = 262_144;
/** Two nodes that reach each other shake hands in a round trip. */
const ANSWER_MS = 5_000;

/** One end of a pipe to another node: RTP by SRTP with keys of its own, what is lost sent again, and data by SCTP. */
export function openPipe({ router, live }: Segment): Promise<PipeTransport> {
  return answered(
    router.createPipeTransport({ listenInfo: live.pipeListenInfo, enableSrtp: true, enableRtx: true, enableSctp: true, maxSendMessageSize: MAX_MESSAGE, maxReceiveMessageSize: MAX_MESSAGE }),
    'producerId',
  );
}

/**
 * Tells should nothing come from the other end: RTP alone would not show it, but SCTP's association stands only once packets have come both ways, and it
 * fails when they no longer do. Before the pipe is connected.
 */
export function watchPipe(transport: PipeTransport, onSilence: () => void): void {
  const patience = setTimeout(onSilence, ANSWER_MS).unref();
  transport.observer.once('close', () => clearTimeout(patience));
  transport.on('sctpstatechange', (state) => {
    if (state === 'connected') clearTimeout(patience);
    if (state === 'failed') onSilence();
    if (state === 'closed') transport.close();
  });
}

/** How the other node reaches it. */
export function endOf({ tuple: { localAddress: ip, localPort: port }, srtpParameters }: PipeTransport): PipeEnd {
  return { ip, port, srtpParameters: srtpParameters! };
}

export function onceClosed({ observer }: Producer | DataProducer | Consumer | DataConsumer, listener: () => void): void {
  (observer as EventEmitter).once('close', listener);
}
