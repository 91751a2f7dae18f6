import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { InFlight } from '../../lib/in-flight.js';
import { distinct } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import { lockApp } from './lock-app.js';

const MAX_OPERATIONS = 1_000;
const MAX_CHARACTERS = 2_000_000;
const MAX_AT_ONCE = 200;
/** How long a process goes by what it has read. */
const TRUST_MS = 5_000;
const KEPT = 5_000;
const KEPT_CHARACTERS = 10_000_000;
const ID = /^[0-9a-f]{64}$/;

export interface DocumentCheck {
  /** What is wrong with a document, in words; none when it is one good operation. */
  mistakesIn(document: string): readonly string[];
  /** Counts what it costs to read these against the address that sends them. Throws RATE_LIMITED. */
  charge(address: string, documents: readonly string[]): Promise<void>;
}

export interface AppOperationRow {
  id: string;
  appId: string;
  /** The SHA-256 of its document, in hexadecimal digits. */
  hash: string;
  name: string | null;
  document: string;
  createdAt: Date;
}
const COLUMNS = 'o.id, o.app_id as "appId", o.hash, o.name, o.document, o.created_at as "createdAt"';

export const operationHash = (document: string): string => createHash('sha256').update(document).digest('hex');

/** The operations that apps have registered: clients of an app name them by their hash, and an app may be kept to them. */
export class AppOperationService {
  readonly #known = new LRUCache<string, string>({ max: KEPT, maxSize: KEPT_CHARACTERS, ttl: TRUST_MS, sizeCalculation: (document) => document.length });
  readonly #asking = new InFlight<string | null>();
  #check: DocumentCheck | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Documents are judged by the engine that executes them; it is made later than this. */
  checkWith(check: DocumentCheck): void {
    this.#check = check;
  }

  /** Of an app that the caller has been given: the newest first. */
  async list(appId: string, args: PageArgs): Promise<Page<AppOperationRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<AppOperationRow>(
      `select ${COLUMNS} from app_operations o where o.app_id = $1 and ($2::uuid is null or o.id < $2) order by o.id desc limit $3`,
      [appId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** Registers operations; those that are there already stay as they are. All of them, or none. Errors: NOT_FOUND, INVALID_INPUT, LIMIT_REACHED, RATE_LIMITED. */
  async register(actor: Actor, appId: string, given: readonly string[], address: string): Promise<AppOperationRow[]> {
    const documents = new Map(distinct(given, 'documents', MAX_AT_ONCE).map((document) => [operationHash(document), document]));
    if (!documents.size) throw invalidInput('documents', 'documents is empty.');
    await this.#judge([...documents.values()], address);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'registerAppOperations' }, async (tx) => {
      await lockApp(tx, actor.userId, appId);
      const added = await tx.sql<{ hash: string }>(
        `insert into app_operations (id, app_id, hash, name, document, created_at) select d.id, $1, d.hash, d.name, d.document, $6 from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) d(id, hash, name, document)
         on conflict do nothing returning hash`,
        [appId, [...documents.keys()].map(() => newId()), [...documents.keys()], [...documents.values()].map(nameOf), [...documents.values()], tx.now],
      );
      const [held] = await tx.sql<{ n: number; characters: number }>('select count(*)::int as n, coalesce(sum(length(document)), 0)::int as characters from app_operations where app_id = $1', [appId]);
      if (held!.n > MAX_OPERATIONS) throw new DomainError('LIMIT_REACHED', `An app has at most ${MAX_OPERATIONS.toLocaleString('en')} operations: remove those that no client asks for any more.`);
      if (held!.characters > MAX_CHARACTERS) throw new DomainError('LIMIT_REACHED', `The operations of an app have at most ${MAX_CHARACTERS.toLocaleString('en')} characters together.`);
      if (added.length) await audit(tx, { actorId: actor.userId, action: 'APP_OPERATIONS_REGISTERED', subject: { type: 'App', id: appId }, details: { operations: added.map(({ hash }) => hash) } });
      return null;
    });
    const rows = await this.sql<AppOperationRow>(`select ${COLUMNS} from app_operations o where o.app_id = $1 and o.hash = any($2)`, [appId, [...documents.keys()]]);
    const byHash = new Map(rows.map((row) => [row.hash, row]));
    return [...documents.keys()].flatMap((hash) => byHash.get(hash) ?? []);
  }

  /** As those that clients send: what is long is paid before it is read. Each takes up to some tenths of a second, so others have their turn in between; and nobody's row is locked meanwhile. */
  async #judge(documents: readonly string[], address: string): Promise<void> {
    await this.#check!.charge(address, documents);
    for (const [at, document] of documents.entries()) {
      if (at > 0) await turn();
      const mistakes = document.trim() === '' ? ['It is empty.'] : document.includes('\0') ? ['It holds a character that no document can.'] : this.#check!.mistakesIn(document);
      if (mistakes.length) throw invalidInput('documents', `Document ${at + 1} is not one valid operation: ${mistakes.slice(0, 3).join(' ')}`.slice(0, 1_000));
    }
  }

  /** Within seconds they are executed no more; those that are not there are passed over. Answers which were removed. Errors: NOT_FOUND, INVALID_INPUT. */
  async remove(actor: Actor, appId: string, given: readonly string[]): Promise<string[]> {
    const hashes = distinct(given, 'hashes', MAX_AT_ONCE);
    if (!hashes.length) throw invalidInput('hashes', 'hashes is empty.');
    if (!hashes.every((hash) => ID.test(hash))) throw invalidInput('hashes', 'hashes are 64 hexadecimal digits each.');
    const removed = await this.unitOfWork.run({ actorId: actor.userId, operation: 'removeAppOperations' }, async (tx) => {
      await lockApp(tx, actor.userId, appId);
      const gone = await tx.sql<{ hash: string }>('delete from app_operations where app_id = $1 and hash = any($2) returning hash', [appId, hashes]);
      if (gone.length) await audit(tx, { actorId: actor.userId, action: 'APP_OPERATIONS_REMOVED', subject: { type: 'App', id: appId }, details: { operations: gone.map(({ hash }) => hash) } });
      return { hashes: gone.map(({ hash }) => hash) };
    });
    for (const hash of removed.hashes) this.#known.delete(`${appId} ${hash}`);
    return removed.hashes;
  }

  /** The document that an app has registered under this hash; null: none. */
  async find(appId: string, hash: string): Promise<string | null> {
    if (!ID.test(hash)) return null;
    const key = `${appId} ${hash}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    return this.#asking.run(key, async () => {
      const [row] = await this.sql<{ document: string }>('select document from app_operations where app_id = $1 and hash = $2', [appId, hash]);
      if (row) this.#known.set(key, row.document);
      return row?.document ?? null;
    });
  }
}

/** For lists alone: what the operation calls itself. */
const nameOf = (document: string): string | null => /^[\s\S]*?\b(?:query|mutation|subscription)\s+([A-Za-z_]\w*)/.exec(document.replace(/#.*/g, ''))?.[1] ?? null;
