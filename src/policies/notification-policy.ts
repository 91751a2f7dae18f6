import type { NotificationKind, NotificationLevel, NotificationPreferences, PushContent, QuietHours } from '../entities/notification.js';

/** In larger chats plain messages notify only those who ask for it: so many people rarely talk to one in particular. */
export const LARGE_CHAT = 100;

/** What plain messages of a chat do, and what is meant for oneself, unless one has chosen. */
export const defaultLevel = (chat: { kind: 'DIRECT' | 'GROUP'; memberCount: number }): NotificationLevel => (chat.kind === 'GROUP' && chat.memberCount > LARGE_CHAT ? 'MENTIONS' : 'ALL');

/** Kinds that are about one chat, and so go by its level and its muting. */
const OF_CHAT: ReadonlySet<NotificationKind> = new Set(['DIRECT_MESSAGE', 'GROUP_MESSAGE', 'MENTION', 'REPLY', 'STATUS_REPLY', 'REACTION']);
const PLAIN: ReadonlySet<NotificationKind> = new Set(['DIRECT_MESSAGE', 'GROUP_MESSAGE']);

/** Whether the level of a chat lets a kind through. */
export const levelAllows = (level: NotificationLevel, kind: NotificationKind): boolean => !OF_CHAT.has(kind) || level === 'ALL' || (level === 'MENTIONS' && !PLAIN.has(kind));

/** Whether it is quiet at a moment. By the clocks of the zone, so the hours are the same in summer and winter. */
export function isQuiet({ from, to, zone }: QuietHours, now: Date): boolean {
  if (from === to) return false;
  const minute = minuteOfDay(zone, now);
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function minuteOfDay(zone: string, now: Date): number {
  let format = formats.get(zone);
  if (!format) formats.set(zone, (format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })));
  const [hours, minutes] = format.format(now).split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** The zone under the name that is kept, or null where there is no such zone. Names of the database of zones alone, so that there are only so many; offsets have no summer. */
export function knownZone(name: string): string | null {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name) || name.length > 64) return null;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** What is known when a push is due. */
export interface PushFacts {
  kind: NotificationKind;
  now: Date;
  preferences: NotificationPreferences;
  /** Of the chat that it is about; null: of none. */
  chat: { level: NotificationLevel; mutedUntil: Date | null } | null;
  /** What it tells of is there no longer, was read, or is no business of theirs any more. */
  over: boolean;
  blocked: boolean;
  /** The device has a connection, and somebody looks at it. */
  live: boolean;
  /** When that was seen before; such a connection may be dead, and only look alive. */
  seenLiveAt: Date | null;
}

/** A connection that has not ended after so long, milliseconds, is alive: the server finds dead ones in two heartbeats. */
export const LIVE_FOR_CERTAIN_MS = 25_000;

/** Whether a device is pushed to: now, not at all, or when it has become certain. */
export function judgePush({ kind, now, preferences, chat, over, blocked, live, seenLiveAt }: PushFacts): 'send' | 'drop' | 'wait' {
  if (over || blocked || preferences.kinds[kind]?.push === false) return 'drop';
  if (chat && OF_CHAT.has(kind) && (!levelAllows(chat.level, kind) || (chat.mutedUntil !== null && chat.mutedUntil > now))) return 'drop';
  const { quiet } = preferences;
  if (quiet && (kind !== 'INCOMING_CALL' || quiet.calls) && isQuiet(quiet, now)) return 'drop';
  if (!live) return 'send';
  // It rings on that device already, and there is no time to be certain.
  if (kind === 'INCOMING_CALL') return 'drop';
  return seenLiveAt !== null && now.getTime() - seenLiveAt.getTime() >= LIVE_FOR_CERTAIN_MS ? 'drop' : 'wait';
}

/** What notifications are about that are about no chat; no app reads what is `person-only`. */
const ABOUT: Partial<Record<NotificationKind, string>> = {
  INCOMING_CALL: 'calls:read', MISSED_CALL: 'calls:read', CONTACT_ADDED: 'people:read', WEBHOOK_DISABLED: 'webhooks:read', LOW_STOCK: 'shops:read', DATA_EXPORT_READY: 'person-only', DATA_EXPORT_EXPIRED: 'person-only',
};

/** Whether the device of a session is told of it: that of an app, of what the app could read itself. `scopes` null: it is no app's, or acts as a person. */
export const mayBePushed = (kind: NotificationKind, scopes: readonly string[] | null): boolean => scopes === null || ['notifications:read', ABOUT[kind] ?? 'chats:read'].every((scope) => scopes.includes(scope));

/** How much of a message is shown: never the text of one that the server should not be able to read. */
export const contentOf = (wanted: PushContent, encrypted: boolean): PushContent => (wanted === 'TEXT' && encrypted ? 'SENDER' : wanted);
