import { BLOCKS } from './blocks.js';
import { BOTS } from './bots.js';
import { CALLS } from './calls.js';
import { CHATS } from './chats.js';
import { DOCUMENTS } from './documents.js';
import { FILES } from './files.js';
import { IDENTITY } from './identity.js';
import { NEWS } from './news.js';
import { NOTIFICATIONS } from './notifications.js';
import { PEOPLE } from './people.js';
import { SHOPS } from './shops.js';
import { STATUSES } from './statuses.js';
import { WEBHOOKS } from './webhooks.js';
import type { Expectations } from './table.js';

/** Every field of Query, Mutation and Subscription, and some of them once more, of other things (`field@things`). */
export const EXPECTED: Expectations = joined([BLOCKS, BOTS, CALLS, CHATS, DOCUMENTS, FILES, IDENTITY, NEWS, NOTIFICATIONS, PEOPLE, SHOPS, STATUSES, WEBHOOKS]);

function joined(tables: readonly Expectations[]): Expectations {
  const all = new Map<string, Expectations extends ReadonlyMap<string, infer Row> ? Row : never>();
  for (const table of tables) {
    for (const [field, answers] of table) {
      if (all.has(field)) throw new Error(`${field} is in two tables.`);
      all.set(field, answers);
    }
  }
  return all;
}
