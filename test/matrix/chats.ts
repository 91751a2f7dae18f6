import { table } from './table.js';

/** Chats, groups, messages. */
export const CHATS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
addChatMembers                 sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
addGroupMembers                sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
addReaction                    sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
banFromChat                    sign-in     expired     not-found   not-found   not-found   forbidden   ok          ok          ok
cancelScheduledMessage         sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
chat                           sign-in     expired     null        null        null        ok          ok          null        ok
chatEvents                     sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
closePoll                      sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
createChat                     sign-in     expired     ok          blocked     ok          ok          ok          ok          invalid
createGroup                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
createInviteLink               sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
decideGroupRequest             sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
deleteMessage                  sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
editMessage                    sign-in     expired     not-found   not-found   not-found   forbidden   forbidden   not-found   ok
forwardMessages                sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
group                          sign-in     expired     null        null        null        ok          ok          null        ok
groupBuy                       sign-in     expired     null        null        null        ok          ok          null        ok
inboxEvents                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
joinChat                       sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
joinGroup                      sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
joinSuggestedGroup             sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
leaveChat                      sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
leaveGroup                     sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
liftChatBan                    sign-in     expired     not-found   not-found   not-found   forbidden   ok          ok          ok
markDelivered                  sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
markRead                       sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
pinMessage                     sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
removeChatMember               sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
removeGroupMember              sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
removeLinkPreview              sign-in     expired     not-found   not-found   not-found   forbidden   forbidden   not-found   ok
removeReaction                 sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
reportContent                  sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
revokeInviteLink               sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
scheduleMessage                sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
searchGroups                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
searchMessages                 sign-in     expired     ok          ok          ok          ok          ok          ok          ok
sendMessage                    sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
setTyping                      sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
silenceChatMember              sign-in     expired     not-found   not-found   not-found   forbidden   ok          ok          ok
starMessage                    sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
typingEvents                   sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
unbanGroupMember               sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
unpinMessage                   sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
unstarMessage                  sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
updateChat                     sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
updateChatMemberRole           sign-in     expired     not-found   not-found   not-found   forbidden   forbidden   not-found   ok
updateChatSettings             sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
updateGroup                    sign-in     expired     not-found   not-found   not-found   forbidden   ok          not-found   ok
updateGroupMemberRole          sign-in     expired     not-found   not-found   not-found   forbidden   forbidden   not-found   ok
votePoll                       sign-in     expired     not-found   not-found   not-found   ok          ok          not-found   ok
`);
