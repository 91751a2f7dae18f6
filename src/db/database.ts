import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { Spans } from '../lib/spans.js';
import { NodeCache } from './node-cache.js';
import { ReadLanes } from './read-lanes.js';
import type { ReadReplicas } from './replicas.js';
import { useFastTimestamps } from './timestamps.js';

useFastTimestamps();

export type Sql = <Row extends object = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<Row[]>;

const names = new Map<string, string>();

/**
 * Runs a text as a named prepared statement. Texts are constants of the source (never built from input), so the
 * number of names is bounded by the code.
 */
export async function runPrepared<Row extends object>(client: Pool | PoolClient, text: string, values: unknown[]): Promise<Row[]> {
  const result = await client.query<Row>({ name: nameOf(text), text, values });
  return result.rows;
}

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = createHash('sha1').update(text).digest('base64url')));
  return name;
}

/** A statement, as a stretch of what is under way where traces are made: its text, which is a constant of the source, without its values. */
export const runTraced = <Row extends object>(spans: Spans | null, client: Pool | PoolClient, text: string, values: unknown[]): Promise<Row[]> =>
  traced(spans, text, () => runPrepared<Row>(client, text, values));

function traced<Row extends object>(spans: Spans | null, text: string, run: () => Promise<Row[]>): Promise<Row[]> {
  if (spans === null) return run();
  return spans.within('sql', { 'db.system.name': 'postgresql', 'db.query.text': text.replaceAll(/\s+/g, ' ').trim().slice(0, 300) }, run);
}

/** Reads outside a transaction, and the pool under TypeORM. Writes go through the UnitOfWork. */
export class Database {
  readonly #pool: Pool;
  readonly #lanes: ReadLanes;
  /** Rows that this process keeps across requests. */
  readonly cache = new NodeCache();
  /** Statements so far, for tests that count them and for metrics. */
  statements = 0;
  /** Null: nobody looks at traces. */
  spans: Spans | null = null;
  /** Null: the primary answers everything. */
  replicas: ReadReplicas | null = null;

  constructor(readonly source: DataSource) {
    this.#pool = (source.driver as PostgresDriver).master as Pool;
    this.#lanes = new ReadLanes(this.#pool.options);
  }

  sql: Sql = <Row extends object>(text: string, values: unknown[] = []) => {
    this.statements++;
    return traced(this.spans, text, () => this.#lanes.run<Row>(nameOf(text), text, values, () => runPrepared<Row>(this.#pool, text, values)));
  };

  /** Reads that no request waits for (sweeps): not counted, so that a count tells what a request costs. */
  background: Sql = <Row extends object>(text: string, values: unknown[] = []) => runPrepared<Row>(this.#pool, text, values);

  /** Ends the connections that are not of TypeORM's pool. */
  end(): Promise<void> {
    return this.#lanes.end();
  }

  /** Connections in use, idle, and callers waiting for one. */
  poolState(): { total: number; idle: number; waiting: number } {
    return { total: this.#pool.totalCount + this.#lanes.connected, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }
}
