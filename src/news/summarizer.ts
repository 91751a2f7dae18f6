import type { Reader } from './reader.js';

export interface ToSummarize {
  title: string;
  text: string;
  /** ISO 639, `en` and the like. */
  language: string;
}

export type SummaryMethod = 'EXTRACTIVE' | 'MODEL';

/** A few sentences, in order, and how they were made this time. */
export interface ShortArticle {
  sentences: string[];
  method: SummaryMethod;
}

/** Makes an article short. One that asks a language model takes the place of the extractive one by the container's `outside.summarizer`. */
export interface Summarizer {
  /** How it makes them unless something keeps it from it: what was made otherwise is made anew for whoever asks next. */
  readonly method: SummaryMethod;
  summarize(article: ToSummarize): Promise<ShortArticle>;
}

const SENTENCES = 3;

/** Picks the article's own sentences (see textrank.ts): nothing is said that it doesn't say. */
export class ExtractiveSummarizer implements Summarizer {
  readonly method = 'EXTRACTIVE';
  constructor(private readonly reader: Pick<Reader, 'summary'>) {}

  async summarize({ text, language }: ToSummarize): Promise<ShortArticle> {
    return { sentences: await this.reader.summary(text, language, SENTENCES), method: this.method };
  }
}
