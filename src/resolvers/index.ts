import { AccountResolver } from './account.js';
import { ChatResolver, ChatMemberResolver, ChatViewerStateResolver } from './chat.js';
import { EVENT_RESOLVERS } from './events.js';
import { MessageResolver, MessageReferenceResolver } from './message.js';
import { NodeResolver } from './node.js';
import { SubscriptionResolver } from './subscriptions.js';
import { UserResolver, ViewerResolver } from './user.js';

/** Every resolver class. container.ts makes one instance of each. */
export const RESOLVERS = [
  AccountResolver,
  NodeResolver,
  UserResolver,
  ViewerResolver,
  ChatResolver,
  ChatMemberResolver,
  ChatViewerStateResolver,
  MessageResolver,
  MessageReferenceResolver,
  SubscriptionResolver,
  ...EVENT_RESOLVERS,
];
