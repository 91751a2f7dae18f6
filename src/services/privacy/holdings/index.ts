import { ACCOUNTS, PARTNERS } from './accounts.js';
import { CALLS, CHATS, PEOPLE } from './chats.js';
import { COMMERCE } from './commerce.js';
import { BOTS, FILES, LEARNING, MODERATION, NEWS, NOTIFICATIONS, STATUSES } from './daily.js';
import type { Holding } from './holding.js';

/** By rooms, in the order in which they are erased: what shows something goes before what is shown. */
export const ROOMS: Readonly<Record<string, readonly Holding[]>> = {
  account: ACCOUNTS, partners: PARTNERS, statuses: STATUSES, people: PEOPLE, chats: CHATS, calls: CALLS, notifications: NOTIFICATIONS, news: NEWS, learning: LEARNING, bots: BOTS, moderation: MODERATION, shops: COMMERCE, files: FILES,
};

/**
 * Columns that hold keys of other things than people, so that the spec which looks for people who were forgotten can tell them. Those with a foreign key to another table
 * than `users` need no line.
 */
export const NOT_PEOPLE: ReadonlySet<string> = new Set([
  'id', 'chat_id', 'call_id', 'group_id', 'file_id', 'node_id', 'holder', 'epoch', 'session_id', 'token_id', 'media_node', 'link_node', 'recording_id', 'device', 'cover_id', 'after', 'lease_id',
  'variant_id', 'product_id', 'similar_ids', 'cluster_id', 'cluster_ids', 'model_id', 'location_id', 'discount_id', 'refund_id', 'order_id', 'shop_id', 'ref', 'ref_id', 'category_ids', 'category_paths', 'path', 'chat_ids', 'shop_ids', 'case_chat_id', 'current_id', 'device_id', 'founder_id', 'claimed_by', 'claimed_chat',
]);

export type { Holding } from './holding.js';
