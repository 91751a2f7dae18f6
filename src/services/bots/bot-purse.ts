import type { Sql } from '../../db/database.js';
import type { Usage } from '../../language/contract.js';

/** What bots cost: by day, and no more than the operator lets each. */
export class BotPurse {
  constructor(
    private readonly sql: Sql,
    /** Millionths of a US dollar that a bot may cost a day. */
    private readonly costADay: number,
  ) {}

  async hasLeft(botId: string): Promise<boolean> {
    const [spent] = await this.sql<{ cost: number }>('select cost::float8 as cost from bot_spending where bot_id = $1 and day = current_date', [botId]);
    return (spent?.cost ?? 0) < this.costADay;
  }

  async spend(botId: string, { inputTokens, outputTokens }: Usage, cost: number): Promise<void> {
    await this.sql(
      `insert into bot_spending as s (bot_id, day, requests, input_tokens, output_tokens, cost) values ($1, current_date, 1, $2, $3, $4)
       on conflict (bot_id, day) do update set requests = s.requests + 1, input_tokens = s.input_tokens + $2, output_tokens = s.output_tokens + $3, cost = s.cost + $4`,
      [botId, inputTokens, outputTokens, cost],
    );
  }
}
