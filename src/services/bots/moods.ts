import type { Sql } from '../../db/database.js';
import { FELT_LANGUAGES, sentimentOf } from '../../language/sentiment.js';
import { languageOf } from '../../language/words.js';
import { DomainError } from '../../lib/errors.js';
import { boundedInt } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { MessageKey } from '../loaders/messages.js';
import { spokenIn } from './spoken.js';

export const MAX_FELT = 500;
/** Texts that are looked at before others have their turn. */
const AT_ONCE = 25;

export type MoodUnit = 'HOUR' | 'DAY' | 'WEEK';
const UNIT_MS: Readonly<Record<MoodUnit, number>> = { HOUR: 3_600_000, DAY: 86_400_000, WEEK: 7 * 86_400_000 };
/** A Monday: weeks begin with one. */
const FIRST_MONDAY_MS = 4 * 86_400_000;

export interface Mood {
  language: string | null;
  /** -1 to 1; null where there are no words for its language. */
  score: number | null;
}
export interface MoodOverTime {
  messageCount: number;
  /** Of how many of them there is a score. */
  felt: number;
  score: number | null;
  periods: { from: Date; felt: number; score: number }[];
  languages: { language: string; felt: number; score: number }[];
}

/** How messages feel, and a chat over time: to whoever may read them, unless the chat wants none of it. Nothing is kept. */
export class Moods {
  constructor(private readonly sql: Sql) {}

  /** Errors: NOT_FOUND, FORBIDDEN (the chat wants none). */
  async ofMessage(actor: Actor, { chatId, seq }: MessageKey, now: Date): Promise<Mood> {
    const said = (await spokenIn(this.sql, actor, chatId, { last: 1, upTo: seq }, now)).at(-1);
    if (said?.seq !== seq) throw new DomainError('NOT_FOUND', 'There is no such message.', { field: 'messageId' });
    if (!(await wantsMoods(this.sql, chatId))) throw noMoods();
    const language = languageOf(said.text);
    return { language, score: sentimentOf(said.text, language) };
  }

  /** Of the last messages, by periods of UTC. Errors: NOT_FOUND, FORBIDDEN (the chat wants none), INVALID_INPUT. */
  async ofChat(actor: Actor, chatId: string, { last, unit }: { last: number; unit: MoodUnit }, now: Date): Promise<MoodOverTime> {
    boundedInt(last, 'last', 1, MAX_FELT);
    const said = await spokenIn(this.sql, actor, chatId, { last }, now);
    if (!(await wantsMoods(this.sql, chatId))) throw noMoods();
    const felt: { at: Date; language: string; score: number }[] = [];
    for (const [index, { text, at }] of said.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
      const language = languageOf(text);
      const score = sentimentOf(text, language);
      if (language !== null && score !== null) felt.push({ at, language, score });
    }
    const mean = (rows: readonly { score: number }[]) => rows.reduce((sum, { score }) => sum + score, 0) / rows.length;
    const length = UNIT_MS[unit];
    const offset = unit === 'WEEK' ? FIRST_MONDAY_MS : 0;
    const periods = Map.groupBy(felt, ({ at }) => Math.floor((at.getTime() - offset) / length) * length + offset);
    const languages = Map.groupBy(felt, ({ language }) => language);
    return {
      messageCount: said.length, felt: felt.length, score: felt.length ? mean(felt) : null,
      periods: [...periods].map(([from, rows]) => ({ from: new Date(from), felt: rows.length, score: mean(rows) })).sort((a, b) => a.from.getTime() - b.from.getTime()),
      languages: [...languages].map(([language, rows]) => ({ language, felt: rows.length, score: mean(rows) })).sort((a, b) => FELT_LANGUAGES.indexOf(a.language) - FELT_LANGUAGES.indexOf(b.language)),
    };
  }
}

/** Whether a chat lets moods be told. */
export async function wantsMoods(sql: Sql, chatId: string): Promise<boolean> {
  return (await sql('select from chats where id = $1 and sentiment', [chatId])).length > 0;
}

const noMoods = (): DomainError => new DomainError('FORBIDDEN', 'This chat wants no sentiment to be told of it.');
