/**
 * Who has no column in the tables, because they are refused nearly everything: `suspended`, whose session was good a moment ago; `guest`, who sits in the call by a join token; `app`, by a key
 * of the owner's that was given one scope, which opens one field. What is not named here is answered as `otherwise` says: a new field, too.
 */
export const OUTSIDERS = ['suspended', 'guest', 'app'] as const;
export type Outsider = (typeof OUTSIDERS)[number];

interface Outside {
  otherwise: string;
  /** Fields of Query, Mutation and Subscription, and `Type.field` of what they see of an object. */
  but: Readonly<Record<string, string>>;
}

/** `name answer`, a line each. */
const told = (text: string): Readonly<Record<string, string>> => Object.fromEntries(text.trim().split('\n').map((line) => line.trim().split(/\s+/) as [string, string]));

export const OUTSIDE: Readonly<Record<Outsider, Outside>> = {
  suspended: { otherwise: 'session-ended', but: {} },
  app: { otherwise: 'forbidden', but: { issueUserToken: 'ok' } },
  guest: {
    otherwise: 'sign-in',
    // Whatever is for those who have not signed in; the call, and their own seat in it. What in it is somebody else’s is not there for them.
    but: told(`
      pushConfig             ok
      requestPasswordReset   ok
      requestPhoneCode       ok
      resetPassword          code-invalid
      signIn                 invalid-credentials
      signUp                 ok
      verifyEmail            code-invalid
      verifyPhoneCode        code-invalid
      viewer                 null
      Viewer                 null
      call                   ok
      callEvents             ok
      consentToRecording     conflict
      createTransport        ok
      joinCall               ok
      leaveCall              ok
      declineCall            conflict
      createTurnCredentials  forbidden
      closeConsumer          not-found
      closeDataConsumer      not-found
      closeDataProducer      not-found
      closeProducer          not-found
      closeTransport         not-found
      connectTransport       not-found
      consume                not-found
      consumeData            not-found
      produce                not-found
      produceData            not-found
      requestKeyFrame        not-found
      restartIce             not-found
      setConsumerPaused      not-found
      setPreferredLayers     not-found
      setProducerPaused      not-found
      admitParticipant       forbidden
      allowParticipant       forbidden
      endCall                forbidden
      muteParticipant        forbidden
      removeParticipant      forbidden
      revokeCallToken        forbidden
      ringCall               forbidden
      showcaseProduct        forbidden
      startRecording         forbidden
      stopRecording          forbidden
      transferCallHost       forbidden
      updateCall             forbidden
      Call.answeredAt        ok
      Call.chatId            ok
      Call.eventCursor       ok
      Call.host              ok
      Call.id                ok
      Call.kind              ok
      Call.lobby             ok
      Call.locked            ok
      Call.participants      ok
      Call.recordingState    ok
      Call.screenShare       ok
      Call.startedAt         ok
      Call.state             ok
      Call.viewerState       ok
      Call.chat              null
      Call.startedBy         null
      Call.endReason         null
      Call.endedAt           null
      Call.recordings        -
      Call.showcase          -
    `),
  },
};
