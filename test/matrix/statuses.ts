import { table } from './table.js';

/** Statuses: for mutual contacts; here the member and the admin. */
export const STATUSES = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
createHighlight                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
deleteHighlight                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
deleteStatus                   sign-in     expired     not-found   not-found   not-found   forbidden   forbidden   not-found   ok
muteStatuses                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
postStatus                     sign-in     expired     ok          ok          ok          ok          ok          ok          ok
reactToStatus                  sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   forbidden
replyToStatus                  sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   forbidden
status                         sign-in     expired     null        null        null        ok          ok          null        ok
unmuteStatuses                 sign-in     expired     ok          ok          ok          ok          ok          ok          ok
updateHighlight                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
viewStatus                     sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
`);
