import type { JoinCallOptions, MediaTrack } from './call-options.js';
import type { CallEvent } from './client.js';
import { epochOf, offsetOf } from './cursors.js';

/** Where in the log it lies; what is in no log lies behind all of it. */
export const placeOf = (event: CallEvent): number => ('cursor' in event && event.__typename !== 'ResyncRequired' ? offsetOf(event.cursor) : Infinity);

/** What happens in a call as the app is told of it: each event once and in order, by whatever streams it comes. */
export class CallStory {
  /** Of the last event that the app was told of; null where it has been told to read anew. */
  #told: string | null = null;

  constructor(
    private readonly callId: string,
    private readonly app: Pick<JoinCallOptions<MediaTrack>, 'onEvent'>,
  ) {}

  get told(): string | null {
    return this.#told;
  }

  /**
   * Where it goes on for whoever took their seat: from where the app has come to, or from there, whichever comes first. What the app was told in another epoch is not
   * continued by this one: the server says so, from there.
   */
  goesOn(joined: string): string {
    this.#told ??= joined;
    return epochOf(this.#told) !== epochOf(joined) || offsetOf(this.#told) < offsetOf(joined) ? this.#told : joined;
  }

  tell(event: CallEvent): void {
    if (this.#told !== null && placeOf(event) <= offsetOf(this.#told)) return;
    if ('cursor' in event) this.#told = event.__typename === 'ResyncRequired' ? null : event.cursor;
    this.app.onEvent?.(event);
  }

  /**
   * What had been told by the time of a question, and lies behind its answer, is in no log any more: a database that had not heard of it has taken over from the one
   * that had. The places behind the answer are those of other events now.
   */
  tellLost(told: string | null, answered: string): void {
    if (told === null || epochOf(told) !== epochOf(answered) || offsetOf(told) <= offsetOf(answered)) return;
    this.tell({ __typename: 'ResyncRequired', streamId: this.callId, cursor: answered, at: new Date().toISOString(), reason: 'AHEAD' });
  }
}
