import { isObjectType } from 'graphql';
import { schema, type Findable } from './ask.js';
import { table } from './table.js';
import type { Stage } from './stage.js';

/** How one comes to an object of a type, on the stage. */
export const FOUND_BY = (things: Stage['things']): Record<string, readonly string[]> => ({
  App: [`app(id: "${things['appId']}")`],
  Bot: [`bot(id: "${things['botId']}")`],
  Call: [`call(id: "${things['callId']}")`],
  Cart: [`cart(id: "${things['cartId']}")`],
  Chat: [`chat(id: "${things['chatId']}")`],
  DataExport: [`dataExport(id: "${things['exportId']}")`],
  Document: [`document(id: "${things['documentId']}")`],
  File: [`file(id: "${things['fileId']}")`],
  Group: [`group(id: "${things['groupId']}")`],
  GroupBuy: [`groupBuy(id: "${things['groupBuyId']}")`],
  Message: [`node(id: "${things['messageId']}")`],
  MlsGroup: [`chat(id: "${things['encryptedChatId']}")`, 'mls'],
  NewsArticle: [`newsArticle(id: "${things['articleId']}")`],
  NewsSource: [`node(id: "${things['sourceId']}")`],
  Notification: [`node(id: "${things['notificationId']}")`],
  Order: [`order(id: "${things['orderId']}")`],
  Product: [`product(id: "${things['productId']}")`],
  ProductVariant: [`node(id: "${things['variantId']}")`],
  ScheduledMessage: [`node(id: "${things['scheduledMessageId']}")`],
  Shop: [`shop(id: "${things['shopId']}")`],
  Status: [`status(id: "${things['statusId']}")`],
  StatusHighlight: [`node(id: "${things['highlightId']}")`],
  ChatViewerState: [`chat(id: "${things['chatId']}")`, 'viewerState'],
  GroupViewerState: [`group(id: "${things['groupId']}")`, 'viewerState'],
  ShopViewerState: [`shop(id: "${things['shopId']}")`, 'viewerState'],
  StatusViewerState: [`status(id: "${things['statusId']}")`, 'viewerState'],
  UserViewerState: [`user(id: "${things['ownerId']}")`, 'viewerState'],
  User: [`user(id: "${things['ownerId']}")`],
  Viewer: ['viewer'],
  Webhook: [`webhook(id: "${things['webhookId']}")`],
});

export const findables = (things: Stage['things']): Findable[] =>
  Object.entries(FOUND_BY(things)).map(([name, path]) => {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`There is no type ${name}.`);
    return { type, path };
  });

