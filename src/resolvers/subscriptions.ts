import { Arg, ID, Int, Resolver, Subscription } from 'type-graphql';
import { BotReplyEventType } from '../schema/bot.js';
import { DocumentEvent } from '../schema/document.js';
import { ChatEvent, InboxEvent } from '../schema/events.js';
import { NewsEvent } from '../schema/news.js';
import { PresenceEventType } from '../schema/presence.js';
import { ProductEventType } from '../schema/product.js';
import { Bytes, EventCursor } from '../schema/scalars.js';
import { TypingEventType } from '../schema/typing.js';

/**
 * The subscriptions of the schema. They are not served by resolvers: server/realtime opens their sources and executes
 * each event once for everybody who asked for it in the same way.
 */
const served = (): never => {
  throw new Error('Subscriptions are served by server/realtime.');
};

@Resolver()
export class SubscriptionResolver {
  @Subscription(() => ChatEvent, {
    subscribe: served,
    description: 'The events of a chat, lossless: replays after the cursor, then live. Without a cursor: live only.',
  })
  chatEvents(@Arg('chatId', () => ID) _chatId: string, @Arg('after', () => EventCursor, { nullable: true }) _after: string | null): never {
    return served();
  }

  @Subscription(() => InboxEvent, {
    subscribe: served,
    description: 'The events of all of the viewer’s chats and of the viewer’s own stream. Give one cursor for each stream; streams without one are live only and told by InboxCheckpoint.',
  })
  inboxEvents(@Arg('after', () => [EventCursor], { nullable: true }) _after: string[] | null): never {
    return served();
  }

  @Subscription(() => NewsEvent, {
    subscribe: served,
    description: 'What sections publish, lossless for 30 days: give one cursor for each section (its eventCursor, or that of its last event) to replay what came after it; without one it is live only.',
  })
  newsPublished(@Arg('sourceIds', () => [ID], { description: '1 to 50.' }) _sourceIds: string[], @Arg('after', () => [EventCursor], { nullable: true }) _after: string[] | null): never {
    return served();
  }

  @Subscription(() => PresenceEventType, {
    subscribe: served,
    description: 'Presence of up to 100 people, as far as the viewer may see it: first as it is, then each change. Ephemeral: after a lost connection it begins anew.',
  })
  presenceEvents(@Arg('userIds', () => [ID]) _userIds: string[]): never {
    return served();
  }

  @Subscription(() => ProductEventType, {
    subscribe: served,
    description: 'Price and stock of up to 100 products, live: first as they are, then each change, at most five times a second. Ephemeral: after a lost connection it begins anew.',
  })
  productEvents(@Arg('productIds', () => [ID]) _productIds: string[]): never {
    return served();
  }

  @Subscription(() => TypingEventType, { subscribe: served, description: 'Who else writes in a chat. Ephemeral. Ends with ACCESS_REVOKED when the viewer leaves the chat.' })
  typingEvents(@Arg('chatId', () => ID) _chatId: string): never {
    return served();
  }

  @Subscription(() => BotReplyEventType, { subscribe: served, description: 'What bots write in answer to a message, as they write it; what has been answered already is told at once. Ephemeral. Ends with ACCESS_REVOKED when the viewer leaves the chat.' })
  botReply(@Arg('messageId', () => ID) _messageId: string): never {
    return served();
  }

  @Subscription(() => DocumentEvent, {
    subscribe: served,
    description: 'What happens in a document: first what the caller lacks, then every change. Of a whiteboard give the Yjs state vector; of co-browsing the last entry that was seen, as `after`. Ends with ACCESS_REVOKED when the viewer leaves the chat.',
  })
  documentUpdates(
    @Arg('documentId', () => ID) _documentId: string,
    @Arg('stateVector', () => Bytes, { nullable: true, description: 'None: everything.' }) _stateVector: Buffer | null,
    @Arg('after', () => Int, { nullable: true, description: 'None: from the newest full snapshot on.' }) _after: number | null,
    @Arg('clientId', () => String, { nullable: true, description: 'This tab: it is not told of its own pointers, and when the subscription ends they are gone.' }) _clientId: string | null,
  ): never {
    return served();
  }
}
