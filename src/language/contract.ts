/** What one participant of a conversation with a model has said, or what a tool has answered. */
export type Turn =
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; calls?: readonly ToolCall[] }
  | { role: 'tool'; callId: string; text: string };

export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  parameters: Readonly<Record<string, unknown>>;
}

/** A tool that the model wants run. The arguments are whatever the model has written: to be parsed with suspicion. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

export interface ChatRequest {
  /** What the operator says; nothing that a person has written belongs here. */
  system: string;
  turns: readonly Turn[];
  tools?: readonly ToolSpec[];
  /** 0 to 2, as providers understand it. */
  temperature?: number;
  maxTokens: number;
  /** Another model of the same provider than the configured one. */
  model?: string | null;
  /** Ends the request at once, also in the middle of a stream. */
  signal?: AbortSignal;
}

/** A stream is any number of texts and calls, and then exactly one end. */
export type ChatChunk = { type: 'text'; text: string } | { type: 'call'; call: ToolCall } | { type: 'end'; usage: Usage; reason: 'DONE' | 'TOOLS' | 'LENGTH' };

/** A language model of some provider. Failures are LanguageErrors. */
export interface LanguageModel {
  readonly name: string;
  chat(request: ChatRequest): AsyncIterable<ChatChunk>;
  /** A vector for each text, all of one length; null where the provider has none. */
  readonly embed: ((texts: readonly string[], signal?: AbortSignal) => Promise<number[][]>) | null;
}

/**
 * UNAVAILABLE: away, overloaded, or too slow. RATE_LIMITED: asked too often. REFUSED: it will not do this, however often it is asked (a wrong key, a wrong model, a wrong request).
 * CUT: the stream ended before its end. CANCELLED: by whoever asked.
 */
export type LanguageFailure = 'UNAVAILABLE' | 'RATE_LIMITED' | 'REFUSED' | 'CUT' | 'CANCELLED';

export class LanguageError extends Error {
  override readonly name = 'LanguageError';
  constructor(
    readonly kind: LanguageFailure,
    message: string,
    /** Seconds after which the provider wants to be asked again. */
    readonly retryAfter: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
