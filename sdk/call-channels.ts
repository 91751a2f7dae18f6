import type { types } from 'mediasoup-client';
import type { CallMessage, ChannelOptions } from './call-options.js';
import { failureOf, OVERTAKEN, PASSING, type CallTransports } from './call-transports.js';
import type { OmniTalk } from './client.js';
import { asError, failure, type OmniTalkError } from './errors.js';
import type { CallProducerPartsFragment } from './generated/graphql.js';
import { UnderWay } from './under-way.js';

/** More than this waits for no network. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** Where no packets come through nobody says so. */
const OPENS_WITHIN_MS = 30_000;

/** What one sends to everybody in the call by a data channel. */
export class CallChannel {
  producer: types.DataProducer | null = null;

  constructor(
    readonly label: string,
    readonly options: ChannelOptions,
    private readonly closing: (channel: CallChannel) => Promise<void>,
  ) {}

  get open(): boolean {
    return this.producer?.readyState === 'open';
  }

  /** Whether it goes out: false, and nothing is sent, while the channel is not open, as when the media begins anew, and while 1 MiB waits already. */
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>): boolean {
    const { producer } = this;
    if (!producer || !this.open || producer.bufferedAmount > MOST_WAITING_BYTES) return false;
    producer.send(data as string);
    return true;
  }

  close(): Promise<void> {
    return this.closing(this);
  }
}

export interface ChannelsOwner {
  /** Without it nothing is received. */
  onMessage: ((message: CallMessage) => void) | undefined;
  /** A channel is let go. */
  onProblem(problem: OmniTalkError): void;
  /** Something could not be closed, and stands perhaps. */
  unheard(error: unknown): void;
}

/** The data channels of a call: one's own, which come back with the seat, and those of the others. */
export class CallChannels {
  readonly #own = new Set<CallChannel>();
  readonly making = new UnderWay();
  /** By the producer's id. */
  readonly #heard = new Map<string, { consumer: types.DataConsumer; participantId: string }>();

  constructor(
    private readonly client: OmniTalk,
    private readonly callId: string,
    private readonly transports: CallTransports,
    private readonly owner: ChannelsOwner,
  ) {}

  get producerIds(): string[] {
    return [...this.#own].flatMap(({ producer }) => (producer ? [producer.id] : []));
  }

  get consumerIds(): string[] {
    return [...this.#heard.values()].map(({ consumer }) => consumer.id);
  }

  async open(label: string, options: ChannelOptions): Promise<CallChannel> {
    const channel = new CallChannel(label, options, (one) => this.#close(one));
    await this.making.add(this.#produce(channel).then(() => this.#own.add(channel)));
    try {
      await opened(channel.producer!);
    } catch (error) {
      await channel.close().catch(() => undefined);
      throw error;
    }
    return channel;
  }

  /** Those whose media is gone are made anew. What may not be opened any more is let go; what passes, or was overtaken, is thrown: the caller tries again. */
  async reopen(): Promise<void> {
    for (const channel of this.#own) {
      if (channel.producer?.closed === false) continue;
      try {
        const producer = await this.#produce(channel);
        // Closed by the app meanwhile.
        if (!this.#own.has(channel)) await this.#end(producer);
      } catch (error) {
        const { code } = asError(error);
        if (PASSING.has(code) || OVERTAKEN.has(code)) throw error;
        // Closed by the app meanwhile: that is no problem of it.
        if (this.#own.delete(channel)) this.owner.onProblem(asError(error));
      }
    }
  }

  async receive({ id: producerId, participantId, label }: CallProducerPartsFragment): Promise<void> {
    if (!this.owner.onMessage || this.#heard.has(producerId)) return;
    const transport = await this.transports.get('RECEIVE_DATA');
    const { dataConsumer } = (await this.client.api.consumeData({ input: { callId: this.callId, transportId: transport.id, dataProducerId: producerId } })).consumeData;
    const { id, protocol, sctpStreamParameters } = dataConsumer;
    const consumer = await transport.consumeData({ id, dataProducerId: producerId, label: dataConsumer.label, protocol, sctpStreamParameters: sctpStreamParameters as types.SctpStreamParameters });
    consumer.binaryType = 'arraybuffer';
    consumer.on('message', (data: string | ArrayBuffer) => this.owner.onMessage?.({ participantId, label: label ?? '', data }));
    this.#heard.set(producerId, { consumer, participantId });
  }

  /** Something of somebody has ended; also of one's own. What was closed here as well is about to be made anew. */
  drop(producerId: string): void {
    this.#heard.get(producerId)?.consumer.close();
    this.#heard.delete(producerId);
    for (const channel of this.#own) {
      if (channel.producer?.id !== producerId || channel.producer.closed) continue;
      this.#own.delete(channel);
      channel.producer.close();
    }
  }

  dropAll(participantId: string): void {
    for (const [producerId, heard] of [...this.#heard]) if (heard.participantId === participantId) this.drop(producerId);
  }

  /** All transports are gone. */
  forget(): void {
    for (const { producer } of this.#own) producer?.close();
    for (const { consumer } of this.#heard.values()) consumer.close();
    this.#heard.clear();
  }

  async #produce(channel: CallChannel): Promise<types.DataProducer> {
    const transport = await this.transports.get('SEND_DATA');
    channel.producer = await transport.produceData({ label: channel.label, ...channel.options }).catch((error: unknown) => {
      throw failureOf(transport, error);
    });
    return channel.producer;
  }

  async #close(channel: CallChannel): Promise<void> {
    // What went with its transport is gone already; what is made anew just now is closed by whoever makes it.
    if (this.#own.delete(channel) && channel.producer?.closed === false) await this.#end(channel.producer);
  }

  async #end(producer: types.DataProducer): Promise<void> {
    producer.close();
    await this.client.api.closeDataProducer({ input: { callId: this.callId, producerId: producer.id } }).catch((error: unknown) => {
      this.owner.unheard(error);
      throw error;
    });
  }
}

async function opened(producer: types.DataProducer): Promise<void> {
  if (producer.readyState === 'open') return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(failure('NETWORK', 'The channel did not open in time.')), OPENS_WITHIN_MS);
    producer.on('open', resolve);
    // Whether it was closed here or there.
    producer.observer.once('close', () => reject(failure('NETWORK', 'The channel ended before it was open.')));
  }).finally(() => clearTimeout(timer));
}
