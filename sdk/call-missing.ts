import type { CallProducerPartsFragment } from './generated/graphql.js';

/** Who has ended something is told soon, wherever it was ended. */
const TOLD_WITHIN_MS = 1_000;

/**
 * What somebody sends, and the server said is not there: it has ended, which is told in a moment, or what was to carry it here is gone, which nobody may have told.
 * Then it is looked for, once each.
 */
export class MissingProducers {
  /** By the producer's id; without a timer it has been looked for. */
  readonly #all = new Map<string, { participantId: string; timer: ReturnType<typeof setTimeout> | undefined }>();

  constructor(private readonly look: () => void) {}

  add({ id, participantId }: CallProducerPartsFragment): void {
    if (!this.#all.has(id)) this.#all.set(id, { participantId, timer: setTimeout(() => this.#look(), TOLD_WITHIN_MS) });
  }

  /** It is here, or has ended. */
  delete(id: string): void {
    clearTimeout(this.#all.get(id)?.timer);
    this.#all.delete(id);
  }

  deleteAll(participantId: string): void {
    for (const [id, one] of [...this.#all]) if (one.participantId === participantId) this.delete(id);
  }

  /** Whatever is not one of these has ended. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of [...this.#all.keys()]) if (!ids.has(id)) this.delete(id);
  }

  #look(): void {
    for (const one of this.#all.values()) {
      clearTimeout(one.timer);
      one.timer = undefined;
    }
    this.look();
  }
}
