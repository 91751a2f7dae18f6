import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Bus } from './events/bus.js';
import type { Clock } from './lib/clock.js';
import { BlockResolver } from './resolvers/blocks.js';
import { ContactMatchResolver, ContactResolver, ViewerContactsResolver } from './resolvers/contacts.js';
import { PeopleResolver, UserViewerStateResolver, ViewerPrivacyResolver } from './resolvers/people.js';
import { ReportResolver } from './resolvers/reports.js';
import { BlockService } from './services/blocks.js';
import { ContactService } from './services/contacts.js';
import { PeopleService } from './services/people.js';
import { PresenceNews } from './services/presence-news.js';
import { Quota } from './services/quota.js';
import { ReportService } from './services/reports.js';

/** Phone numbers that one person may look up a day: a phone book is synced, the world's numbers are not enumerated. */
const PHONE_LOOKUPS = { points: 2_000, seconds: 86_400 };

export interface PeopleDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  clock: Clock;
}

/** What people are to each other. */
export function makePeople({ db, unitOfWork, bus, clock }: PeopleDeps): { resolvers: object[] } {
  const news = new PresenceNews(bus);
  const contacts = new ContactService(db.sql, unitOfWork, news, new Quota(db.sql, clock, { name: 'phone-lookups', ...PHONE_LOOKUPS }));
  return {
    resolvers: [
      new PeopleResolver(new PeopleService(db.sql, unitOfWork, news)),
      new UserViewerStateResolver(),
      new ViewerPrivacyResolver(),
      new ContactResolver(contacts),
      new ContactMatchResolver(),
      new ViewerContactsResolver(contacts),
      new BlockResolver(new BlockService(db.sql, unitOfWork, news)),
      new ReportResolver(new ReportService(db.sql, unitOfWork)),
    ],
  };
}
