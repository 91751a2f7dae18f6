import assert from 'node:assert/strict';
import { OmniTalk, OmniTalkError, type ChatEvent, type EventStream, type InboxEvent } from '../../sdk/index.js';
import { eventually } from './world.js';

/** How long the faults go on: short within `npm test`, long in `npm run test:faults`. */
export const LONG = process.env['FAULTS'] === 'long';
export const lasting = (shortMs: number, longMs: number): number => (LONG ? longMs : shortMs);

/** Somebody who uses the API at one address. */
export interface Caller {
  id: string;
  client: OmniTalk;
}

export async function signUp(url: string, name: string): Promise<Caller & { accessToken: string }> {
  const handle = name.toLowerCase();
  const anonymous = new OmniTalk({ url });
  const { signUp: made } = await anonymous.api.signUp({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, handle, displayName: name } });
  await anonymous.close();
  return { id: made.user.id, client: new OmniTalk({ url, accessToken: made.accessToken }), accessToken: made.accessToken };
}

/** Another connection of the same person, perhaps by another address. */
export const again = ({ id, client }: Caller, url: string): Caller => ({ id, client: client.at(url) });

/** Tries of one send, 50 ms apart and more. */
const ATTEMPTS = 1_500;

/**
 * Sends one message after the other to a chat. A send whose answer was lost is tried again under its key until it is
 * acknowledged, but every fifth is given up: nobody knows whether that was written.
 */
export class Writer {
  readonly acknowledged: { text: string; seq: number }[] = [];
  readonly doubtful: string[] = [];
  readonly failures = new Map<string, number>();
  #stopped = false;
  #done: Promise<void> | null = null;

  constructor(
    private readonly caller: Caller,
    private readonly chatId: string,
    private readonly name: string,
    private readonly pauseMs = 8,
  ) {}

  start(): this {
    this.#done = this.#write();
    this.#done.catch(() => undefined); // met by "stop"
    return this;
  }

  /** Resolves when the last send has been answered or given up; rejects where one never was. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #write(): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      const text = `${this.name} ${n}`;
      const once = n % 5 === 0;
      const seq = await this.#send(text, once ? 1 : ATTEMPTS);
      // A writer that went on without an end would keep a run alive that has long failed.
      assert.ok(seq !== null || once, `"${text}" was not acknowledged after ${ATTEMPTS} attempts, which failed by ${JSON.stringify([...this.failures])}`);
      if (seq === null) this.doubtful.push(text);
      else this.acknowledged.push({ text, seq });
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
  }

  async #send(text: string, attempts: number): Promise<number | null> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        return (await this.caller.client.api.sendMessage({ input: { chatId: this.chatId, text, idempotencyKey: text.replaceAll(' ', '-') } })).sendMessage.message.seq;
      } catch (error) {
        const what = error instanceof OmniTalkError ? error.code : 'NETWORK';
        this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
        // Only what passes may be met: anything else is a fault of the server's, not of the network's.
        assert.ok(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'UNKNOWN'].includes(what), `a send failed by ${what}: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return null;
  }
}

type Event = ChatEvent | InboxEvent;

/** Reads a stream of events and keeps what it saw, by stream. */
export class Witness {
  readonly events: Event[] = [];
  /** Why the stream ended, if it did. */
  ended: unknown;

  private constructor(private readonly stream: EventStream<Event>) {
    void this.#read();
  }

  static ofChat({ client }: Caller, chatId: string, after: string): Witness {
    return new Witness(client.chatEvents(chatId, after) as EventStream<Event>);
  }
  static ofInbox({ client }: Caller, after: readonly string[]): Witness {
    return new Witness(client.inboxEvents(after) as EventStream<Event>);
  }

  close(): void {
    this.stream.close();
  }

  /** The chat's events, in the order of their arrival; receipts are state and not among them. */
  of(chatId: string): Extract<Event, { offset: number }>[] {
    return this.events.filter((event): event is Extract<Event, { offset: number }> => event.streamId === chatId && 'offset' in event && event.__typename !== 'ReceiptsChanged');
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.stream) this.events.push(event);
      this.ended = 'done';
    } catch (error) {
      this.ended = error;
    }
  }
}

/** What must hold once the writers have stopped: each witness saw the log behind its start, once and in order, and in it what was acknowledged. */
export async function assertLossless(chatId: string, from: number, head: () => Promise<number>, witnesses: readonly Witness[], writers: readonly Writer[], patience = 20_000): Promise<void> {
  const last = await head();
  for (const [index, witness] of witnesses.entries()) {
    await eventually(() => witness.ended !== undefined || (witness.of(chatId).at(-1)?.offset ?? from) >= last, `witness ${index} has come to ${last}`, patience).catch((error: Error) => {
      throw new Error(`${error.message}; it is at ${witness.of(chatId).at(-1)?.offset ?? from} of ${last}`);
    });
    assert.equal(witness.ended, undefined, `witness ${index} was ended: ${String(witness.ended)}`);
    const seen = witness.of(chatId);
    assert.deepEqual(seen.map((event) => event.offset), [...Array(last - from)].map((_, step) => from + step + 1), `witness ${index}: each event once and in order`);
    const texts = seen.flatMap((event) => (event.__typename === 'MessageSent' ? [{ text: event.message?.text, seq: event.message?.seq }] : []));
    const times = new Map<string, number>();
    for (const { text } of texts) times.set(text!, (times.get(text!) ?? 0) + 1);
    for (const writer of writers) {
      for (const { text, seq } of writer.acknowledged) {
        assert.equal(times.get(text), 1, `witness ${index}: "${text}" was acknowledged, and seen ${times.get(text) ?? 0} times`);
        assert.equal(texts.find((one) => one.text === text)!.seq, seq);
      }
      for (const text of writer.doubtful) assert.ok((times.get(text) ?? 0) <= 1, `witness ${index}: "${text}" was seen ${times.get(text)} times`);
      const order = writer.acknowledged.map(({ text }) => texts.findIndex((one) => one.text === text));
      assert.deepEqual(order, [...order].sort((a, b) => a - b), 'in the order of their sending');
    }
    const seqs = texts.map(({ seq }) => seq!);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
  }
}
