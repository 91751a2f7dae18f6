import assert from 'node:assert/strict';
import { lasting } from '../testkit/lossless.js';
import { pause, random, type Experiment } from './experiment.js';

/** Where in what goes through a connection it is torn: a handshake of PostgreSQL's has hundreds of bytes, a page of messages thousands. */
const WITHIN_BYTES = 20_000;
const EVERY_MS = 150;

export const torn: Experiment = {
  name: 'connections to PostgreSQL and Redis are torn in the midst of what they carry',
  async run(stage) {
    const torn = () => stage.toPostgres.reduce((sum, relay) => sum + relay.torn, 0);
    const before = torn();
    for (const end = Date.now() + lasting(3_000, 30_000); Date.now() < end; ) {
      (random(4) ? stage.toPostgres : stage.toRedis)[random(2)]!.tearAfter(random(random(WITHIN_BYTES)));
      await pause(random(EVERY_MS));
    }
    for (const relay of [...stage.toPostgres, ...stage.toRedis]) relay.tearAfter(Infinity);
    assert.ok(torn() > before, 'nothing was torn');
  },
};
