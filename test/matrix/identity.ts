import { table } from './table.js';

/** Who somebody is here, their apps, and what those who run the place do. */
export const IDENTITY = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
analytics                      sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
app                            sign-in     expired     null        null        null        null        null        null        ok
appealModeration               sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   not-found
askingApp                      sign-in     expired     ok          ok          ok          ok          ok          ok          ok
auditLog                       sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
authorizeApp                   sign-in     expired     ok          ok          ok          ok          ok          ok          ok
changePassword                 sign-in     expired     invalid-credentials invalid-credentials invalid-credentials invalid-credentials invalid-credentials invalid-credentials ok
createApiKey                   sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
createApp                      sign-in     expired     ok          ok          ok          ok          ok          ok          ok
createNewsSource               sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
dataExport                     sign-in     expired     null        null        null        null        null        null        ok
decideModerationCase           sign-in     expired     not-found   not-found   not-found   not-found   ok          ok          ok
deleteAccount                  sign-in     expired     invalid     invalid     invalid     invalid     invalid     invalid     conflict
deleteApp                      sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
eraseUser                      sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
issueUserToken                 sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
learnedModels                  sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
node                           sign-in     expired     null        ok          null        ok          ok          null        ok
paymentFindings                sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
refreshSession                 sign-in     expired     sign-in     sign-in     sign-in     sign-in     sign-in     sign-in     sign-in
registerDevice                 sign-in     expired     invalid     invalid     invalid     invalid     invalid     invalid     ok
registerAppOperations          sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
reinstateUser                  sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   ok          forbidden
removeAppOperations            sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
requestDataExport              sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
requestEmailVerification       sign-in     expired     ok          ok          ok          ok          ok          ok          ok
requestPasswordReset           ok          expired     ok          ok          ok          ok          ok          ok          ok
requestPhoneCode               ok          expired     ok          ok          ok          ok          ok          ok          ok
resetPassword                  code-invalid expired     code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid
retrainModels                  sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
revokeApiKey                   sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
revokeAppAccess                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
rollBackModel                  sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
rotateApiKey                   sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
rotateAppSecret                sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
setAppPlan                     sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
setUserRoles                   sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
settlePayout                   sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
signIn                         invalid-credentials expired     invalid-credentials invalid-credentials invalid-credentials invalid-credentials invalid-credentials invalid-credentials invalid-credentials
signInWithIdentity             sign-in     expired     sign-in     sign-in     sign-in     sign-in     sign-in     sign-in     sign-in
signOut                        sign-in     expired     ok          ok          ok          ok          ok          ok          ok
signUp                         ok          expired     ok          ok          ok          ok          ok          ok          ok
suspendUser                    sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   ok          forbidden
updateApp                      sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
updateModerationRules          sign-in     expired     not-found   forbidden   not-found   forbidden   ok          ok          ok
updateNewsSource               sign-in     expired     forbidden   forbidden   forbidden   forbidden   forbidden   forbidden   forbidden
uploadKeyPackages              sign-in     expired     invalid     invalid     invalid     invalid     invalid     invalid     ok
verifyEmail                    code-invalid expired     code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid
verifyPhoneCode                code-invalid expired     code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid code-invalid
`);
