import { setSourceMapsSupport } from 'node:module';
import { removeBuilt } from './built-server.js';
import { closeSharedReader } from './shared-reader.js';

// What fails names the lines of sources. Servers of their own do without: to read the maps takes a tenth of their start.
setSourceMapsSupport(true);

/** Hooks around the whole run; mocha loads this file before any test. */
export const mochaHooks = {
  afterAll: [closeSharedReader, removeBuilt],
};
