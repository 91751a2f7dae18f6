import type { Figure } from '../server/metrics.js';

/** What a worker's command line ends in, with its number: so `ps` tells them apart, and each tells its lines in the log. */
export const WORKER_ARGUMENT = 'worker-';

/** What a worker tells the primary, over the channel between them. */
export type FromWorker =
  | { kind: 'serving'; url: string; filesPort: number }
  /** It could not start; its end follows. */
  | { kind: 'failed'; reason: string }
  /** Somebody has asked this worker for the figures of all. */
  | { kind: 'figures-wanted'; id: number }
  | { kind: 'figures-read'; id: number; figures: Figure[] };

export type FromPrimary =
  | { kind: 'stop' }
  | { kind: 'read-figures'; id: number }
  | { kind: 'figures'; id: number; text: string };
