import { lasting } from '../testkit/lossless.js';
import { isMediaWorker, mediaWorkersOf } from '../testkit/media-processes.js';
import { eventually } from '../testkit/world.js';
import { pause, PATIENCE_MS, random, type Experiment } from './experiment.js';

/** One that dies again and again is replaced later and later. */
export const mediaWorkersKilled: Experiment = {
  name: 'media workers are killed by SIGKILL, again and again',
  async run(stage) {
    for (let time = 0; time < lasting(4, 10); time++) {
      await pause(random(800));
      // Now one, now both at once.
      const victims = stage.servers.filter(() => Math.random() < 0.6).flatMap(({ pid }) => mediaWorkersOf(pid));
      for (const worker of victims) process.kill(worker, 'SIGKILL');
      await eventually(() => !victims.some(isMediaWorker), 'they are dead', PATIENCE_MS);
    }
    for (const [index, { pid }] of stage.servers.entries()) await eventually(() => mediaWorkersOf(pid).length === 1, `server ${index} has a worker again`, PATIENCE_MS);
  },
};

/** Two things at once: what a dead worker carried can't be written down, and must be told all the same. */
export const mediaWorkersKilledUnwritten: Experiment = {
  name: 'media workers are killed by SIGKILL while PostgreSQL is away',
  async run(stage) {
    await stage.postgres.stop('fast');
    for (const { pid } of stage.servers) for (const worker of mediaWorkersOf(pid)) process.kill(worker, 'SIGKILL');
    // Shorter than a lease: nobody takes the nodes for dead, and what was on them for lost.
    await pause(200);
    await stage.postgres.start();
  },
};

/** What one node asks of another's media is lost on its way, and so are the answers. */
export const askedInVain: Experiment = {
  name: 'Redis is killed again and again, with what nodes ask of each other',
  async run(stage) {
    for (let time = 0; time < lasting(5, 20); time++) {
      await pause(random(1_500));
      await stage.redis.kill();
      await pause(random(300));
      await stage.redis.start();
    }
  },
};
