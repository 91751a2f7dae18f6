import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { lasting } from '../testkit/lossless.js';
import { isMediaWorker, mediaWorkersOf } from '../testkit/media-processes.js';
import { eventually } from '../testkit/world.js';
import type { Experiment } from './experiment.js';

/** A worker that dies again and again is replaced later and later: after so many seconds at the most, here. */
const REPLACED_WITHIN_MS = 60_000;

/** What carries calls is broken. */
export const mediaWorkersKilled: Experiment = {
  name: 'media workers are killed by SIGKILL, again and again',
  async run(stage) {
    for (let time = 0; time < lasting(4, 10); time++) {
      await pause(Math.random() * 800);
      // Now one, now both at once.
      const victims = stage.servers.filter(() => Math.random() < 0.6).flatMap(({ pid }) => mediaWorkersOf(pid));
      for (const worker of victims) process.kill(worker, 'SIGKILL');
      await eventually(() => !victims.some(isMediaWorker), 'they are dead', REPLACED_WITHIN_MS);
    }
    for (const [index, { pid }] of stage.servers.entries()) await eventually(() => mediaWorkersOf(pid).length === 1, `server ${index} has a worker again`, REPLACED_WITHIN_MS);
    for (const { said } of stage.servers) assert.doesNotMatch(said, /a media worker did not start/);
  },
};
