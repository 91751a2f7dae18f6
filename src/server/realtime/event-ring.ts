import { parseStream, type LoggedEvent } from '../../events/catalogue.js';
import type { MessageRow } from '../../services/loaders/messages.js';
import type { RenderableEvent } from './render-group.js';

/** Events kept behind the live end. */
const KEPT = 256;

export interface Kept {
  logged: LoggedEvent;
  event: RenderableEvent;
}

/** The newest events of a stream in a row, with the bytes made of them, for those who come back after a moment. */
export class EventRing {
  /** Null for what must be read anew. */
  readonly #slots: { pos: number; kept: Kept | null }[] = [];
  readonly #keeps: boolean;

  constructor(stream: string) {
    // A person's own stream has few readers, and what it shows is what they may see at that moment: it is read anew.
    this.#keeps = parseStream(stream).kind !== 'user';
  }

  /** Undefined when it does not reach back so far. */
  at(pos: number): Kept | null | undefined {
    const first = this.#slots[0]?.pos;
    return first === undefined ? undefined : this.#slots[pos - first]?.kept;
  }

  remember(logged: LoggedEvent, event: RenderableEvent): void {
    if (!this.#keeps) return;
    this.forgetChanged(logged);
    // What disappears by itself is read anew: its time may have come.
    const { row } = event.event as { row?: MessageRow | null };
    this.#slots.push({ pos: logged.pos, kept: row?.expiresAt ? null : { logged, event } });
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
}
