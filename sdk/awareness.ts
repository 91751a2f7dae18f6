/** Of one client, another's or one's own: whatever its program shows of it (pointer, name, colour). */
export type AwarenessState = Record<string, unknown>;
export interface AwarenessChange {
  added: number[];
  updated: number[];
  removed: number[];
}
export type AwarenessListener = (change: AwarenessChange, origin: 'local' | 'remote') => void;

/**
 * Who looks at a document, and where they point. It is used as the Awareness of y-protocols is, so that editors which are
 * made for that take it; it travels by updateAwareness, and every client's state goes when its subscription does.
 */
export class Awareness {
  readonly #states = new Map<number, AwarenessState>();
  /** Whose client each is. */
  readonly #users = new Map<number, string>();
  readonly #listeners = new Set<AwarenessListener>();

  constructor(
    readonly clientID: number,
    private readonly send: (state: AwarenessState | null) => void,
  ) {}

  getStates(): Map<number, AwarenessState> {
    return this.#states;
  }
  getLocalState(): AwarenessState | null {
    return this.#states.get(this.clientID) ?? null;
  }
  setLocalState(state: AwarenessState | null): void {
    this.#set(this.clientID, state, 'local');
    this.send(state);
  }
  setLocalStateField(field: string, value: unknown): void {
    this.setLocalState({ ...this.getLocalState(), [field]: value });
  }
  /** The person behind a client; undefined for one's own. */
  userOf(clientId: number): string | undefined {
    return this.#users.get(clientId);
  }
  on(_name: 'change', listener: AwarenessListener): void {
    this.#listeners.add(listener);
  }
  off(_name: 'change', listener: AwarenessListener): void {
    this.#listeners.delete(listener);
  }

  /** What was told of another client. */
  receive(clientId: number, userId: string, state: AwarenessState | null): void {
    if (clientId === this.clientID) return;
    if (state) this.#users.set(clientId, userId);
    else this.#users.delete(clientId);
    this.#set(clientId, state, 'remote');
  }

  /** Others are not heard of any more: whoever is still there says so again. */
  forgetOthers(): void {
    for (const clientId of [...this.#states.keys()]) if (clientId !== this.clientID) this.receive(clientId, '', null);
  }

  #set(clientId: number, state: AwarenessState | null, origin: 'local' | 'remote'): void {
    const known = this.#states.has(clientId);
    if (!known && !state) return;
    if (state) this.#states.set(clientId, state);
    else this.#states.delete(clientId);
    const change = { added: known ? [] : [clientId], updated: known && state ? [clientId] : [], removed: state ? [] : [clientId] };
    for (const listener of [...this.#listeners]) listener(change, origin);
  }
}
