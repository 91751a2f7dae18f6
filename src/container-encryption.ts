import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import {
  ChatEncryptionResolver, ClaimedKeyPackageResolver, DeviceResolver, EncryptedBodyResolver, EncryptedMessageResolver, GroupDeviceResolver, MlsCommitResolver, MlsGroupResolver, MlsWelcomeResolver, ViewerDevicesResolver,
} from './resolvers/encryption.js';
import { DeviceNews } from './services/mls/device-news.js';
import { DeviceService } from './services/mls/devices.js';
import { EncryptedMessageService } from './services/mls/encrypted-messages.js';
import { MlsGroupService } from './services/mls/groups.js';
import { MlsReading } from './services/mls/reading.js';
import type { SendQueue } from './services/send-queue.js';

export interface EncryptionDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  sendQueue: SendQueue;
}

/** Encrypted chats: devices, their key packages, the order of commits. */
export function makeEncryption({ db, unitOfWork, clock, sendQueue }: EncryptionDeps): { resolvers: object[]; jobs: Pick<JobDeps, 'devices'> } {
  const devices = new DeviceService(db.sql, unitOfWork, clock);
  const reading = new MlsReading(db.sql);
  return {
    jobs: { devices: new DeviceNews(db.background, unitOfWork, clock) },
    resolvers: [
      new DeviceResolver(devices),
      new ClaimedKeyPackageResolver(),
      new ViewerDevicesResolver(devices, reading),
      new ChatEncryptionResolver(new MlsGroupService(unitOfWork), reading),
      new MlsGroupResolver(reading),
      new GroupDeviceResolver(),
      new MlsCommitResolver(),
      new MlsWelcomeResolver(),
      new EncryptedMessageResolver(new EncryptedMessageService(sendQueue)),
      new EncryptedBodyResolver(),
    ],
  };
}
