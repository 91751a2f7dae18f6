import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Bus } from './events/bus.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { BlockResolver } from './resolvers/blocks.js';
import { ContactMatchResolver, ContactResolver, ViewerContactsResolver } from './resolvers/contacts.js';
import { PeopleResolver, UserViewerStateResolver, ViewerPrivacyResolver } from './resolvers/people.js';
import { PresenceResolver } from './resolvers/presence.js';
import { ReportResolver } from './resolvers/reports.js';
import { BlockService } from './services/blocks.js';
import type { ChatAccessReader } from './services/chat-access.js';
import { ContactService } from './services/contacts.js';
import { PeopleService } from './services/people.js';
import { PresenceService } from './services/presence.js';
import { PresenceNews } from './services/presence-news.js';
import { Quota } from './services/quota.js';
import { ReportService } from './services/reports.js';
import { TypingService } from './services/typing.js';

/** Phone numbers that one person may look up a day: a phone book is synced, the world's numbers are not enumerated. */
const PHONE_LOOKUPS = { points: 2_000, seconds: 86_400 };

/** Of HEARTBEAT: a node that has not been heard of for one and a half is dead. */
const LEASE_HEARTBEATS = 1.5;

export interface PeopleDeps {
  config: Config;
  log: Logger;
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  clock: Clock;
  access: ChatAccessReader;
}

/** What people are to each other. */
export function makePeople({ config, log, db, unitOfWork, bus, clock, access }: PeopleDeps): { presence: PresenceService; resolvers: object[] } {
  const news = new PresenceNews(bus);
  const contacts = new ContactService(db.sql, unitOfWork, news, new Quota(db.sql, clock, { name: 'phone-lookups', ...PHONE_LOOKUPS }));
  const presence = new PresenceService(db.sql, clock, news, log, { leaseMs: config.HEARTBEAT * LEASE_HEARTBEATS * 1000 });
  return {
    presence,
    resolvers: [
      new PeopleResolver(new PeopleService(db.sql, unitOfWork, news)),
      new UserViewerStateResolver(),
      new ViewerPrivacyResolver(),
      new ContactResolver(contacts),
      new ContactMatchResolver(),
      new ViewerContactsResolver(contacts),
      new BlockResolver(new BlockService(db.sql, unitOfWork, news)),
      new PresenceResolver(presence, new TypingService(access, bus, clock)),
      new ReportResolver(new ReportService(db.sql, unitOfWork)),
    ],
  };
}
