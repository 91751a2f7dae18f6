/** What a bot can be told to do, as /name. */
export interface BotCommand {
  name: string;
  description: string;
}

/** What a bot can do beside answering. */
export const BOT_TOOLS = ['SEARCH_MESSAGES', 'PRODUCTS', 'NEWS', 'ORDERS', 'CALCULATOR', 'DATE', 'REMEMBER'] as const;
export type BotTool = (typeof BOT_TOOLS)[number];
