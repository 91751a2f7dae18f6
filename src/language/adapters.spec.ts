import assert from 'node:assert/strict';
import { LanguageServer } from '../../test/testkit/language-server.js';
import { eventually } from '../../test/testkit/world.js';
import { ShiftedClock } from '../lib/clock.js';
import { AnthropicModel } from './anthropic.js';
import { LanguageError, type ChatChunk, type ChatRequest, type LanguageFailure, type LanguageModel, type ToolSpec } from './contract.js';
import { GUARD, GuardedModel } from './guarded.js';
import { OpenAiModel } from './openai.js';

const TOOL: ToolSpec = { name: 'add', description: 'Adds two numbers.', parameters: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } } };
const REQUEST: ChatRequest = { system: 'Be brief.', turns: [{ role: 'user', text: 'Hello?' }], maxTokens: 100 };

const all = async (stream: AsyncIterable<ChatChunk>): Promise<ChatChunk[]> => {
  const chunks: ChatChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const failsWith = (work: Promise<unknown>, kind: LanguageFailure) => assert.rejects(work, (error) => error instanceof LanguageError && error.kind === kind);

for (const provider of ['openai', 'anthropic'] as const) {
  describe(`a model of ${provider}`, () => {
    let server: LanguageServer;
    let model: LanguageModel;
    const clock = new ShiftedClock();
    const guarded = (more: object = {}) => new GuardedModel(model, clock, { ...GUARD, backOffMs: 1, price: { input: 2, output: 6 }, ...more });
    before(async () => {
      server = await LanguageServer.start();
      model =
        provider === 'openai'
          ? new OpenAiModel({ baseUrl: `${server.url}/v1`, apiKey: 'secret', model: 'test-model', embeddingModel: 'vectors' })
          : new AnthropicModel({ baseUrl: server.url, apiKey: 'secret', model: 'test-model' });
    });
    after(() => server.stop());
    beforeEach(() => {
      server.asked.length = 0;
    });

    it('streams what is said, and says what it took', async () => {
      server.reply = () => ({ texts: ['Good ', 'day', '.'] });
      assert.deepEqual(await all(model.chat({ ...REQUEST, temperature: 0.3 })), [
        { type: 'text', text: 'Good ' }, { type: 'text', text: 'day' }, { type: 'text', text: '.' }, { type: 'end', usage: { inputTokens: 11, outputTokens: 7 }, reason: 'DONE' },
      ]);
      const [{ headers, body }] = server.asked as [(typeof server.asked)[0]];
      assert.equal(headers.authorization, 'Bearer secret');
      assert.deepEqual([body.model, body.temperature], ['test-model', 0.3]);
    });

    it('calls tools, and is told what they answer', async () => {
      server.reply = ({ body }) => (body.messages.length > 2 ? { texts: ['3'] } : { texts: ['Let me see.'], calls: [{ name: 'add', arguments: '{"a":1,"b":2}' }, { name: 'add', arguments: '{"a":3,"b":4}' }] });
      const first = await all(model.chat({ ...REQUEST, tools: [TOOL] }));
      const calls = first.flatMap((chunk) => (chunk.type === 'call' ? [chunk.call] : []));
      assert.deepEqual(calls.map(({ name, arguments: given }) => [name, given]), [['add', '{"a":1,"b":2}'], ['add', '{"a":3,"b":4}']]);
      assert.equal((first.at(-1) as { reason: string }).reason, 'TOOLS');
      const turns = [...REQUEST.turns, { role: 'assistant' as const, text: 'Let me see.', calls }, ...calls.map(({ id }, at) => ({ role: 'tool' as const, callId: id, text: String(at) }))];
      assert.deepEqual((await all(model.chat({ ...REQUEST, turns, tools: [TOOL] })))[0], { type: 'text', text: '3' });
      const told = JSON.stringify(server.asked.at(-1)!.body.messages);
      for (const { id } of calls) assert.equal(told.split(`"${id}"`).length, 3, 'asked and answered');
    });

    it('says what went wrong', async () => {
      for (const [status, kind] of [[401, 'REFUSED'], [400, 'REFUSED'], [429, 'RATE_LIMITED'], [500, 'UNAVAILABLE'], [529, 'UNAVAILABLE']] as const) {
        server.reply = () => ({ status, headers: { 'retry-after': '7' } });
        await assert.rejects(all(model.chat(REQUEST)), (error) => error instanceof LanguageError && error.kind === kind && (status !== 429 || error.retryAfter === 7), String(status));
      }
      server.reply = () => ({ texts: ['Half a '], cut: true });
      await assert.rejects(all(model.chat(REQUEST)), (error) => error instanceof LanguageError && ['CUT', 'UNAVAILABLE'].includes(error.kind));
    });

    it('is asked again while it has said nothing, and accounted for', async () => {
      let times = 0;
      server.reply = () => (++times < 3 ? { status: times === 1 ? 429 : 503 } : { texts: ['At last.'] });
      const guard = guarded();
      assert.equal((await all(guard.chat(REQUEST))).length, 2);
      assert.deepEqual(guard.spent, { requests: 3, failed: 2, inputTokens: 11, outputTokens: 7, cost: 64 });
      // What was refused is refused again, and what was begun is not begun anew.
      times = 0;
      server.reply = () => (times++, { status: 401 });
      await failsWith(all(guard.chat(REQUEST)), 'REFUSED');
      assert.equal(times, 1);
      server.reply = () => (times++, { texts: ['Half'], cut: true });
      await assert.rejects(all(guard.chat(REQUEST)), LanguageError);
      assert.equal(times, 2);
    });

    it('is not waited for for ever, and ends when nobody listens', async () => {
      server.reply = () => ({ texts: ['One'], hang: true });
      await failsWith(all(guarded({ silenceMs: 50 }).chat(REQUEST)), 'UNAVAILABLE');
      const before = server.cancelled;
      const control = new AbortController();
      const stream = guarded().chat({ ...REQUEST, signal: control.signal });
      const listening = failsWith(
        (async () => {
          for await (const chunk of stream) if (chunk.type === 'text') control.abort();
        })(),
        'CANCELLED',
      );
      await listening;
      for await (const chunk of guarded().chat(REQUEST)) if (chunk.type === 'text') break;
      await eventually(() => server.cancelled >= before + 2, 'the provider has heard of it');
    });

    it('is left alone after failing again and again', async () => {
      server.reply = () => ({ status: 500 });
      const guard = guarded({ tries: 1, failures: 3, openMs: 1_000 });
      for (let round = 0; round < 5; round++) await failsWith(all(guard.chat(REQUEST)), 'UNAVAILABLE');
      assert.equal(server.asked.length, 3);
      assert.equal(guard.available, false);
      clock.advance(1_001);
      server.reply = () => ({ texts: ['Back.'] });
      assert.equal((await all(guard.chat(REQUEST))).length, 2);
      assert.equal(guard.available, true);
    });

    it('makes vectors where the provider does', async () => {
      server.reply = () => ({});
      if (provider === 'anthropic') assert.equal(model.embed, null);
      else assert.deepEqual(await guarded().embed!(['a', 'abc']), [[1, 1, 0], [3, 1, 0]]);
    });
  });
}
