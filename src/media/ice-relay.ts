import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { DtlsParameters, IceCandidate, IceParameters } from './contract.js';
import { isBindingSuccess, isStun, nomination } from './stun.js';

/** As much of a WebRTC transport as the relay needs: a mediasoup WebRtcTransport, or what the contract tells of one. */
export interface IceEnd {
  iceParameters: IceParameters;
  iceCandidates: Pick<IceCandidate, 'address' | 'port' | 'protocol'>[];
  dtlsParameters: DtlsParameters;
}

const NOMINATE_EVERY_MS = 5_000;
const FIRST_NOMINATIONS_MS = 100;

/**
 * Stands between two mediasoup WebRTC transports as their ICE peer, and carries their packets from the one to the other. mediasoup is ICE lite,
 * which only ever answers, so two of its transports can't meet by themselves. With this they shake hands by real DTLS and exchange real SRTP: a
 * browser is not needed to prove a worker, nor to be a participant in a test.
 */
export class IceRelay {
  readonly #sockets: [Socket, Socket];
  readonly #ends: [IceEnd, IceEnd];
  readonly #found = [false, false];
  #timer: NodeJS.Timeout | undefined;
  #cut = false;

  private constructor(ends: [IceEnd, IceEnd], sockets: [Socket, Socket]) {
    this.#ends = ends;
    this.#sockets = sockets;
  }

  static async open(one: IceEnd, other: IceEnd): Promise<IceRelay> {
    const sockets: [Socket, Socket] = [createSocket('udp4'), createSocket('udp4')];
    const relay = new IceRelay([one, other], sockets);
    await Promise.all(
      sockets.map(async (socket, index) => {
        // From the loop nothing goes to another host.
        const near = [one, other][index]!.iceCandidates.every(({ address }) => address === '127.0.0.1');
        if (near) socket.bind(0, '127.0.0.1');
        else socket.bind(0);
        await once(socket, 'listening');
      }),
    );
    relay.#carry(0, 1);
    relay.#carry(1, 0);
    relay.#nominate();
    return relay;
  }

  /** Loses every packet from now on, as a broken network does; `false` mends it. */
  cut(cut = true): void {
    this.#cut = cut;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const socket of this.#sockets) socket.close();
  }

  #carry(from: 0 | 1, to: 0 | 1): void {
    this.#sockets[from].on('error', () => undefined);
    this.#sockets[from].on('message', (packet) => {
      if (this.#cut) return;
      if (!isStun(packet)) this.#send(to, packet);
      else if (isBindingSuccess(packet)) this.#found[from] = true;
    });
  }

  #send(to: 0 | 1, packet: Buffer): void {
    const candidate = this.#ends[to].iceCandidates.find(({ protocol }) => protocol === 'udp')!;
    this.#sockets[to].send(packet, candidate.port, candidate.address);
  }

  /** Until both have answered, often; then often enough that neither believes its peer gone (ICE consent). */
  #nominate(): void {
    if (!this.#cut) for (const end of [0, 1] as const) this.#send(end, nomination(this.#ends[end].iceParameters));
    const met = this.#found[0] && this.#found[1];
    this.#timer = setTimeout(() => this.#nominate(), met ? NOMINATE_EVERY_MS : FIRST_NOMINATIONS_MS);
    this.#timer.unref();
  }
}
