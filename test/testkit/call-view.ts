import { OmniTalkError, type CallEvent, type EventStream, type OmniTalk } from '../../sdk/index.js';

/** Somebody in a call, and what they send, by the ids of it. */
export interface Seated {
  id: string;
  connected: boolean;
  producers: string[];
}

/** What passes: the caller tries again. */
const PASSING = new Set(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'CALLS_UNAVAILABLE', 'UNKNOWN']);
export const passes = (error: unknown): boolean => !(error instanceof OmniTalkError) || PASSING.has(error.code);
const PATIENCE_MS = 120_000;

/** Asks until it is answered, by a yes or a no. */
export async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!passes(error) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Who is in a call, as the API says at one node. */
export async function seatedIn({ api }: OmniTalk, callId: string): Promise<Seated[]> {
  const { call } = await api.callParticipants({ id: callId, states: ['JOINED'], first: 100 });
  return call!.participants.edges.map(({ node: { id, connected, producers } }) => ({ id, connected, producers: producers.map((producer) => producer.id).sort() })).sort(byId);
}

/** Who is in a call, as its events told: read once, and from then on what each event changes and nothing else. */
export class CallView {
  readonly #people = new Map<string, Seated>();
  #stream: EventStream<CallEvent> | null = null;
  #closed = false;
  /** Why it follows no more. */
  ended: unknown;
  seen = 0;

  private constructor(
    private readonly client: OmniTalk,
    private readonly callId: string,
  ) {}

  static of(client: OmniTalk, callId: string): CallView {
    const view = new CallView(client, callId);
    view.#follow().catch((error: unknown) => (view.ended = error ?? 'failed'));
    return view;
  }

  get seated(): Seated[] {
    return [...this.#people.values()].map(({ producers, ...person }) => ({ ...person, producers: [...producers].sort() })).sort(byId);
  }

  close(): void {
    this.#closed = true;
    this.#stream?.close();
  }

  async #follow(): Promise<void> {
    // What can't be continued is read anew.
    while (!this.#closed) {
      const { eventCursor } = (await patiently(() => this.client.api.call({ id: this.callId }))).call!;
      const stream = this.client.callEvents(this.callId, eventCursor);
      this.#stream = stream;
      if (this.#closed) stream.close();
      await this.#read();
      let resync = false;
      for await (const event of stream) {
        this.seen++;
        if (event.__typename === 'ResyncRequired') resync = true;
        else await this.#take(event);
      }
      if (!resync) break;
    }
    this.ended = 'done';
  }

  async #read(): Promise<void> {
    const seated = await patiently(() => seatedIn(this.client, this.callId));
    this.#people.clear();
    for (const person of seated) this.#people.set(person.id, person);
  }

  async #take(event: CallEvent): Promise<void> {
    switch (event.__typename) {
      case 'CallMediaReset':
        // Of what others send it tells nothing: that is asked for, as `joinCall` does.
        return this.#read();
      case 'ParticipantAdmitted':
      case 'ParticipantJoined':
      case 'ParticipantMoved':
      case 'ParticipantUpdated':
      case 'ParticipantLeft':
      case 'ParticipantRemoved': {
        const { participantId: id, participant } = event;
        if (participant?.state !== 'JOINED' || event.__typename === 'ParticipantLeft' || event.__typename === 'ParticipantRemoved') this.#people.delete(id);
        else this.#people.set(id, { id, connected: participant.connected, producers: this.#people.get(id)?.producers ?? [] });
        return;
      }
      case 'ProducerAdded': {
        const person = this.#people.get(event.participantId);
        if (person && event.producer && !person.producers.includes(event.producerId)) person.producers.push(event.producerId);
        return;
      }
      case 'ProducerClosed': {
        const person = this.#people.get(event.participantId);
        if (person) person.producers = person.producers.filter((id) => id !== event.producerId);
        return;
      }
      default:
        return;
    }
  }
}

const byId = (one: { id: string }, other: { id: string }): number => one.id.localeCompare(other.id);
