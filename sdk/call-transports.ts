import type { Device, types } from 'mediasoup-client';
import type { CallSource } from './call-options.js';
import { TurnServers } from './call-turn.js';
import type { OmniTalk } from './client.js';
import { failure, OmniTalkError } from './errors.js';

/** Data goes by transports of its own: most calls need none. */
export type TransportUse = 'SEND' | 'RECEIVE' | 'SEND_DATA' | 'RECEIVE_DATA';

export interface TransportsOwner {
  readonly callId: string;
  over(): boolean;
  /** The network of one of them is away, or all are back. */
  away(away: boolean): void;
  /** They can't be brought back one by one. */
  rejoin(): void;
  /** Something could not be closed, and stands perhaps. */
  unheard(error: unknown): void;
}

/** What trying again can mend. */
export const PASSING: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'CALLS_UNAVAILABLE', 'INTERNAL']);
/** What was there when it was asked for is gone: the media has begun anew once more. */
export const OVERTAKEN: ReadonlySet<string> = new Set(['NOT_FOUND', 'STATE_CONFLICT']);
/** A transport that says "disconnected" often comes back by itself. */
const RESTART_AFTER_MS = 1_000;
const RETRY_MS = 2_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Why nothing could be sent by a transport: where it was closed meanwhile, trying again can mend it. */
export const failureOf = (transport: types.Transport, error: unknown): unknown =>
  transport.closed && !(error instanceof OmniTalkError) ? failure('CALLS_UNAVAILABLE', 'What carries the call begins anew: try again.', error) : error;

/** The transports of one's seat: each is made at its first use, and finds another way when the network was lost. */
export class CallTransports {
  /** Null while one waits in the lobby. */
  device: Device | null = null;
  readonly ids = new Set<string>();
  readonly #made: Partial<Record<TransportUse, Promise<types.Transport>>> = {};
  /** Whose network is away. */
  readonly #lost = new Set<string>();
  /** For which another way is looked for. */
  readonly #reconnecting = new Set<string>();
  readonly #turnServers: TurnServers;

  constructor(
    private readonly client: OmniTalk,
    private readonly owner: TransportsOwner,
    private readonly policy: 'all' | 'relay' | undefined,
  ) {
    this.#turnServers = new TurnServers(client, owner.callId, policy === 'relay');
  }

  get(use: TransportUse): Promise<types.Transport> {
    const made = (this.#made[use] ??= this.#make(use));
    made.catch(() => this.#made[use] === made && delete this.#made[use]);
    return made;
  }

  /** Closes all, and with them what goes through them. */
  forget(): void {
    for (const [use, transport] of Object.entries(this.#made)) {
      transport.then((one) => {
        one.close();
        // Made meanwhile: nobody knows of it any more.
        if (this.ids.delete(one.id)) this.client.api.closeTransport({ input: { callId: this.owner.callId, transportId: one.id } }).catch((error: unknown) => this.owner.unheard(error));
      }, () => undefined);
      delete this.#made[use as TransportUse];
    }
    this.ids.clear();
    this.#lost.clear();
  }

  async #make(use: TransportUse): Promise<types.Transport> {
    if (!this.device) throw failure('STATE_CONFLICT', 'You wait in the lobby still.');
    const { api } = this.client;
    const { callId } = this.owner;
    const direction = use === 'SEND' || use === 'SEND_DATA' ? 'SEND' : 'RECEIVE';
    const data = use !== direction;
    const iceServers = await this.#turnServers.get();
    const { transport: made } = (await api.createTransport({ input: { callId, direction, data } })).createTransport;
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = made as unknown as types.TransportOptions;
    const options = {
      id, iceParameters, iceCandidates, dtlsParameters,
      ...(data && sctpParameters ? { sctpParameters } : {}), ...(iceServers ? { iceServers } : {}), ...(this.policy ? { iceTransportPolicy: this.policy } : {}),
    };
    const transport = direction === 'SEND' ? this.device.createSendTransport(options) : this.device.createRecvTransport(options);
    this.ids.add(id);
    transport.on('connect', ({ dtlsParameters: own }, done, fail) => void api.connectTransport({ input: { callId, transportId: id, dtlsParameters: own } }).then(done, (error: Error) => {
      // It is connected there, perhaps, and takes no second connect: the next use makes another.
      this.ids.delete(id);
      delete this.#made[use];
      fail(error);
      setTimeout(() => transport.close()); // behind whoever hears of the failure
    }));
    transport.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
      const input = { callId, transportId: id, kind: kind === 'audio' ? ('AUDIO' as const) : ('VIDEO' as const), rtpParameters, source: appData['source'] as CallSource, paused: appData['paused'] === true };
      api.produce({ input }).then(({ produce }) => done({ id: produce.producer.id }), fail);
    });
    transport.on('producedata', ({ sctpStreamParameters, label, protocol }, done, fail) => {
      const input = { callId, transportId: id, sctpStreamParameters, label: label ?? '', protocol: protocol ?? '' };
      api.produceData({ input }).then(({ produceData }) => done({ id: produceData.producer.id }), fail);
    });
    transport.on('connectionstatechange', (state) => {
      if ((state !== 'disconnected' && state !== 'failed') || this.#reconnecting.has(id)) return;
      this.#reconnecting.add(id);
      void this.#reconnect(transport, state === 'failed' ? 0 : RESTART_AFTER_MS).finally(() => this.#reconnecting.delete(id));
    });
    return transport;
  }

  /** The network was lost: the same transport by another way. */
  async #reconnect(transport: types.Transport, after: number): Promise<void> {
    const lost = () => !transport.closed && (transport.connectionState === 'disconnected' || transport.connectionState === 'failed');
    for (await pause(after); lost() && !this.owner.over(); await pause(RETRY_MS)) {
      this.#lost.add(transport.id);
      this.owner.away(true);
      try {
        const iceServers = await this.#turnServers.get();
        if (iceServers) await transport.updateIceServers({ iceServers });
        const { iceParameters } = (await this.client.api.restartIce({ input: { callId: this.owner.callId, transportId: transport.id } })).restartIce;
        await transport.restartIce({ iceParameters: iceParameters as types.IceParameters });
      } catch (error) {
        if (error instanceof OmniTalkError && !PASSING.has(error.code)) {
          this.#lost.delete(transport.id);
          return this.owner.rejoin();
        }
      }
    }
    this.#lost.delete(transport.id);
    if (!transport.closed && this.#lost.size === 0) this.owner.away(false);
  }
}
