import * as parameters from 'mediasoup-client/fakeParameters';
import type { CallEvent, OmniTalk } from '../../sdk/client.js';
import { failure } from '../../sdk/errors.js';
import { EventStream } from '../../sdk/stream.js';

const EPOCH = 'a';
export const cursor = (offset: number, epoch = EPOCH): string => btoa(`call:1|${epoch}|${offset}`);
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

type Answer = (input: Record<string, unknown>) => unknown;

/** A call as its server would have it, which answers at once unless told. */
export class FakeCall {
  /** Of all who have asked, in order. */
  readonly asked: string[] = [];
  readonly streams: { after: string; stream: EventStream<CallEvent> }[] = [];
  transports: { id: string; direction: string }[] = [];
  producers: { id: string; kind: string; source: string | null; paused: boolean }[] = [];
  /** What others send. */
  others: { id: string; participantId: string; kind: string; source: string; paused: boolean }[] = [];
  head = cursor(1);
  #ids = 0;
  /** What is answered instead. */
  readonly instead: Record<string, Answer> = {};

  readonly #answers: Record<string, Answer> = {
    joinCall: () => ({ joinCall: {
      participant: { id: 'me', state: 'JOINED' }, cursor: this.head, rtpCapabilities: parameters.generateRouterRtpCapabilities(), producers: [...this.others],
      own: { transports: [...this.transports], producers: [...this.producers], consumers: [], dataConsumers: [] },
    } }),
    createTurnCredentials: () => {
      throw failure('CALLS_UNAVAILABLE', 'There is none.');
    },
    createTransport: ({ direction }) => {
      const id = this.#id('transport');
      this.transports.push({ id, direction: direction as string });
      return { createTransport: { transport: { ...parameters.generateTransportRemoteParameters(), id, sctpParameters: { port: 5000, OS: 16, MIS: 16, maxMessageSize: 262_144 } } } };
    },
    produce: ({ source, kind, paused }) => ({ produce: { producer: this.#add({ id: this.#id('producer'), kind: kind as string, source: source as string, paused: paused as boolean }) } }),
    produceData: () => ({ produceData: { producer: this.#add({ id: this.#id('producer'), kind: 'DATA', source: null, paused: false }) } }),
    consume: ({ transportId, producerId }) => {
      const other = this.others.find(({ id }) => id === producerId);
      if (!other || !this.transports.some(({ id }) => id === transportId)) throw failure('NOT_FOUND', 'There is none.');
      return { consume: { consumer: { ...parameters.generateConsumerRemoteParameters({ codecMimeType: 'audio/opus' }), id: this.#id('consumer'), producerId, participantId: other.participantId, kind: other.kind } } };
    },
    setProducerPaused: ({ producerId, paused }) => {
      this.producers = this.producers.map((one) => (one.id === producerId ? { ...one, paused: paused as boolean } : one));
    },
    closeProducer: ({ producerId }) => this.#close(producerId as string),
    closeDataProducer: ({ producerId }) => this.#close(producerId as string),
  };

  readonly client = {
    api: new Proxy({}, { get: (_target, name) => async ({ input }: { input: Record<string, unknown> }) => this.#ask(name as string, input) }),
    callEvents: (_id: string, after: string) => {
      const stream = new EventStream<CallEvent>();
      this.streams.push({ after, stream });
      return stream;
    },
  } as unknown as OmniTalk;

  /** Somebody sends something more: its id. */
  addOther(participantId = 'bob'): string {
    const other = { id: this.#id('other'), participantId, kind: 'AUDIO', source: 'MICROPHONE', paused: false };
    this.others.push(other);
    this.tell({ __typename: 'ProducerAdded', cursor: this.next(), participantId, producer: other });
    return other.id;
  }

  /** All that it carried is gone. */
  reset(): void {
    this.transports = [];
    this.producers = [];
    this.tell({ __typename: 'CallMediaReset', cursor: this.next() });
  }

  next(): string {
    this.head = cursor(Number(atob(this.head).split('|')[2]) + 1);
    return this.head;
  }

  tell(event: object): void {
    this.streams.at(-1)!.stream.push(event as CallEvent);
  }

  answer(name: string, input: Record<string, unknown>): unknown {
    return this.#answers[name]?.(input) ?? {};
  }

  /** The next question of this name does not arrive. */
  lose(name: string): void {
    this.instead[name] = () => {
      delete this.instead[name];
      throw failure('NETWORK', 'It is lost.');
    };
  }

  count(name: string): number {
    return this.asked.filter((one) => one === name).length;
  }

  async #ask(name: string, input: Record<string, unknown>): Promise<unknown> {
    this.asked.push(name);
    return (await this.instead[name]?.(input)) ?? this.answer(name, input);
  }

  #id(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  #add(producer: FakeCall['producers'][number]): FakeCall['producers'][number] {
    this.producers.push(producer);
    return producer;
  }

  #close(producerId: string): object {
    this.producers = this.producers.filter(({ id }) => id !== producerId);
    return {};
  }
}

/** What is answered when it may be. */
export function held(): { asked: Promise<void>; ask: () => Promise<void>; answer: () => void } {
  let [ask, answer] = [() => undefined as void, () => undefined as void];
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const may = new Promise<void>((resolve) => (answer = resolve));
  return { asked, ask: () => (ask(), may), answer: () => answer() };
}
