import { createECDH } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from './config.js';
import type { Database, Sql } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { PushProvider } from './entities/notification.js';
import type { LogConsumer } from './events/log-consumers.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import { ConfigError } from './lib/errors.js';
import type { Logger } from './lib/logger.js';
import type { PushFetch } from './push/contract.js';
import { FcmSender, parseServiceAccount } from './push/fcm.js';
import { newVapidKeys, WebPushSender, type VapidKeys } from './push/web-push.js';
import {
  ChatNotificationLevelResolver, NotificationAddedResolver, NotificationPreferencesResolver, NotificationResolver, NotificationsReadResolver, PushDeviceResolver, ViewerNotificationsResolver,
} from './resolvers/notifications.js';
import { NotificationMaker } from './services/notifications/notification-maker.js';
import { NotificationService } from './services/notifications/notifications.js';
import { NotificationPreferenceService } from './services/notifications/preferences.js';
import { PushDeviceService } from './services/notifications/push-devices.js';
import { PushQueue } from './services/notifications/push-queue.js';

export interface NotificationDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  fetch: PushFetch;
}

export interface Notifications {
  service: NotificationService;
  pushes: PushQueue;
  consumers: LogConsumer[];
  jobs: Pick<JobDeps, 'pushes'>;
  resolvers: object[];
}

/** The part of the container that tells people of what concerns them: the notification centre, preferences, devices, pushes. */
export async function makeNotifications({ config, db, unitOfWork, clock, log, fetch }: NotificationDeps): Promise<Notifications> {
  const keys = config.VAPID_PRIVATE_KEY ? vapidKeys(config.VAPID_PUBLIC_KEY!, config.VAPID_PRIVATE_KEY) : await keptVapidKeys(db.sql);
  const fcm = config.FCM_SERVICE_ACCOUNT ? new FcmSender(await serviceAccount(config.FCM_SERVICE_ACCOUNT), config.FCM_URL, fetch, clock) : null;
  const providers: PushProvider[] = fcm ? ['WEB_PUSH', 'FCM'] : ['WEB_PUSH'];
  const pushes = new PushQueue(db.background, clock, log, { WEB_PUSH: new WebPushSender(keys, subjectOf(config), fetch, clock), FCM: fcm });
  const service = new NotificationService(db.sql, unitOfWork);
  const preferences = new NotificationPreferenceService(db.sql, unitOfWork);
  const devices = new PushDeviceService(db.sql, unitOfWork, providers);
  return {
    service,
    pushes,
    consumers: [new NotificationMaker(unitOfWork, pushes)],
    jobs: { pushes },
    resolvers: [
      new NotificationResolver(service),
      new ViewerNotificationsResolver(service, preferences, devices),
      new NotificationPreferencesResolver(preferences),
      new ChatNotificationLevelResolver(),
      new PushDeviceResolver(devices, { providers, webPushPublicKey: keys.publicKey }),
      new NotificationAddedResolver(),
      new NotificationsReadResolver(),
    ],
  };
}

/** Made at the very first start. With other keys every browser would have to subscribe anew. */
async function keptVapidKeys(sql: Sql): Promise<VapidKeys> {
  await sql('insert into server_keys (name, value) values ($1, $2) on conflict do nothing', ['vapid', JSON.stringify(newVapidKeys())]);
  const [row] = await sql<{ value: string }>('select value from server_keys where name = $1', ['vapid']);
  return JSON.parse(row!.value) as VapidKeys;
}

function vapidKeys(publicKey: string, privateKey: string): VapidKeys {
  const ecdh = createECDH('prime256v1');
  try {
    ecdh.setPrivateKey(privateKey, 'base64url');
  } catch {
    throw new ConfigError('These settings are wrong:\n  VAPID_PRIVATE_KEY: no private key of P-256 in base64url');
  }
  if (ecdh.getPublicKey('base64url') !== publicKey) throw new ConfigError('These settings are wrong:\n  VAPID_PUBLIC_KEY: does not belong to VAPID_PRIVATE_KEY');
  return { publicKey, privateKey };
}

const subjectOf = ({ VAPID_SUBJECT, PUBLIC_URL, MAIL_FROM }: Config): string =>
  VAPID_SUBJECT ?? (PUBLIC_URL?.startsWith('https:') ? PUBLIC_URL : `mailto:${/<([^>]+)>/.exec(MAIL_FROM)?.[1] ?? MAIL_FROM}`);

async function serviceAccount(path: string): Promise<ReturnType<typeof parseServiceAccount>> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new ConfigError(`These settings are wrong:\n  FCM_SERVICE_ACCOUNT: ${error.message}`);
  });
  return parseServiceAccount(text, `These settings are wrong:\n  FCM_SERVICE_ACCOUNT: ${path}`);
}
