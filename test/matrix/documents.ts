import { table } from './table.js';

/** Whiteboards and co-browsing, in the chat. */
export const DOCUMENTS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
applyDocumentUpdate            sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
createWhiteboard               sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
deleteWhiteboard               sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
denyControl                    sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
document                       sign-in     expired     null        ok          null        ok          ok          null        ok
documentUpdates                sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
endCoBrowsing                  sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
grantControl                   sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   conflict
releaseControl                 sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
requestControl                 sign-in     expired     not-found   ok          not-found   ok          ok          not-found   forbidden
sendControl                    sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   forbidden
startCoBrowsing                sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
updateAwareness                sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
updateWhiteboard               sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
`);
