import { table } from './table.js';

/** Bots, and what models make of chats. */
export const BOTS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
addBotKnowledge                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
addBotToChat                   sign-in     expired     not-found   forbidden   not-found   forbidden   not-found   not-found   ok
answerCallback                 sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
answerExercise                 sign-in     expired     forbidden   conflict    forbidden   conflict    conflict    forbidden   ok
bot                            sign-in     expired     ok          ok          ok          ok          ok          ok          ok
botListings                    sign-in     expired     -           -           -           -           -           -           -
botRatings                     sign-in     expired     -           -           -           -           -           -           -
botReply                       sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
botVersions                    sign-in     expired     not-found   not-found   not-found   not-found   not-found   ok          ok
cancelSupportCase              sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   forbidden
chatSentiment                  sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
createBot                      sign-in     expired     ok          ok          ok          ok          ok          ok          ok
deleteBot                      sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
eraseBotMemory                 sign-in     expired     ok          ok          ok          ok          ok          ok          ok
installBot                     sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
messageSentiment               sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
pressButton                    sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
eraseTutorProgress             sign-in     expired     ok          ok          ok          ok          ok          ok          ok
nextExercise                   sign-in     expired     forbidden   ok          forbidden   ok          ok          forbidden   ok
publishBot                     sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
rateBot                        sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
removeBotKnowledge             sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
requestPerson                  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
resolveSupportCase             sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   conflict
reviewBotVersion               sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   ok          forbidden
rotateBotToken                 sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
setBotHandOver                 sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
removeBotSchedule              sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
sendBotCard                    sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
setBotCommands                 sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
setBotSchedule                 sign-in     expired     not-found   forbidden   not-found   forbidden   not-found   not-found   ok
submitForm                     sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
setBotTutor                    sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
suggestReplies                 sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
summarizeChat                  sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
takeSupportCase                sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
translateMessage               sign-in     expired     not-found   unavailable not-found   unavailable unavailable not-found   unavailable
uninstallBot                   sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
unlistBot                      sign-in     expired     not-found   not-found   not-found   not-found   not-found   ok          ok
updateBot                      sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
updateBotCard                  sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
`);
