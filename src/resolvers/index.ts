import { AccountResolver, ViewerAccountResolver } from './account.js';
import { ChatResolver, ChatMemberResolver, ChatViewerStateResolver } from './chat.js';
import { EVENT_RESOLVERS } from './events.js';
import { MessageResolver, MessageReferenceResolver } from './message.js';
import { NodeResolver } from './node.js';
import { SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver } from './session.js';
import { ScheduledMessageChangedResolver, ScheduledMessageResolver, ViewerScheduledResolver } from './scheduled.js';
import { SubscriptionResolver } from './subscriptions.js';
import { UserResolver, ViewerResolver } from './user.js';

const ACCOUNT_RESOLVERS = [AccountResolver, ViewerAccountResolver, SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver];

/** Every resolver class. container.ts makes one instance of each. */
export const RESOLVERS = [
  ...ACCOUNT_RESOLVERS,
  NodeResolver,
  UserResolver,
  ViewerResolver,
  ChatResolver,
  ChatMemberResolver,
  ChatViewerStateResolver,
  MessageResolver,
  MessageReferenceResolver,
  ScheduledMessageResolver,
  ViewerScheduledResolver,
  ScheduledMessageChangedResolver,
  SubscriptionResolver,
  ...EVENT_RESOLVERS,
];
