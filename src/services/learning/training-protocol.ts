import type { EngineState } from '../../ml/engine.js';
import { MlRefusal } from '../../ml/errors.js';
import type { TrainedModel } from './trainer.js';

/** With what the thread of a training starts. */
export interface TrainingStart {
  id: string;
  databaseUrl: string;
  /** The clock's reading, milliseconds since 1970: a process may live by a clock of its own. */
  now: number;
  /** Of its engine. */
  threads: number;
}

export interface Failure {
  message: string;
  stack: string | undefined;
  /** Set where the engine refused. */
  refusal: MlRefusal['reason'] | null;
}

/** From the thread: what its engine runs on, and how it ended. */
export type FromTraining = { engine: EngineState } | { done: TrainedModel | null } | { failed: Failure };

/** Errors keep their class on one side alone. */
export const failureOf = (error: unknown): Failure => ({ message: (error as Error).message, stack: (error as Error).stack, refusal: error instanceof MlRefusal ? error.reason : null });

export function errorOf({ message, stack, refusal }: Failure): Error {
  if (refusal) return new MlRefusal(refusal, message);
  return Object.assign(new Error(message), { stack });
}
