import type { types } from 'mediasoup-client';
import type { OmniTalk } from './client.js';
import { OmniTalkError } from './errors.js';

type IceServers = NonNullable<types.TransportOptions['iceServers']>;

/** The credentials are good for an hour: what was made by then goes on, what is made later needs new ones. */
const GOOD_FOR_MS = 30 * 60_000;
/** There is no TURN server, or none for this call: asking again is of no use. */
const NONE: ReadonlySet<string> = new Set(['CALLS_UNAVAILABLE', 'FORBIDDEN', 'NOT_FOUND']);

/** The operator's TURN server, with credentials that are still good. */
export class TurnServers {
  #known: { servers: IceServers | undefined; until: number } | null = null;

  constructor(
    private readonly client: OmniTalk,
    private readonly callId: string,
    /** Without a TURN server nothing would arrive: then that is an error. */
    private readonly needed: boolean,
  ) {}

  /** Undefined where the operator has none. */
  async get(): Promise<IceServers | undefined> {
    if (!this.#known || performance.now() > this.#known.until) this.#known = { servers: await this.#ask(), until: performance.now() + GOOD_FOR_MS };
    return this.#known.servers;
  }

  async #ask(): Promise<IceServers | undefined> {
    try {
      const { urls, username, credential } = (await this.client.api.createTurnCredentials({ input: { callId: this.callId } })).createTurnCredentials;
      return [{ urls, username, credential }];
    } catch (error) {
      if (this.needed || !(error instanceof OmniTalkError) || !NONE.has(error.code)) throw error;
      return undefined;
    }
  }
}
