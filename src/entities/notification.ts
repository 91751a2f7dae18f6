/** What people are notified of. */
export const NOTIFICATION_KINDS = [
  'DIRECT_MESSAGE', 'GROUP_MESSAGE', 'MENTION', 'REPLY', 'STATUS_REPLY', 'REACTION', 'INCOMING_CALL', 'MISSED_CALL', 'CONTACT_ADDED', 'CHAT_ADDED', 'GROUP_REQUEST', 'WEBHOOK_DISABLED', 'LOW_STOCK', 'DATA_EXPORT_READY', 'DATA_EXPORT_EXPIRED',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** Of one chat: everything, only what is meant for oneself (mentions, replies, reactions), or nothing. */
export const NOTIFICATION_LEVELS = ['ALL', 'MENTIONS', 'NOTHING'] as const;
export type NotificationLevel = (typeof NOTIFICATION_LEVELS)[number];

/** What a push shows: sender and text, the sender alone, or only that there is something. */
export const PUSH_CONTENTS = ['TEXT', 'SENDER', 'NOTHING'] as const;
export type PushContent = (typeof PUSH_CONTENTS)[number];

export const PUSH_PROVIDERS = ['WEB_PUSH', 'FCM'] as const;
export type PushProvider = (typeof PUSH_PROVIDERS)[number];

export interface KindChoice {
  inApp?: boolean;
  push?: boolean;
}

/** The same hours every day, by the clocks of a time zone; `from` after `to`: over midnight. */
export interface QuietHours {
  /** Minutes since midnight. */
  from: number;
  to: number;
  /** An IANA name, as Europe/Zurich. */
  zone: string;
  /** Calls are silenced, too. */
  calls: boolean;
}

/** What somebody wants to be told; a kind that is not named is told of. */
export interface NotificationPreferences {
  kinds: Partial<Record<NotificationKind, KindChoice>>;
  content: PushContent;
  quiet: QuietHours | null;
}
