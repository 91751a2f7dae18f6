import { table } from './table.js';

/**
 * Across a block. `@direct`: in the direct chat of the owner and whoever she has blocked, and of what stands in it from before. Nobody writes there any more, from either side; what is there can still
 * be read, marked and put away, and one's own messages be deleted. Her own cart stays hers to fill. `@blocked`: of the blocked person, as others find them. In the chat and the group that both are in, the
 * blocked person is a member like any other.
 */
export const BLOCKS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
addChatMembers@direct          sign-in     expired     not-found   conflict    not-found   not-found   not-found   not-found   conflict
addReaction@direct             sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
addToCart@direct               sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   ok
applyDocumentUpdate@direct     sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
cart@direct                    sign-in     expired     null        ok          null        null        null        null        ok
chat@direct                    sign-in     expired     null        ok          null        null        null        null        ok
chatEvents@direct              sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
closePoll@direct               sign-in     expired     not-found   forbidden   not-found   not-found   not-found   not-found   ok
createGroupBuy@direct          sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
createInviteLink@direct        sign-in     expired     not-found   conflict    not-found   not-found   not-found   not-found   conflict
createWhiteboard@direct        sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
deleteMessage@direct           sign-in     expired     not-found   forbidden   not-found   not-found   not-found   not-found   ok
document@direct                sign-in     expired     null        ok          null        null        null        null        ok
documentUpdates@direct         sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
editMessage@direct             sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
forwardMessages@direct         sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
groupBuy@direct                sign-in     expired     null        ok          null        null        null        null        ok
joinGroupBuy@direct            sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   ok
leaveChat@direct               sign-in     expired     not-found   conflict    not-found   not-found   not-found   not-found   conflict
leaveGroupBuy@direct           sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
markDelivered@direct           sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
markRead@direct                sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
node@direct                    sign-in     expired     null        ok          null        null        null        null        ok
pinMessage@direct              sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
removeReaction@direct          sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
reportContent@direct           sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
requestControl@direct          sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
scheduleMessage@direct         sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
sendMessage@direct             sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
setCartLine@direct             sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   ok
setTyping@direct               sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
shareArticle@direct            sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
shareCart@direct               sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
shareProduct@direct            sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
starMessage@direct             sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
startCall@direct               sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
startCoBrowsing@direct         sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
typingEvents@direct            sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
unpinMessage@direct            sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
unstarMessage@direct           sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
updateAwareness@direct         sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
updateChat@direct              sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
updateChatSettings@direct      sign-in     expired     not-found   ok          not-found   not-found   not-found   not-found   ok
votePoll@direct                sign-in     expired     not-found   blocked     not-found   not-found   not-found   not-found   blocked
addContact@blocked             sign-in     expired     ok          invalid     ok          ok          ok          ok          blocked
createChat@blocked             sign-in     expired     ok          invalid     ok          ok          ok          ok          blocked
searchUsers@blocked            sign-in     expired     ok          -           ok          ok          ok          ok          -
user@blocked                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
`);
