import assert from 'node:assert/strict';
import { levelOf } from './learner-level.js';

describe('levels of learners', () => {
  it('go by the rating', () => assert.deepEqual([0, 999, 1_000, 1_199, 1_200, 1_399, 1_400, 3_000].map(levelOf), ['BEGINNER', 'BEGINNER', 'INTERMEDIATE', 'INTERMEDIATE', 'ADVANCED', 'ADVANCED', 'EXPERT', 'EXPERT']));
});
