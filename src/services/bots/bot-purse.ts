import type { Sql } from '../../db/database.js';
import { LanguageError, type ChatChunk, type ChatRequest, type Usage } from '../../language/contract.js';
import type { GuardedModel } from '../../language/guarded.js';
import { invalidInput } from '../../lib/errors.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 366;
/** Characters to a token, where the provider has not counted. */
const A_TOKEN = 4;

/** What a bot has cost on a day (UTC). */
export interface SpendingDay {
  day: Date;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** US dollars. */
  cost: number;
}

/** What bots cost: by day, and no more than the operator lets each, or its owner. */
export class BotPurse {
  constructor(
    private readonly sql: Sql,
    /** Millionths of a US dollar that a bot may cost a day. */
    private readonly costADay: number,
  ) {}

  async hasLeft(botId: string): Promise<boolean> {
    const [bot] = await this.sql<{ cost: number; most: number | null }>(
      `select coalesce(s.cost, 0)::float8 as cost, b.cost_a_day::float8 as most from bots b left join bot_spending s on s.bot_id = b.id and s.day = (now() at time zone 'UTC')::date where b.id = $1`,
      [botId],
    );
    return bot !== undefined && bot.cost < Math.min(this.costADay, bot.most ?? Infinity);
  }

  async spend(botId: string, { inputTokens, outputTokens }: Usage, cost: number): Promise<void> {
    await this.sql(
      `insert into bot_spending as s (bot_id, day, requests, input_tokens, output_tokens, cost) values ($1, (now() at time zone 'UTC')::date, 1, $2, $3, $4)
       on conflict (bot_id, day) do update set requests = s.requests + 1, input_tokens = s.input_tokens + $2, output_tokens = s.output_tokens + $3, cost = s.cost + $4`,
      [botId, inputTokens, outputTokens, cost],
    );
  }

  /** What a model answers for a bot, and books it. A stream that breaks off is billed, too, by whoever made it: it is booked by its length. */
  async *paying(botId: string, model: GuardedModel, request: ChatRequest): AsyncGenerator<ChatChunk> {
    let said = 0;
    let due = false;
    try {
      for await (const chunk of model.chat(request)) {
        due = chunk.type !== 'end';
        if (chunk.type === 'end') await this.spend(botId, chunk.usage, model.costOf(chunk.usage));
        else said += chunk.type === 'text' ? chunk.text.length : chunk.call.arguments.length;
        yield chunk;
      }
    } catch (error) {
      due ||= error instanceof LanguageError && error.kind === 'CUT';
      throw error;
    } finally {
      if (due) {
        const asked = request.turns.reduce((sum, { text }) => sum + text.length, request.system.length);
        const usage = { inputTokens: Math.ceil(asked / A_TOKEN), outputTokens: Math.ceil(said / A_TOKEN) };
        await this.spend(botId, usage, model.costOf(usage));
      }
    }
  }

  /** Of a bot that the caller owns. Days without any are left out. Errors: INVALID_INPUT. */
  async days(botId: string, since: Date, until: Date): Promise<SpendingDay[]> {
    if (until <= since) throw invalidInput('until', 'until is after since.');
    if (until.getTime() - since.getTime() > MAX_DAYS * DAY_MS) throw invalidInput('until', `At most ${MAX_DAYS} days are read at once.`);
    return this.sql<SpendingDay>(
      `select day::timestamp at time zone 'UTC' as day, requests, input_tokens::float8 as "inputTokens", output_tokens::float8 as "outputTokens", cost::float8 / 1e6 as cost from bot_spending
       where bot_id = $1 and day >= ($2::timestamptz at time zone 'UTC')::date and day < ($3::timestamptz at time zone 'UTC') order by day`,
      [botId, since, until],
    );
  }
}
