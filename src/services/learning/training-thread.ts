/** A training, in a thread of its own with connections of its own: what it reads, counts and writes is some gigabyte, of which the loop that serves people should see nothing. Started by trainings.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { DataSource } from 'typeorm';
import { CONNECTION_LIMITS } from '../../db/connection-limits.js';
import { Database } from '../../db/database.js';
import { UnitOfWork } from '../../db/unit-of-work.js';
import { stepBack } from '../../lib/background-thread.js';
import { Trainer } from './trainer.js';
import { ENGINE_CALLS, errorOf, failureOf, type EngineCall, type FromTraining, type ToTraining, type TrainingEngine, type TrainingStart } from './training-protocol.js';

const CONNECTIONS = 2;

stepBack();

const { id, databaseUrl, now } = workerData as TrainingStart;
const port = parentPort!;
const tell = (message: FromTraining): void => port.postMessage(message);

const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
port.on('message', (message: ToTraining) => {
  const asked = waiting.get(message.ask);
  waiting.delete(message.ask);
  if ('failed' in message) asked?.reject(errorOf(message.failed));
  else asked?.resolve(message.result);
});

/** The process's engine, asked across. Large arrays lie in shared memory on both ways. */
let asked = 0;
const ask = (call: EngineCall, input: unknown[]): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const number = ++asked;
    waiting.set(number, { resolve, reject });
    tell({ ask: number, call, input });
  });
const engine = Object.fromEntries(ENGINE_CALLS.map((call) => [call, (...input: unknown[]) => ask(call, input)])) as unknown as TrainingEngine;

const began = performance.now();
const clock = { now: () => new Date(now + performance.now() - began) };

const source = new DataSource({ type: 'postgres', url: databaseUrl, poolSize: CONNECTIONS, extra: CONNECTION_LIMITS });
try {
  await source.initialize();
  const db = new Database(source);
  // Versions and what belongs to them: no event tells of it.
  const unitOfWork = new UnitOfWork(db, clock, { publish: () => undefined, changed: () => undefined });
  tell({ done: await new Trainer(db, unitOfWork, engine, clock).train(id) });
} catch (error) {
  tell({ failed: failureOf(error) });
} finally {
  if (source.isInitialized) await source.destroy();
  port.close();
}
