import type { Sql } from '../../db/database.js';
import type { Hub } from '../../events/hub.js';
import { invalidInput } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import { distinct } from '../../lib/validate.js';
import { PRODUCTS, readProductStates, STOCK, type ProductState } from '../../services/commerce/product-states.js';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { Source, Subscriber } from './subscriptions.js';

const MAX_PRODUCTS = 100;
/** What changes within this is told at once: a product that sells fast is read and rendered so often, whoever looks on. */
const GATHER_MS = 200;
/** Products that one statement asks about. */
const PAGE = 1_000;

interface Watched {
  outboxes: Set<Outbox>;
  /** Who has not been told of it yet. */
  fresh: Set<Outbox>;
  /** What was told last; null: nothing. */
  told: string | null;
  variantIds: readonly string[];
}

/**
 * `productEvents`. Whoever sells, prices or counts says no more than which row has changed, once a transaction, however many look on (`Tx.changed`). Each
 * process then reads those that somebody watches, all in one statement, and tells those for whom something differs. Hints that were lost are made good
 * by looking again now and then.
 */
export class ProductSource implements Source {
  readonly #watched = new Map<string, Watched>();
  readonly #productOf = new Map<string, string>();
  readonly #toLookAt = new Set<string>();
  readonly #again: NodeJS.Timeout;
  readonly #heard: Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #closed = false;

  constructor(
    hub: Pick<Hub, 'onChanged'>,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
    lookAgainMs: number,
  ) {
    this.#heard = hub.onChanged((name, keys) => this.#onChanged(name, keys));
    this.#heard.catch(() => undefined); // whoever subscribes is told
    this.#again = setInterval(() => this.#lookAt(this.#watched.keys()), lookAgainMs);
    this.#again.unref();
  }

  async open({ sink, group }: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const ids = distinct((args['productIds'] as string[]).map((id) => decodeId('Product', id, 'productIds')), 'productIds', MAX_PRODUCTS);
    if (!ids.length) throw invalidInput('productIds', 'productIds is empty.');
    await this.#heard;
    const outbox = new Outbox(sink, group, (error, id) => {
      this.#watched.get(id)?.fresh.add(outbox); // the next look tells it again
      this.onError(error, `product:${id}`);
    });
    for (const id of ids) {
      const watched = this.#watched.get(id) ?? { outboxes: new Set(), fresh: new Set(), told: null, variantIds: [] };
      watched.outboxes.add(outbox);
      watched.fresh.add(outbox);
      this.#watched.set(id, watched);
    }
    this.#lookAt(ids);
    return () => this.#leave(ids, outbox);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#again);
    if (this.#timer) clearTimeout(this.#timer);
    this.#watched.clear();
    this.#productOf.clear();
  }

  #leave(ids: readonly string[], outbox: Outbox): void {
    for (const id of ids) {
      const watched = this.#watched.get(id);
      if (!watched) continue;
      watched.outboxes.delete(outbox);
      watched.fresh.delete(outbox);
      if (watched.outboxes.size) continue;
      for (const variantId of watched.variantIds) this.#productOf.delete(variantId);
      this.#watched.delete(id);
    }
  }

  #onChanged(name: string, keys: readonly string[]): void {
    if (name === PRODUCTS) this.#lookAt(keys);
    else if (name === STOCK) this.#lookAt(keys.flatMap((key) => this.#productOf.get(key) ?? []));
  }

  #lookAt(ids: Iterable<string>): void {
    for (const id of ids) if (this.#watched.has(id)) this.#toLookAt.add(id);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looking || this.#timer || this.#closed || !this.#toLookAt.size) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#look();
    }, GATHER_MS);
    this.#timer.unref();
  }

  /** One reading after the other, so that what was read later is told later. */
  async #look(): Promise<void> {
    this.#looking = true;
    const ids = [...this.#toLookAt];
    this.#toLookAt.clear();
    try {
      for (let from = 0; from < ids.length; from += PAGE) {
        const page = ids.slice(from, from + PAGE);
        const found = new Map((await readProductStates(this.sql, page)).map((state) => [state.id, state]));
        for (const id of page) this.#tell(id, found.get(id));
      }
    } catch (error) {
      // The database is away: looking again in a while finds what was missed.
      this.onError(error, 'products');
    } finally {
      this.#looking = false;
      this.#lookSoon();
    }
  }

  #tell(id: string, state: ProductState | undefined): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    for (const variantId of watched.variantIds) this.#productOf.delete(variantId);
    watched.variantIds = state?.variantIds ?? [];
    for (const variantId of watched.variantIds) this.#productOf.set(variantId, id);
    const text = state?.text ?? '';
    const hearers = text === watched.told ? watched.fresh : watched.outboxes;
    watched.told = text;
    if (hearers.size) {
      const event = new EphemeralEvent({ __typename: 'ProductEvent', productId: encodeId('Product', id), productKey: id });
      for (const outbox of hearers) outbox.offer(id, event);
    }
    watched.fresh.clear();
  }
}
