import type { CallEvent, EventStream } from '../../sdk/index.js';
import { eventually, within, type Person, type World } from './world.js';

/** What passes, and moves no cursor. */
export const PASSING = ['CallAudioLevels', 'DominantSpeakerChanged', 'CallConsumerChanged', 'CallTransportChanged'];

/** Somebody in a call, by the SDK. */
export class Seat {
  events!: EventStream<CallEvent>;

  private constructor(
    readonly person: Pick<Person, 'api' | 'client'>,
    readonly callId: string,
    readonly participantId: string,
    readonly joined: Awaited<ReturnType<Person['api']['joinCall']>>['joinCall'],
  ) {}

  static async take(person: Pick<Person, 'api' | 'client'>, callId: string, input: object = {}): Promise<Seat> {
    const { joinCall } = await person.api.joinCall({ input: { callId, ...input } });
    const seat = new Seat(person, callId, joinCall.participant.id, joinCall);
    seat.follow();
    return seat;
  }

  follow(after: string = this.joined.cursor): void {
    this.events = this.person.client.callEvents(this.callId, after);
  }

  /** The next events that have a place in the stream, exactly so many. */
  async take(count: number): Promise<CallEvent[]> {
    const events: CallEvent[] = [];
    while (events.length < count) {
      const result = await within(this.events.next(), `event ${events.length + 1} of ${count}; so far: ${events.map((event) => event.__typename).join(', ')}`);
      if (result.done) throw new Error(`the stream ended after ${events.map((event) => event.__typename).join(', ')}`);
      if (!PASSING.includes(result.value.__typename)) events.push(result.value);
    }
    return events;
  }

  /** The next event of a kind, for which it holds; what comes before it is passed over. */
  async until<Name extends CallEvent['__typename']>(name: Name, holds: (event: Extract<CallEvent, { __typename: Name }>) => boolean = () => true, patience?: number): Promise<Extract<CallEvent, { __typename: Name }>> {
    const seen: string[] = [];
    for (;;) {
      const result = await within(this.events.next(), `${name}; so far: ${seen.join(', ')}`, patience);
      if (result.done) throw new Error(`the stream ended without ${name}, after ${seen.join(', ')}`);
      const event = result.value as Extract<CallEvent, { __typename: Name }>;
      if (event.__typename === name && holds(event)) return event;
      seen.push(result.value.__typename);
    }
  }

  async transport(direction: 'SEND' | 'RECEIVE', data = false): Promise<string> {
    const { transport } = (await this.person.api.createTransport({ input: { callId: this.callId, direction, data } })).createTransport;
    await this.person.api.connectTransport({ input: { callId: this.callId, transportId: transport.id, dtlsParameters: { fingerprints: [] } } });
    return transport.id;
  }

  async produce(transportId: string, source: 'MICROPHONE' | 'CAMERA' | 'SCREEN' = 'MICROPHONE'): Promise<string> {
    const kind = source === 'MICROPHONE' ? 'AUDIO' : 'VIDEO';
    return (await this.person.api.produce({ input: { callId: this.callId, transportId, kind, source, rtpParameters: { codecs: [] } } })).produce.producer.id;
  }

  async consume(transportId: string, producerId: string): Promise<string> {
    return (await this.person.api.consume({ input: { callId: this.callId, transportId, producerId, rtpCapabilities: { codecs: [] } } })).consume.consumer.id;
  }

  leave(): Promise<unknown> {
    return this.person.api.leaveCall({ input: { callId: this.callId } });
  }

  /** Until the server knows that this seat is followed. */
  async linked(world: World): Promise<void> {
    await eventually(async () => (await world.sql('select from call_participants where id = $1 and link_node is not null', [uuidOf(this.participantId)])).length === 1, 'the seat is linked');
  }
}

/** The key behind a public id, for looking it up. */
export const uuidOf = (id: string): string => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

export async function startCall(world: World, person: Person, chatId: string, input: object = {}): Promise<string> {
  return (await person.api.startCall({ input: { chatId, kind: 'VIDEO', idempotencyKey: world.key(), ...input } })).startCall.call.id;
}

export const logOf = async (person: Person) => (await person.api.callLog()).viewer!.callLog.edges.map(({ node }) => node);

/** The same person on another device. */
export async function secondDevice(world: World, handle: string): Promise<Pick<Person, 'api' | 'client'>> {
  const { signIn } = await world.client().api.signIn({ input: { email: `${handle}@example.com`, password: `password of ${handle}` } });
  const client = world.client(signIn.accessToken);
  return { client, api: client.api };
}

/** A guest with a join token. */
export async function guestOf(world: World, host: Person, callId: string, input: object = {}, node = 0): Promise<Pick<Person, 'api' | 'client'> & { token: string; tokenId: string }> {
  const { createCallToken } = await host.api.createCallToken({ input: { callId, name: 'Guest', idempotencyKey: world.key(), ...input } });
  const client = world.client(createCallToken.token, node);
  return { client, api: client.api, token: createCallToken.token, tokenId: createCallToken.tokenId };
}
