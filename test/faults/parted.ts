import { lasting } from '../testkit/lossless.js';
import type { Stage } from '../testkit/stage.js';
import { pause, random, type Experiment } from './experiment.js';

/** One server's way to what is behind a relay carries nothing, while the other's does, and its people reach both. */
async function parted(stage: Stage, way: 'toPostgres' | 'toRedis', ms: number): Promise<void> {
  const relay = stage[way][random(2)]!;
  relay.parted = true;
  try {
    await pause(ms);
  } finally {
    relay.parted = false;
  }
}

/** Past what a lease lasts, and the 40 s after which a statement's connection is given up. */
export const partedFromPostgres: Experiment = {
  name: 'one server is parted from PostgreSQL, and from nothing else',
  run: (stage) => parted(stage, 'toPostgres', lasting(3_000, 1_000 + random(50_000))),
};

export const partedFromRedis: Experiment = {
  name: 'one server is parted from Redis, and from nothing else',
  run: (stage) => parted(stage, 'toRedis', lasting(3_000, 1_000 + random(40_000))),
};
