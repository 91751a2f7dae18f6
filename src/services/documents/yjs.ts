import * as Y from 'yjs';
import { DomainError, invalidInput } from '../../lib/errors.js';

/** As sent: in base64 it fits a request. */
export const MAX_UPDATE_BYTES = 512 * 1024;
/** What one update may hold of Yjs' smallest parts: merging them takes time. */
export const MAX_UPDATE_STRUCTS = 20_000;
export const MAX_VECTOR_BYTES = 64 * 1024;
/** Yjs counts what one client has inserted; nobody comes near. */
const MAX_CLOCK = 2 ** 40;

type Decoded = ReturnType<typeof Y.decodeUpdate>;
interface StructId {
  client: number;
  clock: number;
}

/** An update of which every part is known to be well-formed. */
export interface CheckedUpdate {
  bytes: Uint8Array;
  structs: Decoded['structs'];
  deletes: Decoded['ds'];
}

const malformed = () => invalidInput('update', 'This is not a Yjs update (version 1).');

/**
 * Reads all of an update without applying any of it. What it claims to hold is bounded by its bytes: every part that is read
 * takes at least one. Throws INVALID_INPUT.
 */
export function checkUpdate(bytes: Uint8Array): CheckedUpdate {
  if (bytes.length > MAX_UPDATE_BYTES) throw invalidInput('update', `update is longer than ${MAX_UPDATE_BYTES} bytes.`);
  let decoded: Decoded;
  try {
    decoded = Y.decodeUpdate(bytes);
  } catch {
    throw malformed();
  }
  const { structs, ds } = decoded;
  if (structs.length > MAX_UPDATE_STRUCTS) throw invalidInput('update', `update holds more than ${MAX_UPDATE_STRUCTS} parts.`);
  for (const struct of structs) if (!fits(struct.id.clock, struct.length)) throw malformed();
  for (const ranges of ds.clients.values()) for (const { clock, len } of ranges) if (!fits(clock, len)) throw malformed();
  return { bytes, structs, deletes: ds };
}

const fits = (clock: number, length: number): boolean => length > 0 && clock >= 0 && clock + length <= MAX_CLOCK;

/** How far each client is known. Throws INVALID_INPUT. */
export function checkVector(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_VECTOR_BYTES) throw invalidInput('stateVector', `stateVector is longer than ${MAX_VECTOR_BYTES} bytes.`);
  try {
    Y.decodeStateVector(bytes);
  } catch {
    throw invalidInput('stateVector', 'This is not a Yjs state vector.');
  }
  return bytes;
}

/** The replica holds what can't be trusted: build it again from what is stored. */
export class SpoiledReplica extends Error {
  override readonly name = 'SpoiledReplica';
}

const GONE = new DomainError('STATE_CONFLICT', 'The update builds on changes that the server does not have: sync first.', { field: 'update' });

/** A document as this process knows it, up to one of its updates. */
export class Replica {
  readonly #doc = new Y.Doc({ gc: true });
  seq = 0;

  get vector(): Uint8Array {
    return Y.encodeStateVector(this.#doc);
  }

  /** What somebody with this vector lacks; all without one. */
  state(vector?: Uint8Array): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc, vector);
  }

  /** Takes in what has been stored. Throws SpoiledReplica. */
  restore(bytes: Uint8Array, seq: number): void {
    this.#apply(bytes);
    this.seq = seq;
  }

  /**
   * Applies an update and answers what it brought that is new, as an update; null when it brought nothing. Throws
   * STATE_CONFLICT, with nothing changed, when it builds on what isn't here, and SpoiledReplica when it fits but does not apply.
   */
  apply(update: CheckedUpdate): Uint8Array | null {
    this.#assertComplete(update);
    return this.#apply(update.bytes);
  }

  #apply(bytes: Uint8Array): Uint8Array | null {
    const news: Uint8Array[] = [];
    const hear = (update: Uint8Array) => void news.push(update);
    this.#doc.on('update', hear);
    try {
      Y.applyUpdate(this.#doc, bytes);
    } catch (error) {
      throw new SpoiledReplica('An update could not be applied.', { cause: error });
    } finally {
      this.#doc.off('update', hear);
    }
    const { pendingStructs, pendingDs } = this.#doc.store;
    if (pendingStructs || pendingDs) throw new SpoiledReplica('An update waits for what is missing.');
    return news.length > 1 ? Y.mergeUpdates(news) : (news[0] ?? null);
  }

  /** Yjs would keep what it can't place yet, for ever if need be: it is refused before. */
  #assertComplete({ structs, deletes }: CheckedUpdate): void {
    const known = Y.decodeStateVector(this.vector);
    const ends = new Map(known);
    for (const struct of structs) {
      const end = ends.get(struct.id.client) ?? 0;
      if (struct instanceof Y.Skip) continue;
      if (struct.id.clock > end) throw GONE;
      ends.set(struct.id.client, Math.max(end, struct.id.clock + struct.length));
    }
    const has = ({ client, clock }: StructId) => clock < (ends.get(client) ?? 0);
    for (const struct of structs) {
      if (!(struct instanceof Y.Item)) continue;
      const { origin, rightOrigin } = struct;
      const parent = struct.parent as unknown;
      if ((origin && !has(origin)) || (rightOrigin && !has(rightOrigin)) || (parent instanceof Y.ID && !has(parent))) throw GONE;
    }
    for (const [client, ranges] of deletes.clients) for (const { clock, len } of ranges) if (clock + len > (ends.get(client) ?? 0)) throw GONE;
  }
}