/** Who is answered an object, and those of its fields that not everybody sees who sees the object. Viewer is everybody's own. */
export const OBJECTS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
App                            sign-in     expired     null        null        null        null        null        null        ok
Bot                            sign-in     expired     ok          ok          ok          ok          ok          ok          ok
Bot.handOver                   sign-in     expired     null        null        null        null        null        null        ok
Bot.knowledge                  sign-in     expired     -           -           -           -           -           -           ok
Bot.schedules                  sign-in     expired     -           -           -           -           -           -           ok
Bot.settings                   sign-in     expired     null        null        null        null        null        null        ok
Bot.spending                   sign-in     expired     null        null        null        null        null        null        -
Call                           sign-in     expired     null        ok          null        ok          ok          null        ok
Cart                           sign-in     expired     null        null        null        null        null        null        ok
Chat                           sign-in     expired     null        ok          null        ok          ok          null        ok
Chat.inviteLinks               sign-in     expired     null        null        null        null        ok          null        ok
ChatViewerState                sign-in     expired     null        ok          null        ok          ok          null        ok
DataExport                     sign-in     expired     null        null        null        null        null        null        ok
Document                       sign-in     expired     null        ok          null        ok          ok          null        ok
File                           sign-in     expired     null        null        null        null        null        null        ok
Group                          sign-in     expired     null        ok          null        ok          ok          null        ok
Group.banned                   sign-in     expired     null        null        null        null        -           null        -
Group.requests                 sign-in     expired     null        null        null        null        -           null        -
GroupBuy                       sign-in     expired     null        ok          null        ok          ok          null        ok
GroupViewerState               sign-in     expired     null        ok          null        ok          ok          null        ok
Message                        sign-in     expired     null        ok          null        ok          ok          null        ok
MlsGroup                       sign-in     expired     null        ok          null        ok          ok          null        ok
NewsArticle                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
NewsSource                     sign-in     expired     ok          ok          ok          ok          ok          ok          ok
Notification                   sign-in     expired     null        null        null        null        null        null        ok
Order                          sign-in     expired     null        null        null        null        null        null        ok
Product                        sign-in     expired     ok          ok          ok          ok          ok          ok          ok
ProductVariant                 sign-in     expired     ok          ok          ok          ok          ok          ok          ok
ProductVariant.stock           sign-in     expired     null        null        null        null        null        null        ok
ScheduledMessage               sign-in     expired     null        null        null        null        null        null        ok
Shop                           sign-in     expired     ok          ok          ok          ok          ok          ok          ok
Shop.viewerState               sign-in     expired     null        null        null        null        null        null        ok
ShopViewerState                sign-in     expired     null        null        null        null        null        null        ok
Status                         sign-in     expired     null        null        null        ok          ok          null        ok
Status.insights                sign-in     expired     null        null        null        null        null        null        ok
StatusHighlight                sign-in     expired     null        null        null        ok          ok          null        ok
StatusViewerState              sign-in     expired     null        null        null        ok          ok          null        ok
User                           sign-in     expired     ok          ok          ok          ok          ok          ok          ok
UserViewerState                sign-in     expired     ok          ok          ok          ok          ok          ok          ok
UserViewerState.highlights     sign-in     expired     -           -           -           ok          ok          -           ok
UserViewerState.presence       sign-in     expired     null        null        null        ok          ok          null        ok
UserViewerState.statuses       sign-in     expired     null        null        null        ok          ok          null        null
Viewer                         null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.addresses               null        expired     -           -           -           -           -           -           ok
Viewer.apps                    null        expired     -           -           -           -           -           -           ok
Viewer.assistant               null        expired     null        null        null        null        null        null        null
Viewer.authorizedApps          null        expired     -           -           -           -           -           -           -
Viewer.blockedUsers            null        expired     -           -           -           -           -           -           ok
Viewer.botInstalls             null        expired     -           -           -           -           -           -           -
Viewer.botMemories             null        expired     -           -           -           -           -           -           -
Viewer.botReviews              null        expired     forbidden   forbidden   forbidden   forbidden   forbidden   ok          forbidden
Viewer.bots                    null        expired     -           -           -           -           -           -           ok
Viewer.callLog                 null        expired     -           -           -           -           -           -           ok
Viewer.carts                   null        expired     -           ok          -           -           -           -           ok
Viewer.chats                   null        expired     -           ok          -           ok          ok          -           ok
Viewer.contacts                null        expired     -           ok          -           ok          ok          -           ok
Viewer.dataExports             null        expired     -           -           -           -           -           -           ok
Viewer.device                  null        expired     null        null        null        null        null        null        ok
Viewer.deviceId                null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.email                   null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.emailVerified           null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.eventCursor             null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.groups                  null        expired     -           ok          -           ok          ok          -           ok
Viewer.highlights              null        expired     -           -           -           -           -           -           ok
Viewer.inferred                null        expired     null        null        null        null        null        null        null
Viewer.keyPackagesLeft         null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.moderationBans          null        expired     not-found   forbidden   not-found   forbidden   -           -           -
Viewer.moderationCases         null        expired     -           -           -           -           -           -           -
Viewer.moderationQueue         null        expired     not-found   forbidden   not-found   forbidden   ok          ok          ok
Viewer.moderationRules         null        expired     not-found   forbidden   not-found   forbidden   null        null        null
Viewer.newsBookmarks           null        expired     -           -           -           -           -           -           -
Viewer.notificationPreferences null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.notifications           null        expired     -           -           -           -           -           -           ok
Viewer.orders                  null        expired     -           -           -           -           -           -           ok
Viewer.ownStatuses             null        expired     -           -           -           -           -           -           ok
Viewer.personalization         null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.phone                   null        expired     null        null        null        null        null        null        null
Viewer.privacy                 null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.pushDevices             null        expired     -           -           -           -           -           -           ok
Viewer.recommendedNews         null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.recommendedProducts     null        expired     ok          ok          ok          ok          ok          ok          -
Viewer.roles                   null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.scheduledMessages       null        expired     -           -           -           -           -           -           ok
Viewer.sessions                null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.shops                   null        expired     -           -           -           -           -           -           ok
Viewer.starredMessages         null        expired     -           -           -           -           -           -           -
Viewer.statusMutes             null        expired     -           -           -           -           -           -           -
Viewer.statuses                null        expired     -           -           -           ok          ok          -           -
Viewer.storage                 null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.suggestedBots           null        expired     -           -           -           -           -           -           -
Viewer.suggestedGroups         null        expired     -           -           -           -           -           -           -
Viewer.suggestedUsers          null        expired     -           ok          -           ok          ok          -           ok
Viewer.supportCases            null        expired     -           -           -           -           -           -           -
Viewer.supportQueue            null        expired     -           ok          -           ok          ok          -           ok
Viewer.tutorProgress           null        expired     -           -           -           -           -           -           ok
Viewer.unreadNotificationCount null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.user                    null        expired     ok          ok          ok          ok          ok          ok          ok
Viewer.webhooks                null        expired     -           -           -           -           -           -           ok
Viewer.welcomes                null        expired     -           -           -           -           -           -           -
Webhook                        sign-in     expired     null        null        null        null        null        null        ok
`);

const words = (text: string): readonly string[] => text.split(' ');

/** What whoever sees the object sees of it. Of those with a question mark there is nothing on the stage, for nobody. */
export const SHOWN: Readonly<Record<string, readonly string[]>> = {
  App: words('apiKeys createdAt id name plan redirectUris scopes usage? operations registeredOnly confidential publicKeys?'),
  Bot: words('commands? createdAt engine handsOver id listing? languages? owner tools tutor user'),
  Call: words('answeredAt chat chatId endReason? endedAt? eventCursor host id kind lobby locked participants recordingState recordings? screenShare showcase? startedAt startedBy state viewerState'),
  Cart: words('chat? chatId? createdAt currency eventCursor id itemCount lines owner shop state subtotal title? version'),
  Chat: words('activeCall avatar? botCommands carts? createdAt documents encryption eventCursor group? id kind lastMessage memberCount members message messageTtlSeconds? messages messagesAround mls? pinnedMessages sentiment slowModeSeconds title unavailableFeatures? viewerState'),
  ChatViewerState: words('archived draft? draftUpdatedAt? lastDeliveredSeq lastReadSeq mentionsCount muted mutedUntil? notificationLevel otherMember? pinned role unreadCapped unreadCount'),
  DataExport: words('createdAt expiresAt? file? finishedAt? id state user'),
  Document: words('callId? chat controlRequests? controller? createdAt createdBy editing endedAt? id kind title? viewerState'),
  File: words('blurhash bytes contentType createdAt durationMs? failure? height id kind name playbackUrl? state thumbnailUrl url waveform? width'),
  Group: words('avatar? chats createdAt description? id joinPolicy memberCount members name origin rules? topics? viewerState visibility'),
  GroupBuy: words('chatId createdAt deadline id maxQuantity? participantCount price product quantity settledAt? state tiers variant viewerState?'),
  GroupViewerState: words('role state'),
  MlsGroup: words('cipherSuite commits devices epoch generation groupId groupInfo'),
  Message: words('attachments? card? chat createdAt deletedAt? editedAt? edits? encrypted? expiresAt? forwardedFrom? id kind linkPreview? mentions? reactions receipts replyTo? sender seq system? text thread? threadRoot? version viewerState'),
  NewsArticle: words('author? content? id imageUrl? language places publishedAt shortVersion source summary title topics? updatedAt? url viewerState'),
  NewsSource: words('category? eventCursor failure? failures feedUrl fetchedAt homepage? id language publisher section state topics?'),
  Notification: words('actor call? chat count createdAt group? id kind message product? read webhook? dataExportId?'),
  Order: words('address buyer createdAt currency fulfillments id invoice? lines number payment refunded returns shippingMethod? shop state timeline totals version'),
  Product: words('attributes? categories? createdAt description? id inStock media? options? price publishedAt rating reviews? shop similarProducts? slug status taxClass title url? variants version viewerState'),
  ProductVariant: words('active available compareAtPrice? id inStock picture? price prices product selectedOptions? sku trackStock weightGrams?'),
  ScheduledMessage: words('attachments? chat chatId createdAt failure? id message? replyToId? sendAt state text threadRootId?'),
  Shop: words('categories createdAt currency description? holdPayments id name owner shippingMethods slug taxRules version'),
  ShopViewerState: words('locations lowStockAt'),
  Status: words('author backgroundColor? createdAt expiresAt file? font? id kind text viewerState'),
  StatusHighlight: words('cover createdAt id owner statuses title version'),
  StatusViewerState: words('reaction? viewedAt?'),
  User: words('about avatar? displayName handle id kind presence? viewerState'),
  UserViewerState: words('blockedByViewer contactName? isContact isMutualContact statusesMuted'),
  Webhook: words('appId? chatIds? createdAt deliveredAt? deliveries? description? disabledReason? events failingSince? id shopIds? state url waitingCount'),
};
