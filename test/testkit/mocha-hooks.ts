/** Hooks around the whole run; mocha loads this file before any test. */
export const mochaHooks = {};
