import type { MlEngine } from '../../ml/engine.js';
import { MlRefusal } from '../../ml/errors.js';
import type { TrainedModel } from './trainer.js';

/** What a training asks of the engine, whose threads belong to the process, not to the training. */
export const ENGINE_CALLS = ['begin', 'cluster', 'clusterBest', 'factorise', 'neighbours', 'evaluate'] as const;
export type EngineCall = (typeof ENGINE_CALLS)[number];
export type TrainingEngine = Pick<MlEngine, EngineCall>;

/** With what the thread of a training starts. */
export interface TrainingStart {
  id: string;
  databaseUrl: string;
  /** The clock's reading, milliseconds since 1970: a process may live by a clock of its own. */
  now: number;
}

export interface Failure {
  message: string;
  stack: string | undefined;
  /** Set where the engine refused. */
  refusal: MlRefusal['reason'] | null;
}

/** From the thread: it asks the engine, or is done. */
export type FromTraining = { ask: number; call: EngineCall; input: unknown[] } | { done: TrainedModel | null } | { failed: Failure };
/** To the thread: what the engine answers. */
export type ToTraining = { ask: number; result: unknown } | { ask: number; failed: Failure };

/** Errors keep their class on one side alone. */
export const failureOf = (error: unknown): Failure => ({ message: (error as Error).message, stack: (error as Error).stack, refusal: error instanceof MlRefusal ? error.reason : null });

export function errorOf({ message, stack, refusal }: Failure): Error {
  if (refusal) return new MlRefusal(refusal, message);
  return Object.assign(new Error(message), { stack });
}
