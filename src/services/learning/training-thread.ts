/**
 * A training, in a thread of its own with connections and an engine of its own: what it reads, counts and writes is some gigabyte, of which the loop that serves people should see nothing, not even arrays in shared
 * memory: whoever holds one counts it as its own, and collects its garbage the sooner. Started by trainings.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DataSource } from 'typeorm';
import { CONNECTION_LIMITS } from '../../db/connection-limits.js';
import { Database } from '../../db/database.js';
import { UnitOfWork } from '../../db/unit-of-work.js';
import { stepBack } from '../../lib/background-thread.js';
import { MlEngine } from '../../ml/engine.js';
import { Trainer } from './trainer.js';
import { failureOf, type FromTraining, type TrainingStart } from './training-protocol.js';

const CONNECTIONS = 2;

stepBack();

const { id, databaseUrl, now, threads } = workerData as TrainingStart;
const port = parentPort!;
const tell = (message: FromTraining): void => port.postMessage(message);

const began = performance.now();
const clock = { now: () => new Date(now + performance.now() - began) };

const engine = new MlEngine({ threads });
const source = new DataSource({ type: 'postgres', url: databaseUrl, poolSize: CONNECTIONS, extra: CONNECTION_LIMITS });
try {
  await engine.begin().finally(() => tell({ engine: engine.state }));
  await source.initialize();
  const db = new Database(source);
  // Versions and what belongs to them: no event tells of it.
  const unitOfWork = new UnitOfWork(db, clock, { publish: () => undefined, changed: () => undefined });
  tell({ done: await new Trainer(db, unitOfWork, engine, clock).train(id) });
} catch (error) {
  tell({ failed: failureOf(error) });
} finally {
  await engine.close();
  if (source.isInitialized) await source.destroy();
  port.close();
}
