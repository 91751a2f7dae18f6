import { rowsOf, type Holding } from './holding.js';

export const ACCOUNTS: readonly Holding[] = [
  {
    table: 'users', columns: ['id'],
    exported: `select id, kind, handle, display_name, about, avatar_url, email, email_verified_at, phone, role, last_seen_at, presence_privacy, find_by_phone, discoverable, suspended_at, suspended_until, created_at from users where id = $1`,
    erased: { step: 'pseudonym' }, why: 'The row stays, as a pseudonym: what others wrote to it, what was bought, and the audit log go on naming it. The password’s hash is in no copy.',
  },
  { table: 'identities', columns: ['user_id'], exported: 'select issuer, subject, created_at from identities where user_id = $1', erased: rowsOf('identities', 'user_id'), why: 'By which they came in.' },
  {
    table: 'sessions', columns: ['user_id'], exported: 'select id, device, created_at, last_active_at, expires_at, ended_at, end_reason, app_id, scopes from sessions where user_id = $1 order by id',
    erased: 'update sessions set device = null where user_id = $1 and device is not null', why: 'All are ended; their rows say so to who still holds a token, and go 30 days later.',
  },
  { table: 'one_time_codes', columns: ['user_id'], exported: null, erased: rowsOf('one_time_codes', 'user_id'), why: 'Secrets of a day, kept as hashes.' },
  { table: 'presence', columns: ['user_id'], exported: null, erased: rowsOf('presence', 'user_id'), why: 'Which connection leads where, this moment.' },
  { table: 'idempotency_keys', columns: ['actor_id'], exported: null, erased: rowsOf('idempotency_keys', 'actor_id'), why: 'Names that clients gave to requests of the last days.' },
  { table: 'quotas', columns: ['key'], exported: null, erased: `delete from quotas where key like '% ' || $1`, why: 'Counts of what was asked for in the last hours.' },
  { table: 'saved_addresses', columns: ['user_id'], exported: 'select id, label, address, created_at from saved_addresses where user_id = $1 order by id', erased: rowsOf('saved_addresses', 'user_id'), why: 'Of those that went into orders, the orders have copies.' },
  {
    table: 'data_exports', columns: ['user_id', 'requested_by'], exported: 'select id, requested_by, created_at, finished_at, expires_at from data_exports where user_id = $1 order by id',
    erased: rowsOf('data_exports', 'user_id'), why: 'The file goes with the files.',
  },
  { table: 'analytics_activity', columns: ['user_id'], exported: 'select day from analytics_activity where user_id = $1 order by day', erased: rowsOf('analytics_activity', 'user_id'), why: 'The days on which they were there, of the last hundred.' },
  { table: 'erasures', columns: ['user_id', 'requested_by'], exported: null, erased: null, why: 'That somebody was erased, when and by whom: without who it was.' },
  {
    table: 'audit_log', columns: ['actor_id', 'subject_id'], exported: 'select at, action, subject_type, subject_id, details from audit_log where actor_id = $1 order by id',
    erased: null, why: 'What was done for the place can be neither changed nor removed; it has ids and no names. What others decided about the person is told by the place, not by a file.',
  },
];

export const PARTNERS: readonly Holding[] = [
  { table: 'apps', columns: ['owner_id'], exported: 'select id, name, redirect_uris, scopes, registered_only, public_keys, created_at from apps where owner_id = $1 order by id', erased: { step: 'apps' }, why: 'With their keys, and what they hold for others.' },
  { table: 'oauth_codes', columns: ['user_id', 'session_id'], exported: null, erased: rowsOf('oauth_codes', 'user_id'), why: 'Secrets of a minute, kept as hashes.' },
  { table: 'webhooks', columns: ['owner_id'], exported: 'select id, url, description, kinds, chat_ids, shop_ids, state, created_at from webhooks where owner_id = $1 order by id', erased: rowsOf('webhooks', 'owner_id'), why: 'With the log of what was sent.' },
];
