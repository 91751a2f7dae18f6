/** Where published bots are looked for. */
export const BOT_CATEGORIES = ['ASSISTANT', 'SUPPORT', 'LEARNING', 'WORK', 'SHOPPING', 'NEWS', 'GAMES', 'OTHER'] as const;
export type BotCategory = (typeof BOT_CATEGORIES)[number];
/** Of what was handed in to be published. */
export const VERSION_STATES = ['PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN'] as const;
export type VersionState = (typeof VERSION_STATES)[number];
