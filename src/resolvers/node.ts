import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { decodeAnyId, type IdType } from '../lib/ids.js';
import { NodeType } from '../schema/node.js';
import type { CallService } from '../services/calls/calls.js';
import type { CartService } from '../services/commerce/carts.js';
import type { OrderService } from '../services/commerce/orders.js';
import type { ProductService } from '../services/commerce/products.js';
import type { ShopService } from '../services/commerce/shops.js';
import type { ChatService } from '../services/chats.js';
import type { DocumentService } from '../services/documents/documents.js';
import type { GroupService } from '../services/groups.js';
import type { MessageService } from '../services/messages.js';
import type { NotificationService } from '../services/notifications/notifications.js';
import type { ScheduledMessageService } from '../services/scheduled-messages.js';
import type { StatusFeed } from '../services/statuses/status-feed.js';
import { articleById, sourceById } from '../services/loaders/news.js';
import { userById } from '../services/loaders/users.js';
import type { Context } from './context.js';

type Finder = (context: Context, key: { uuid: string; seq?: number }) => Promise<object | null>;

/** Whom to ask for an object of each type. */
export interface NodeServices {
  chats: ChatService;
  messages: MessageService;
  groups: GroupService;
  scheduled: ScheduledMessageService;
  documents: DocumentService;
  calls: CallService;
  statuses: StatusFeed;
  /** What is sold. */
  commerce: { shops: ShopService; products: ProductService; carts: CartService; orders: OrderService };
  notifications: NotificationService;
}

@Resolver()
export class NodeResolver {
  readonly #finders: Partial<Record<IdType, Finder>>;

  constructor({ chats, messages, groups, scheduled, documents, calls, statuses, commerce, notifications }: NodeServices) {
    this.#finders = {
      User: (context, { uuid }) => context.load(userById, uuid),
      Chat: (context, { uuid }) => chats.find(context, uuid),
      Group: (context, { uuid }) => groups.find(context, uuid),
      Message: (context, { uuid, seq }) => messages.find(context, { chatId: uuid, seq: seq! }),
      Document: (context, { uuid }) => documents.find(context, uuid),
      NewsSource: (context, { uuid }) => context.load(sourceById, uuid),
      NewsArticle: (context, { uuid }) => context.load(articleById, uuid),
      Call: (context, { uuid }) => calls.find(context.requireCaller(), uuid),
      Status: (context, { uuid }) => statuses.find(context, uuid),
      StatusHighlight: (context, { uuid }) => statuses.findHighlight(context, uuid),
      Shop: (context, { uuid }) => commerce.shops.find(context, uuid),
      Product: (context, { uuid }) => commerce.products.find(context, uuid),
      ProductVariant: (context, { uuid }) => commerce.products.findVariant(context, uuid),
      Cart: (context, { uuid }) => commerce.carts.find(context, uuid),
      Order: (context, { uuid }) => commerce.orders.find(context, uuid),
      Notification: (context, { uuid }) => notifications.find(context, uuid),
      ScheduledMessage: (context, { uuid }) => scheduled.find(context, uuid),
    };
  }

  @Query(() => NodeType, { nullable: true, description: 'Any Node that the viewer may see, or null.' })
  async node(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<object | null> {
    context.requireViewer();
    const key = decodeAnyId(id);
    const found = await this.#finders[key.type]?.(context, key);
    return found ? { ...found, __typename: key.type } : null;
  }
}
