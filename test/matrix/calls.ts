import { table } from './table.js';

/** Calls, and what runs in them. Who is in the chat and not in the call is told so. */
export const CALLS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
admitParticipant               sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
allowParticipant               sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
call                           sign-in     expired     null        ok          null        ok          ok          null        ok
callEvents                     sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
closeConsumer                  sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
closeDataConsumer              sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
closeDataProducer              sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
closeProducer                  sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
closeTransport                 sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
connectTransport               sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   conflict
consentToRecording             sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   conflict
consume                        sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   invalid
consumeData                    sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   not-found
createCallToken                sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
createTransport                sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
createTurnCredentials          sign-in     expired     ok          ok          ok          ok          ok          ok          ok
declineCall                    sign-in     expired     not-found   conflict    not-found   conflict    conflict    not-found   conflict
endCall                        sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
joinCall                       sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
leaveCall                      sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
muteParticipant                sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
produce                        sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
produceData                    sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
removeParticipant              sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
requestKeyFrame                sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
restartIce                     sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
revokeCallToken                sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
ringCall                       sign-in     expired     not-found   forbidden   not-found   forbidden   conflict    not-found   conflict
setConsumerPaused              sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
setPreferredLayers             sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   conflict
setProducerPaused              sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
startCall                      sign-in     expired     not-found   conflict    not-found   conflict    conflict    not-found   conflict
startRecording                 sign-in     expired     not-found   forbidden   not-found   forbidden   forbidden   not-found   ok
stopRecording                  sign-in     expired     not-found   forbidden   not-found   forbidden   conflict    not-found   conflict
transferCallHost               sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
updateCall                     sign-in     expired     not-found   forbidden   not-found   forbidden   ok          not-found   ok
`);
