import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ConfigError, DomainError } from '../lib/errors.js';
import type { Engine } from './engine.js';

/** What a client sends, over whichever transport. */
export interface OperationRequest {
  query?: string | null;
  /** Names a persisted operation instead of `query` (GraphQL over HTTP, persisted documents). */
  documentId?: string | null;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
  extensions?: Record<string, unknown> | null;
}

const KEPT = 2_000;
const KEPT_CHARACTERS = 10_000_000;
const SHA256 = /^[0-9a-f]{64}$/;
const persistedQuery = z.object({ version: z.literal(1), sha256Hash: z.string().regex(SHA256) });
const manifest = z.record(z.string().min(1), z.string().min(1));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Finds the text of the operation that a request asks for: given in full, by the id of a registered one, or by its
 * SHA-256 (Apollo's persisted queries: registered ones, and those that a client has sent in full before).
 */
export class Documents {
  /** Registered texts, by id and by hash. */
  readonly #registered = new Map<string, string>();
  /** What clients have sent with its hash. */
  readonly #automatic = new LRUCache<string, string>({ max: KEPT, maxSize: KEPT_CHARACTERS, sizeCalculation: (text) => text.length });

  constructor(
    registered: Readonly<Record<string, string>>,
    /** Refuse what is not registered. */
    private readonly registeredOnly: boolean,
  ) {
    for (const [id, text] of Object.entries(registered)) {
      this.#registered.set(id, text);
      this.#registered.set(sha256(text), text);
    }
  }

  /** Throws OPERATION_NOT_FOUND, OPERATION_NOT_ALLOWED or BAD_REQUEST. */
  find({ query, documentId, extensions }: OperationRequest): string {
    if (documentId != null) {
      if (query) throw new DomainError('BAD_REQUEST', 'Give either query or documentId.');
      const text = this.#registered.get(documentId.replace(/^sha256:/, ''));
      if (text === undefined) throw new DomainError('OPERATION_NOT_FOUND', 'There is no persisted operation of this id.');
      return text;
    }
    if (extensions?.['persistedQuery'] != null) return this.#findByHash(extensions['persistedQuery'], query || null);
    if (!query) throw new DomainError('BAD_REQUEST', 'Give a query, a documentId or extensions.persistedQuery.');
    return this.#allowed(query);
  }

  /** By what id a request asks for an operation that may be an app's own; null: by none, or only those of the server are executed. */
  idOf({ query, documentId, extensions }: OperationRequest): string | null {
    if (query || this.registeredOnly) return null;
    if (documentId != null) return documentId.replace(/^sha256:/, '');
    const parsed = persistedQuery.safeParse(extensions?.['persistedQuery']);
    return parsed.success ? parsed.data.sha256Hash : null;
  }

  #findByHash(given: unknown, query: string | null): string {
    const parsed = persistedQuery.safeParse(given);
    if (!parsed.success) throw new DomainError('BAD_REQUEST', 'extensions.persistedQuery is { version: 1, sha256Hash: 64 hexadecimal digits }.');
    const id = parsed.data.sha256Hash;
    if (query === null) {
      const text = this.#registered.get(id) ?? this.#automatic.get(id);
      // Clients of this protocol go by these very words: they then send the text with the hash.
      if (text === undefined) throw new DomainError('OPERATION_NOT_FOUND', 'PersistedQueryNotFound');
      return text;
    }
    if (sha256(query) !== id) throw new DomainError('BAD_REQUEST', 'extensions.persistedQuery.sha256Hash is not the hash of query.');
    const allowed = this.#allowed(query);
    this.#automatic.set(id, allowed);
    return allowed;
  }

  #allowed(query: string): string {
    if (this.registeredOnly && !this.#registered.has(sha256(query))) throw new DomainError('OPERATION_NOT_ALLOWED', 'Only persisted operations are executed here.');
    return query;
  }
}

/** Reads the file of PERSISTED_OPERATIONS. Throws a ConfigError that names every document which is not valid. */
export async function loadPersistedOperations(file: string, engine: Engine): Promise<Record<string, string>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`PERSISTED_OPERATIONS: ${file} can't be read as JSON: ${(error as Error).message}`);
  }
  const parsed = manifest.safeParse(content);
  if (!parsed.success) throw new ConfigError(`PERSISTED_OPERATIONS: ${file} is not an object from ids to documents.`);
  const mistakes = Object.entries(parsed.data).flatMap(([id, query]) => {
    const prepared = engine.prepare({ query, operationName: null });
    return Array.isArray(prepared) ? [`  ${id}: ${(prepared as readonly Error[]).map((error) => error.message).join(' ')}`] : [];
  });
  if (mistakes.length) throw new ConfigError(`PERSISTED_OPERATIONS: these documents of ${file} are not valid:\n${mistakes.join('\n')}`);
  return parsed.data;
}
