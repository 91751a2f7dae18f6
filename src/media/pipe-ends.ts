import type { EventEmitter } from 'node:events';
import type { Consumer, DataConsumer, DataProducer, PipeTransport, Producer } from 'mediasoup/types';
import type { PipeEnd } from './contract.js';
import { answered } from './input.js';
import type { Segment } from './segment.js';

const MAX_MESSAGE = 262_144;
/** Two nodes that reach each other shake hands in a second: the first packet comes before the other end listens. SCTP tries it anew after 1, 3 and 7 s. */
const ANSWER_MS = 8_000;
/** Something goes by a pipe this often, whether anybody speaks or not. */
const BEAT_MS = 1_000;
/** How often an end looks whether anything has come, and after how many looks in a row without it is cut off. A process that is busy may be late by seconds. */
const LOOK_MS = 2_000;
const LOOKS_IN_VAIN = 6;

/** One end of a pipe to another node: RTP by SRTP with keys of its own, what is lost sent again, and data by SCTP. */
export function openPipe({ router, live }: Segment): Promise<PipeTransport> {
  return answered(
    router.createPipeTransport({ listenInfo: live.pipeListenInfo, enableSrtp: true, enableRtx: true, enableSctp: true, maxSendMessageSize: MAX_MESSAGE, maxReceiveMessageSize: MAX_MESSAGE }),
    'producerId',
  );
}

/**
 * Tells once should nothing come from the other end: RTP alone would not show it, but SCTP's association stands only once packets have come both ways, and from then on there is
 * always something on its way (`beat`). And tells once when it has ended, because the other end has. Before the pipe is connected.
 */
export function watchPipe(transport: PipeTransport, told: { silent: () => void; ended: () => void }): void {
  const patience = setTimeout(told.silent, ANSWER_MS).unref();
  transport.observer.once('close', () => clearTimeout(patience));
  transport.on('sctpstatechange', (state) => {
    if (transport.closed) return;
    if (state === 'connected') {
      clearTimeout(patience);
      watchArrivals(transport, told.silent);
    }
    if (state === 'failed') told.silent();
    if (state === 'closed') told.ended();
  });
}

function watchArrivals(transport: PipeTransport, silent: () => void): void {
  let received = 0;
  let inVain = 0;
  let looking = false;
  const look = async () => {
    // A worker that was held up answers all at once: that is one look, however often it was asked.
    if (looking) return;
    looking = true;
    const [stat] = await transport.getStats().catch(() => []);
    looking = false;
    if (transport.closed || !stat) return;
    inVain = stat.bytesReceived > received ? 0 : inVain + 1;
    received = stat.bytesReceived;
    if (inVain >= LOOKS_IN_VAIN) silent();
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  transport.observer.once('close', () => clearInterval(timer));
}

/**
 * At the lender's end, where data goes out alone. Begins SCTP, which mediasoup does not while there is nothing to send by it, and sends a little by it again and again: its
 * coming tells the borrower that the way stands, and the borrower's acknowledgement tells the lender.
 */
export async function beat({ router }: Segment, transport: PipeTransport): Promise<void> {
  await answered(transport.produceData({ sctpStreamParameters: { streamId: 0 }, label: 'pipe' }), 'pipe');
  const heart = await answered(router.createDirectTransport(), 'pipe');
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    clearInterval(timer);
    heart.close();
  };
  if (transport.closed) return end();
  transport.observer.once('close', end);
  const beats = await answered(heart.produceData({ label: 'pipe' }), 'pipe');
  await answered(transport.consumeData({ dataProducerId: beats.id }), 'pipe');
  if (!transport.closed) timer = setInterval(() => beats.send('.'), BEAT_MS).unref();
}

/** How the other node reaches it. */
export function endOf({ tuple: { localAddress: ip, localPort: port }, srtpParameters }: PipeTransport): PipeEnd {
  return { ip, port, srtpParameters: srtpParameters! };
}

export function onceClosed({ observer }: Producer | DataProducer | Consumer | DataConsumer, listener: () => void): void {
  (observer as EventEmitter).once('close', listener);
}
