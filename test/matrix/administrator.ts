/** What an administrator of the place is answered, in neither the chat nor the group, where everybody else who is signed in is told FORBIDDEN. */
export const ADMINISTRATOR: Readonly<Record<string, string>> = {
  analytics: 'ok',
  auditLog: 'ok',
  createNewsSource: 'ok',
  eraseUser: 'ok',
  // For an app of a partner's alone, whose column is among the outsiders.
  issueUserToken: 'forbidden',
  // Nothing was learned on the stage, nor found in the books.
  learnedModels: '-',
  paymentFindings: '-',
  requestDataExport: 'ok',
  retrainModels: 'ok',
  rollBackModel: 'not-found',
  // For bots alone.
  sendBotCard: 'forbidden',
  setAppPlan: 'ok',
  setUserRoles: 'ok',
  settlePayout: 'ok',
  updateBotCard: 'forbidden',
  updateNewsSource: 'ok',
};
