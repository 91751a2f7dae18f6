import OpenAI from 'openai';
import { LanguageError, type ChatChunk, type ChatRequest, type LanguageModel, type ToolCall, type Turn, type Usage } from './contract.js';
import { asLanguageError } from './failures.js';

export interface OpenAiOptions {
  /** Of any server that speaks the protocol: OpenAI, Azure, vLLM, llama.cpp, Ollama. */
  baseUrl: string | null;
  apiKey: string | null;
  model: string;
  embeddingModel: string | null;
}

/** Chat completions and embeddings as OpenAI has described them (platform.openai.com/docs/api-reference), by its own package. */
export class OpenAiModel implements LanguageModel {
  readonly #client: OpenAI;
  readonly name: string;
  readonly embed: LanguageModel['embed'];

  constructor(private readonly options: OpenAiOptions) {
    // Retries and time limits are ours (guarded.ts): they know of cancelling and of the breaker. Servers of one's own often want no key, the package always does.
    this.#client = new OpenAI({ apiKey: options.apiKey ?? 'none', baseURL: options.baseUrl ?? undefined, maxRetries: 0, organization: null, project: null });
    this.name = options.model;
    this.embed = options.embeddingModel === null ? null : (texts, signal) => this.#embed(options.embeddingModel!, texts, signal);
  }

  async *chat(request: ChatRequest): AsyncGenerator<ChatChunk> {
    const { system, turns, tools = [], temperature, maxTokens, model, signal } = request;
    const calls = new Map<number, ToolCall>();
    let usage: Usage = { inputTokens: 0, outputTokens: 0 };
    let finish: string | null = null;
    try {
      const stream = await this.#client.chat.completions.create(
        {
          model: model ?? this.options.model,
          messages: [{ role: 'system', content: system }, ...turns.map(asMessage)],
          max_tokens: maxTokens,
          stream: true,
          stream_options: { include_usage: true },
          ...(temperature === undefined ? {} : { temperature }),
          ...(tools.length ? { tools: tools.map(({ name, description, parameters }) => ({ type: 'function' as const, function: { name, description, parameters } })) } : {}),
        },
        { ...(signal ? { signal } : {}) },
      );
      for await (const part of stream) {
        if (part.usage) usage = { inputTokens: part.usage.prompt_tokens, outputTokens: part.usage.completion_tokens };
        const [choice] = part.choices;
        if (choice?.delta?.content) yield { type: 'text', text: choice.delta.content };
        // A call comes in pieces: its name first, then its arguments letter by letter.
        for (const piece of choice?.delta?.tool_calls ?? []) {
          const call = calls.get(piece.index) ?? { id: '', name: '', arguments: '' };
          calls.set(piece.index, { id: piece.id ?? call.id, name: call.name + (piece.function?.name ?? ''), arguments: call.arguments + (piece.function?.arguments ?? '') });
        }
        finish = choice?.finish_reason ?? finish;
      }
    } catch (error) {
      throw asLanguageError(error, signal);
    }
    if (signal?.aborted) throw new LanguageError('CANCELLED', 'cancelled');
    if (finish === null) throw new LanguageError('CUT', 'the stream ended before its end');
    for (const call of calls.values()) yield { type: 'call', call };
    yield { type: 'end', usage, reason: calls.size ? 'TOOLS' : finish === 'length' ? 'LENGTH' : 'DONE' };
  }

  async #embed(model: string, texts: readonly string[], signal?: AbortSignal): Promise<number[][]> {
    try {
      const { data } = await this.#client.embeddings.create({ model, input: [...texts], encoding_format: 'float' }, { ...(signal ? { signal } : {}) });
      const vectors = data.sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
      if (vectors.length !== texts.length) throw new LanguageError('REFUSED', 'the provider answered fewer vectors than texts');
      return vectors;
    } catch (error) {
      throw asLanguageError(error, signal);
    }
  }
}

function asMessage(turn: Turn): OpenAI.ChatCompletionMessageParam {
  if (turn.role === 'tool') return { role: 'tool', tool_call_id: turn.callId, content: turn.text };
  if (turn.role === 'user' || !turn.calls?.length) return { role: turn.role, content: turn.text };
  return { role: 'assistant', content: turn.text || null, tool_calls: turn.calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } })) };
}
