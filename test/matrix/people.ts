import { table } from './table.js';

/** People, their profiles and contacts, and what is suggested of them. */
export const PEOPLE = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
addContact                     sign-in     expired     ok          ok          ok          ok          ok          ok          invalid
blockUser                      sign-in     expired     ok          ok          ok          ok          ok          ok          ok
dismissSuggestion              sign-in     expired     ok          ok          ok          ok          ok          ok          ok
presenceEvents                 sign-in     expired     ok          ok          ok          ok          ok          ok          ok
recordInteractions             sign-in     expired     ok          ok          ok          ok          ok          ok          ok
removeContact                  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
searchUsers                    sign-in     expired     ok          -           ok          ok          ok          ok          -
setPresence                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
syncContacts                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
unblockUser                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
updatePersonalization          sign-in     expired     ok          ok          ok          ok          ok          ok          ok
updateProfile                  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
user                           sign-in     expired     ok          ok          ok          ok          ok          ok          ok
userByHandle                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
viewer                         null        expired     ok          ok          ok          ok          ok          ok          ok
`);
