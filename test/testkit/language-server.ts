import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';

/** What was asked, in the shape of either provider. */
export interface Asked {
  path: string;
  headers: IncomingMessage['headers'];
  body: {
    model: string;
    messages: { role: string; content: unknown; tool_calls?: unknown[]; tool_call_id?: string }[];
    system?: string;
    tools?: { name?: string; function?: { name: string } }[];
    temperature?: number;
    input?: string[];
  };
}

/** What the server does with a request. */
export interface Reply {
  texts?: string[];
  calls?: { name: string; arguments: string }[];
  /** Instead of an answer. */
  status?: number;
  headers?: Record<string, string>;
  /** The connection breaks after the texts. */
  cut?: boolean;
  /** Says nothing more after the texts, and keeps the connection. */
  hang?: boolean;
}

/** A provider on loopback that speaks OpenAI's chat completions and embeddings, and Anthropic's messages, as their public references describe them (platform.openai.com/docs/api-reference, docs.anthropic.com/en/api). It knows nothing and says what the test has it say. */
export class LanguageServer {
  readonly asked: Asked[] = [];
  /** Connections that the client has ended before their answers did. */
  cancelled = 0;
  reply: (asked: Asked) => Reply | Promise<Reply> = () => ({ texts: ['Yes.'] });

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<LanguageServer> {
    const server = createServer((request, response) => void language.#answer(request, response).catch(() => response.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const language: LanguageServer = new LanguageServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return language;
  }

  /** Settings by which the product uses it as an OpenAI-compatible provider. */
  get settings(): Record<string, string> {
    return { LANGUAGE_PROVIDER: 'openai', LANGUAGE_URL: `${this.url}/v1`, LANGUAGE_KEY: 'key-of-the-test', LANGUAGE_MODEL: 'test-model', LANGUAGE_PRICE_INPUT: '2', LANGUAGE_PRICE_OUTPUT: '6' };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('close', () => {
      if (!response.writableFinished) this.cancelled++;
    });
    const asked: Asked = { path: request.url!, headers: request.headers, body: JSON.parse(await bodyOf(request)) as Asked['body'] };
    this.asked.push(asked);
    const reply = await this.reply(asked);
    if (reply.status !== undefined) {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(JSON.stringify({ type: 'error', error: { type: 'error', message: 'as the test has it' } }));
      return;
    }
    if (asked.path.endsWith('/embeddings')) {
      const data = asked.body.input!.map((text, index) => ({ object: 'embedding', index, embedding: [text.length, 1, 0] }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data, model: asked.body.model, usage: { prompt_tokens: 1, total_tokens: 1 } }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await (asked.path.endsWith('/messages') ? this.#anthropic(reply, response) : this.#openai(reply, response));
  }

  async #openai({ texts = [], calls = [], cut, hang }: Reply, response: ServerResponse): Promise<void> {
    const part = (choices: object[], usage: object | null = null) =>
      send(response, null, { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'test-model', choices, usage });
    for (const content of texts) await part([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]);
    if (hang) return;
    if (cut) return void response.destroy();
    for (const [index, call] of calls.entries()) {
      await part([{ index: 0, delta: { tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: call.name, arguments: '' } }] }, finish_reason: null }]);
      const half = Math.floor(call.arguments.length / 2);
      for (const piece of [call.arguments.slice(0, half), call.arguments.slice(half)]) await part([{ index: 0, delta: { tool_calls: [{ index, function: { arguments: piece } }] }, finish_reason: null }]);
    }
    await part([{ index: 0, delta: {}, finish_reason: calls.length ? 'tool_calls' : 'stop' }]);
    await part([], { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
    response.end('data: [DONE]\n\n');
  }

  async #anthropic({ texts = [], calls = [], cut, hang }: Reply, response: ServerResponse): Promise<void> {
    const event = (type: string, more: object = {}) => send(response, type, { type, ...more });
    await event('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'test-model', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 11, output_tokens: 1 } } });
    await event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    await event('ping');
    for (const text of texts) await event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
    if (hang) return;
    if (cut) return void response.destroy();
    await event('content_block_stop', { index: 0 });
    for (const [at, call] of calls.entries()) {
      await event('content_block_start', { index: at + 1, content_block: { type: 'tool_use', id: `toolu_${at}`, name: call.name, input: {} } });
      const half = Math.floor(call.arguments.length / 2);
      for (const piece of [call.arguments.slice(0, half), call.arguments.slice(half)]) await event('content_block_delta', { index: at + 1, delta: { type: 'input_json_delta', partial_json: piece } });
      await event('content_block_stop', { index: at + 1 });
    }
    await event('message_delta', { delta: { stop_reason: calls.length ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } });
    await event('message_stop');
    response.end();
  }
}

/** Each on its way before the next, so that a stream that is cut has been read until there. */
function send(response: ServerResponse, event: string | null, body: object): Promise<void> {
  return new Promise((resolve) => response.write(`${event === null ? '' : `event: ${event}\n`}data: ${JSON.stringify(body)}\n\n`, () => setImmediate(resolve)));
}
