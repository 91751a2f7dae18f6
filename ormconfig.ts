import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { CONNECTION_LIMITS } from './src/db/connection-limits.js';
import { ALL_ENTITIES } from './src/entities/index.js';
import { FirstLight1763600000000 } from './migrations/1763600000000-first-light.js';
import { Calls1763700000000 } from './migrations/1763700000000-calls.js';
import { Documents1763700000001 } from './migrations/1763700000001-documents.js';
import { Files1763800000000 } from './migrations/1763800000000-files.js';
import { Statuses1763900000000 } from './migrations/1763900000000-statuses.js';
import { News1764000000000 } from './migrations/1764000000000-news.js';
import { LogConsumers1764100000000 } from './migrations/1764100000000-log-consumers.js';
import { Notifications1764100000001 } from './migrations/1764100000001-notifications.js';
import { Catalogue1764300000000 } from './migrations/1764300000000-catalogue.js';
import { Carts1764300000001 } from './migrations/1764300000001-carts.js';
import { Orders1764300000002 } from './migrations/1764300000002-orders.js';
import { PaymentHolds1764300000010 } from './migrations/1764300000010-payment-holds.js';
import { Reconciliation1764300000011 } from './migrations/1764300000011-reconciliation.js';
import { Merchants1764300000012 } from './migrations/1764300000012-merchants.js';
import { LowStock1764300000013 } from './migrations/1764300000013-low-stock.js';
import { LiveShopping1764300000020 } from './migrations/1764300000020-live-shopping.js';
import { GroupBuys1764300000021 } from './migrations/1764300000021-group-buys.js';
import { ProductLinks1764300000030 } from './migrations/1764300000030-product-links.js';
import { RefundEnds1764300000031 } from './migrations/1764300000031-refund-ends.js';
import { Bots1764400000000 } from './migrations/1764400000000-bots.js';
import { Moderation1764400000010 } from './migrations/1764400000010-moderation.js';
import { Sentiment1764400000011 } from './migrations/1764400000011-sentiment.js';
import { Learning1764500000000 } from './migrations/1764500000000-learning.js';
import { WordsOfPeople1764500000010 } from './migrations/1764500000010-words-of-people.js';
import { Audit1764600000000 } from './migrations/1764600000000-audit.js';
import { Webhooks1764600000001 } from './migrations/1764600000001-webhooks.js';
import { Apps1764600000002 } from './migrations/1764600000002-apps.js';
import { Privacy1764600000010 } from './migrations/1764600000010-privacy.js';
import { Analytics1764600000011 } from './migrations/1764600000011-analytics.js';
import { AppPlans1764600000012 } from './migrations/1764600000012-app-plans.js';
import { AppOperations1764600000013 } from './migrations/1764600000013-app-operations.js';
import { ExportNotices1764600000014 } from './migrations/1764600000014-export-notices.js';
import { PeopleLately1764600000020 } from './migrations/1764600000020-people-lately.js';
import { BotCallbacks1764700000000 } from './migrations/1764700000000-bot-callbacks.js';
import { BotOwners1764700000001 } from './migrations/1764700000001-bot-owners.js';
import { BotSchedules1764700000002 } from './migrations/1764700000002-bot-schedules.js';
import { HandOver1764710000000 } from './migrations/1764710000000-hand-over.js';
import { Encryption1764800000000 } from './migrations/1764800000000-encryption.js';
import { WebhooksOfApps1764900000000 } from './migrations/1764900000000-webhooks-of-apps.js';
import { MediaRegions1764900000010 } from './migrations/1764900000010-media-regions.js';
import { SpreadCalls1764900000020 } from './migrations/1764900000020-spread-calls.js';
import { ProductsAlike1764900000040 } from './migrations/1764900000040-products-alike.js';
import { BotMarketplace1764710000001 } from './migrations/1764710000001-bot-marketplace.js';
import { PlansOfSends1764900000030 } from './migrations/1764900000030-plans-of-sends.js';
import { Tutors1764710000002 } from './migrations/1764710000002-tutors.js';
import { KeysOfPartners1764900000050 } from './migrations/1764900000050-keys-of-partners.js';
import { SuspensionsEnd1764900000051 } from './migrations/1764900000051-suspensions-end.js';
import { CostOfBots1764900000052 } from './migrations/1764900000052-cost-of-bots.js';
import { Absences1764900000070 } from './migrations/1764900000070-absences.js';
import { ScopesOfWebhooks1764900000080 } from './migrations/1764900000080-scopes-of-webhooks.js';
import { EditsToPreview1764900000081 } from './migrations/1764900000081-edits-to-preview.js';
import { PaceOfFeeds1764900000082 } from './migrations/1764900000082-pace-of-feeds.js';
import { ListedArticles1764900000083 } from './migrations/1764900000083-listed-articles.js';

/** The one DataSource. Migrations are listed by their numbers, not globbed, so that the order is plain and a bundle finds them. */
export function createDataSource(url: string, poolSize = 4): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    entities: ALL_ENTITIES,
    migrations: [
      FirstLight1763600000000,
      Calls1763700000000,
      Documents1763700000001,
      Files1763800000000,
      Statuses1763900000000,
      News1764000000000,
      LogConsumers1764100000000,
      Notifications1764100000001,
      Catalogue1764300000000,
      Carts1764300000001,
      Orders1764300000002,
      PaymentHolds1764300000010,
      Reconciliation1764300000011,
      Merchants1764300000012,
      LowStock1764300000013,
      LiveShopping1764300000020,
      GroupBuys1764300000021,
      ProductLinks1764300000030,
      RefundEnds1764300000031,
      Bots1764400000000,
      Moderation1764400000010,
      Sentiment1764400000011,
      Learning1764500000000,
      WordsOfPeople1764500000010,
      Audit1764600000000,
      Webhooks1764600000001,
      Apps1764600000002,
      Privacy1764600000010,
      Analytics1764600000011,
      AppPlans1764600000012,
      AppOperations1764600000013,
      ExportNotices1764600000014,
      PeopleLately1764600000020,
      BotCallbacks1764700000000,
      BotOwners1764700000001,
      BotSchedules1764700000002,
      HandOver1764710000000,
      Encryption1764800000000,
      WebhooksOfApps1764900000000,
      MediaRegions1764900000010,
      SpreadCalls1764900000020,
      PlansOfSends1764900000030,
      ProductsAlike1764900000040,
      BotMarketplace1764710000001,
      Tutors1764710000002,
      KeysOfPartners1764900000050,
      SuspensionsEnd1764900000051,
      CostOfBots1764900000052,
      Absences1764900000070,
      ScopesOfWebhooks1764900000080,
      EditsToPreview1764900000081,
      PaceOfFeeds1764900000082,
      ListedArticles1764900000083,
    ],
    migrationsTableName: 'migrations',
    synchronize: false,
    extra: CONNECTION_LIMITS,
  });
}
