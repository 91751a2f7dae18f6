import { parseStream, type LoggedEvent } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import type { MessageRow } from '../../services/loaders/messages.js';
import { RenderableEvent } from './render-group.js';

/** Events kept behind the live end. */
const KEPT = 256;
/** For how long bytes are kept at the most: names and counts in them are as old. */
const MAX_AGE_MS = 600_000;

export interface Kept {
  logged: LoggedEvent;
  event: RenderableEvent;
}

/** The newest events of a stream in a row, with the bytes made of them, for those who come back after a moment. */
export class EventRing {
  /** Null for what must be read anew. `since`: no bytes are older. */
  readonly #slots: { pos: number; kept: Kept | null; since: number }[] = [];
  readonly #keeps: boolean;
  readonly #maxAgeMs: number;

  /** `keepLinksMs`: for how long links to files, which stand in bytes, may be kept. */
  constructor(
    stream: string,
    private readonly clock: Clock,
    keepLinksMs: number,
  ) {
    this.#maxAgeMs = Math.min(MAX_AGE_MS, keepLinksMs);
    // A person's own stream has few readers, and what it shows is what they may see at that moment: it is read anew.
    this.#keeps = parseStream(stream).kind !== 'user';
  }

  /** Undefined when it does not reach back so far. */
  at(pos: number): Kept | null | undefined {
    const first = this.#slots[0]?.pos;
    const slot = first === undefined ? undefined : this.#slots[pos - first];
    if (slot?.kept) this.#refresh(slot, slot.kept);
    return slot?.kept;
  }

  remember(logged: LoggedEvent, event: RenderableEvent): void {
    if (!this.#keeps) return;
    this.forgetChanged(logged);
    // What disappears by itself is read anew: its time may have come.
    const { row } = event.event as { row?: MessageRow | null };
    this.#slots.push({ pos: logged.pos, kept: row?.expiresAt ? null : { logged, event }, since: this.#now });
    if (this.#slots.length > KEPT) this.#slots.shift();
  }

  /** What shows a message that has changed is read anew for those who come later: what was erased stays erased. */
  forgetChanged({ ref }: LoggedEvent): void {
    if (ref.kind !== 'message.updated' && ref.kind !== 'message.deleted') return;
    for (const slot of this.#slots) if (slot.kept?.event.event.refs.includes(ref.seq)) slot.kept = null;
  }

  clear(): void {
    this.#slots.length = 0;
  }

  /** Bytes that are old are made anew, once for all who come: links in them end, and names may be others by now. */
  #refresh(slot: { kept: Kept | null; since: number }, { logged, event }: Kept): void {
    if (this.#now - slot.since < this.#maxAgeMs) return;
    slot.kept = { logged, event: new RenderableEvent(event.event) };
    slot.since = this.#now;
  }

  get #now(): number {
    return this.clock.now().getTime();
  }
}
