import assert from 'node:assert/strict';
import type { ChatChunk, ChatRequest, LanguageModel } from '../../language/contract.js';
import { LanguageError } from '../../language/contract.js';
import type { Summarizer } from '../../news/summarizer.js';
import { ModelSummarizer } from './model-summarizer.js';

const article = { title: 'Bees return', text: 'The bees are back.', language: 'en' };
const own: Summarizer = { method: 'EXTRACTIVE', summarize: async () => ({ sentences: ['The bees are back.'], method: 'EXTRACTIVE' }) };

function saying(text: string | null, asked: ChatRequest[] = []): LanguageModel {
  return {
    name: 'test', embed: null,
    async *chat(request): AsyncGenerator<ChatChunk> {
      asked.push(request);
      if (text === null) throw new LanguageError('UNAVAILABLE', 'away');
      yield { type: 'text', text };
      yield { type: 'end', usage: { inputTokens: 1, outputTokens: 1 }, reason: 'DONE' };
    },
  };
}

describe('summaries by a model', () => {
  it('are its sentences, at most four, and say that it made them', async () => {
    const asked: ChatRequest[] = [];
    const short = await new ModelSummarizer(saying('One is here. Two is here. Three is here. Four is here. Five is here.', asked), own).summarize(article);
    assert.deepEqual(short, { sentences: ['One is here.', 'Two is here.', 'Three is here.', 'Four is here.'], method: 'MODEL' });
    assert.match(asked[0]!.system, /\(en\)/);
    assert.deepEqual(asked[0]!.turns, [{ role: 'user', text: 'Bees return\n\nThe bees are back.' }]);
  });

  for (const said of [null, '', ' \0 ']) {
    it(`are the article’s own where it ${said === null ? 'fails' : 'says nothing'}, and say so`, async () => {
      assert.deepEqual(await new ModelSummarizer(saying(said), own).summarize(article), { sentences: ['The bees are back.'], method: 'EXTRACTIVE' });
    });
  }
});
