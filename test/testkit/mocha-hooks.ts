import { removeBuilt } from './built-server.js';
import { closeSharedReader } from './shared-reader.js';

/** Hooks around the whole run; mocha loads this file before any test. */
export const mochaHooks = {
  afterAll: [closeSharedReader, removeBuilt],
};
