import { table } from './table.js';

/** Files: this one is in nothing that others see. */
export const FILES = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
completeUpload                 sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
createUpload                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
file                           sign-in     expired     null        null        null        null        null        null        ok
upload                         sign-in     expired     null        null        null        null        null        null        null
`);
