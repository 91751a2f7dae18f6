import type { Reader } from './reader.js';

export interface ToSummarize {
  title: string;
  text: string;
  /** ISO 639, `en` and the like. */
  language: string;
}

/** Makes an article short. One that asks a language model takes the place of the extractive one by the container's `outside.summarizer`. */
export interface Summarizer {
  /** What clients are told about how it was made. */
  readonly method: 'EXTRACTIVE' | 'MODEL';
  /** A few sentences, in order. */
  summarize(article: ToSummarize): Promise<string[]>;
}

const SENTENCES = 3;

/** Picks the article's own sentences (see textrank.ts): nothing is said that it doesn't say. */
export class ExtractiveSummarizer implements Summarizer {
  readonly method = 'EXTRACTIVE';
  constructor(private readonly reader: Pick<Reader, 'summary'>) {}

  summarize({ text, language }: ToSummarize): Promise<string[]> {
    return this.reader.summary(text, language, SENTENCES);
  }
}
