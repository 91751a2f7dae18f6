import Anthropic from '@anthropic-ai/sdk';
import { LanguageError, type ChatChunk, type ChatRequest, type LanguageModel, type ToolCall, type Turn, type Usage } from './contract.js';
import { asLanguageError } from './failures.js';

export interface AnthropicOptions {
  baseUrl: string | null;
  apiKey: string;
  model: string;
}

/** Anthropic's messages (docs.anthropic.com/en/api/messages), by its own package. It makes no vectors. */
export class AnthropicModel implements LanguageModel {
  readonly #client: Anthropic;
  readonly name: string;
  readonly embed = null;

  constructor(private readonly options: AnthropicOptions) {
    this.#client = new Anthropic({ apiKey: options.apiKey, authToken: null, baseURL: options.baseUrl ?? undefined, maxRetries: 0 });
    this.name = options.model;
  }

  async *chat(request: ChatRequest): AsyncGenerator<ChatChunk> {
    const { system, turns, tools = [], temperature, maxTokens, model, signal } = request;
    const calls = new Map<number, ToolCall>();
    const usage: Usage = { inputTokens: 0, outputTokens: 0 };
    let finish: string | null = null;
    try {
      const stream = await this.#client.messages.create(
        {
          model: model ?? this.options.model,
          system,
          messages: asMessages(turns),
          max_tokens: maxTokens,
          stream: true,
          // Its scale ends at 1.
          ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
          ...(tools.length ? { tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: { ...parameters, type: 'object' as const } })) } : {}),
        },
        { ...(signal ? { signal } : {}) },
      );
      for await (const event of stream) {
        if (event.type === 'message_start') usage.inputTokens = event.message.usage.input_tokens;
        else if (event.type === 'content_block_start' && event.content_block.type === 'tool_use') calls.set(event.index, { id: event.content_block.id, name: event.content_block.name, arguments: '' });
        else if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield { type: 'text', text: event.delta.text };
        else if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta') {
          const call = calls.get(event.index);
          if (call) call.arguments += event.delta.partial_json;
        } else if (event.type === 'message_delta') {
          usage.outputTokens = event.usage.output_tokens;
          finish = event.delta.stop_reason ?? finish;
        }
      }
    } catch (error) {
      throw asLanguageError(error, signal);
    }
    if (signal?.aborted) throw new LanguageError('CANCELLED', 'cancelled');
    if (finish === null) throw new LanguageError('CUT', 'the stream ended before its end');
    for (const call of calls.values()) yield { type: 'call', call: { ...call, arguments: call.arguments || '{}' } };
    yield { type: 'end', usage, reason: calls.size ? 'TOOLS' : finish === 'max_tokens' ? 'LENGTH' : 'DONE' };
  }
}

/** What tools have answered is said by the user here, all of one round in one message. */
function asMessages(turns: readonly Turn[]): Anthropic.MessageParam[] {
  const messages: Anthropic.MessageParam[] = [];
  for (const turn of turns) {
    const role = turn.role === 'assistant' ? 'assistant' : 'user';
    const content: Anthropic.ContentBlockParam[] =
      turn.role === 'tool' ? [{ type: 'tool_result', tool_use_id: turn.callId, content: turn.text }]
      : [
          ...(turn.text ? [{ type: 'text' as const, text: turn.text }] : []),
          ...(turn.role === 'assistant' ? (turn.calls ?? []).map((call) => ({ type: 'tool_use' as const, id: call.id, name: call.name, input: parsed(call.arguments) })) : []),
        ];
    if (!content.length) continue;
    const last = messages.at(-1);
    if (last?.role === role) (last.content as Anthropic.ContentBlockParam[]).push(...content);
    else messages.push({ role, content });
  }
  return messages;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
