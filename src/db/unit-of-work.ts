import { hash as digest } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { EntityManager, QueryRunner } from 'typeorm';
import { appendEvents, type Published, type PendingEvent } from '../events/log.js';
import type { EventRef } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import type { Spans } from '../lib/spans.js';
import { DomainError } from '../lib/errors.js';
import { checkIdempotencyKey } from '../lib/validate.js';
import { isConflict } from './failures.js';
import { runTraced, type Database, type Sql } from './database.js';

/** What is done once a write has been committed: the events reach the bus, caches hear of it. */
export interface AfterCommit {
  publish(batches: Published[]): void;
  /** Rows of a kind that processes keep have changed. */
  changed(name: string, keys: string[]): void;
}

export interface WriteOptions {
  actorId: string;
  /** The mutation's name: keys of different operations don't meet. */
  operation: string;
  /** The caller's key; with it a repeat answers the first result, and another input under it is `IDEMPOTENCY_KEY_REUSED`. */
  idempotencyKey?: string;
  /** What the key is bound to. */
  input?: unknown;
}

/** The queue of jobs that take minutes and that nobody waits for: renditions, copies of somebody's data, erasures. Side by side they would hold every place that there is for jobs. */
export const LONG_WORK = 'long';

/** One transaction as a service sees it. */
export class Tx {
  readonly pending: PendingEvent[] = [];
  /** Events that are in the log already (those of `send_messages`), to be published with the others. */
  readonly written: Published[] = [];
  readonly afterCommit: (() => void)[] = [];
  readonly changes = new Map<string, string[]>();

  constructor(
    readonly em: EntityManager,
    private readonly client: PoolClient,
    /** The time of this write. */
    readonly now: Date,
    private readonly spans: Spans | null = null,
  ) {}

  sql: Sql = <Row extends object>(text: string, values: unknown[] = []) => runTraced<Row>(this.spans, this.client, text, values);

  /** Adds an event to a stream; it gets its offset at the end of the transaction, so streams are locked last and in one order. */
  append(stream: string, event: EventRef): void {
    this.pending.push({ stream, event });
  }

  /** Says that a row which processes keep (see NodeCache) is written here: they forget it after commit. */
  changed(name: string, key: string): void {
    const keys = this.changes.get(name);
    if (keys) keys.push(key);
    else this.changes.set(name, [key]);
  }

  /** Enqueues a background job that exists only if this transaction commits. Those of one queue run one after another. */
  async enqueue(job: string, payload: object, options: { runAt?: Date; key?: string; queue?: string } = {}): Promise<void> {
    await this.sql('select graphile_worker.add_job($1, $2::json, run_at := $3, job_key := $4, queue_name := $5)', [job, JSON.stringify(payload), options.runAt ?? null, options.key ?? null, options.queue ?? null]);
  }
}

const MAX_ATTEMPTS = 4;

/** A stable text of an input: keys in order, so that two spellings of one input hash alike. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Date) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(fields).sort()) if (fields[key] !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonical(fields[key])}`;
  return `{${text}}`;
}

/** By way of a string: a buffer that OpenSSL's binding makes costs more than the hash itself. */
export const hashInput = (input: unknown): Buffer => Buffer.from(digest('sha256', canonical(input ?? null), 'binary'), 'binary');

/** begin → claim the key → work → append events → commit → publish. */
export class UnitOfWork {
  readonly #underWay = new Map<string, { inputHash: Buffer; result: Promise<unknown> }>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly after: AfterCommit,
  ) {}

  /**
   * Runs one write. `work` answers what identifies the result (ids, not contents), as JSON: a repeat under the same
   * idempotency key answers it again without running.
   */
  run<Result>(options: WriteOptions, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const { spans } = this.db;
    return spans ? spans.within(`write ${options.operation}`, {}, () => this.#run(options, work)) : this.#run(options, work);
  }

  async #run<Result>(options: WriteOptions, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    if (options.idempotencyKey === undefined) return this.#attempt(options, null, work);
    checkIdempotencyKey(options.idempotencyKey);
    const hash = hashInput(options.input);
    // Concurrent repeats of one key wait here for the first, so that a storm of retries takes one connection.
    const slot = `${options.actorId} ${options.operation} ${options.idempotencyKey}`;
    const first = this.#underWay.get(slot);
    if (first) {
      if (!first.inputHash.equals(hash)) throw keyReused();
      return first.result as Promise<Result>;
    }
    const result = this.#attempt(options, hash, work);
    this.#underWay.set(slot, { inputHash: hash, result });
    try {
      return await result;
    } finally {
      this.#underWay.delete(slot);
    }
  }

  async #attempt<Result>(options: WriteOptions, hash: Buffer | null, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const runner = this.db.source.createQueryRunner();
      try {
        return await this.#once(runner, options, hash, work);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !isConflict(error)) throw error;
      } finally {
        await runner.release();
      }
    }
  }

  async #once<Result>(runner: QueryRunner, options: WriteOptions, hash: Buffer | null, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const client = (await runner.connect()) as PoolClient;
    await runner.startTransaction();
    const tx = new Tx(runner.manager, client, this.clock.now(), this.db.spans);
    let published: Published[];
    let result: Result;
    try {
      if (hash) {
        const repeat = await this.#claim(tx, options, hash);
        if (repeat) {
          await runner.rollbackTransaction();
          return repeat.result as Result;
        }
      }
      result = await work(tx);
      if (hash) {
        await tx.sql('update idempotency_keys set result = $4 where actor_id = $1 and operation = $2 and key = $3', [
          options.actorId,
          options.operation,
          options.idempotencyKey,
          JSON.stringify(result ?? null),
        ]);
      }
      published = [...tx.written, ...(await appendEvents(tx.sql, tx.pending, tx.now))];
      await runner.commitTransaction();
    } catch (error) {
      // Where the connection is lost, PostgreSQL has rolled back by itself, and what is to be told is the loss.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
    for (const [name, keys] of tx.changes) this.after.changed(name, keys);
    for (const effect of tx.afterCommit) effect();
    this.after.publish(published);
    return result;
  }

  async #claim(tx: Tx, { actorId, operation, idempotencyKey }: WriteOptions, hash: Buffer): Promise<{ result: unknown } | null> {
    const claimed = await tx.sql(
      'insert into idempotency_keys (actor_id, operation, key, input_hash, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing returning key',
      [actorId, operation, idempotencyKey, hash, tx.now],
    );
    if (claimed.length) return null;
    const [earlier] = await tx.sql<{ input_hash: Buffer; result: unknown }>(
      'select input_hash, result from idempotency_keys where actor_id = $1 and operation = $2 and key = $3',
      [actorId, operation, idempotencyKey],
    );
    if (!earlier || !earlier.input_hash.equals(hash)) throw keyReused();
    return { result: earlier.result };
  }
}

export const keyReused = (): DomainError =>
  new DomainError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used with another input.', { field: 'idempotencyKey' });
