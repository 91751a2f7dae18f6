import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../lib/clock.js';
import { LanguageError, type ChatChunk, type ChatRequest, type LanguageModel, type Usage } from './contract.js';
import { asLanguageError } from './failures.js';

export interface GuardOptions {
  /** Longest silence, before the first word and between two. */
  silenceMs: number;
  tries: number;
  /** The pause before the second try; doubled before each further one, and shaken, so that many who wait do not come back together. */
  backOffMs: number;
  /** So many failures one after another open the breaker … */
  failures: number;
  /** … for so long; then one request finds out whether it may be closed. */
  openMs: number;
  /** US dollars for a million tokens. */
  price: { input: number; output: number };
}

export const GUARD: GuardOptions = { silenceMs: 30_000, tries: 3, backOffMs: 500, failures: 5, openMs: 30_000, price: { input: 0, output: 0 } };
const MAX_PAUSE_MS = 20_000;

export interface Spent extends Usage {
  requests: number;
  failed: number;
  /** Millionths of a US dollar. */
  cost: number;
}

/** A model with what every provider needs around it: limits of time, tries, a breaker, and an account of what it has cost. */
export class GuardedModel implements LanguageModel {
  readonly spent: Spent = { requests: 0, failed: 0, inputTokens: 0, outputTokens: 0, cost: 0 };
  readonly embed: LanguageModel['embed'];
  #failures = 0;
  #openUntil = 0;
  #trying = false;

  constructor(
    private readonly model: LanguageModel,
    private readonly clock: Clock,
    private readonly options: GuardOptions = GUARD,
  ) {
    const embed = model.embed;
    this.embed = embed && ((texts, signal) => this.#retried(signal, (own) => embed(texts, own)));
  }

  get name(): string {
    return this.model.name;
  }

  /** Whether a request would be let through now. */
  get available(): boolean {
    return this.#openUntil <= this.clock.now().getTime();
  }

  /** Millionths of a US dollar. */
  costOf({ inputTokens, outputTokens }: Usage): number {
    return Math.ceil(inputTokens * this.options.price.input + outputTokens * this.options.price.output);
  }

  /** What has begun to be said is not said again: a stream that breaks off later fails. */
  async *chat(request: ChatRequest): AsyncGenerator<ChatChunk> {
    for (let attempt = 1; ; attempt++) {
      let begun = false;
      try {
        for await (const chunk of this.#once(request)) {
          begun = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (begun) throw error;
        await this.#beforeNext(error as LanguageError, attempt, request.signal);
      }
    }
  }

  async *#once(request: ChatRequest): AsyncGenerator<ChatChunk> {
    this.#enter();
    const own = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, own.signal]) : own.signal;
    let timer = setTimeout(() => own.abort(), this.options.silenceMs);
    let ended = false;
    try {
      for await (const chunk of this.model.chat({ ...request, signal })) {
        clearTimeout(timer);
        if (chunk.type === 'end') {
          ended = true;
          this.#account(chunk.usage);
        } else timer = setTimeout(() => own.abort(), this.options.silenceMs);
        yield chunk;
      }
      if (!ended) throw new LanguageError('CUT', 'the stream ended before its end');
    } catch (error) {
      throw this.#failed(error, request.signal, own.signal);
    } finally {
      clearTimeout(timer);
      // Whoever stops listening stops the provider, too.
      own.abort();
      this.#trying = false;
    }
  }

  async #retried<Result>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      this.#enter();
      const limit = AbortSignal.timeout(this.options.silenceMs);
      try {
        const result = await work(signal ? AbortSignal.any([signal, limit]) : limit);
        this.#succeeded();
        return result;
      } catch (error) {
        await this.#beforeNext(this.#failed(error, signal, limit), attempt, signal);
      } finally {
        this.#trying = false;
      }
    }
  }

  /** Throws while the breaker is open; of those who come after it, one may try. */
  #enter(): void {
    const wait = this.#openUntil - this.clock.now().getTime();
    if (wait > 0 || (this.#openUntil && this.#trying)) throw new LanguageError('UNAVAILABLE', 'the provider has failed too often: it is left alone for a while', Math.max(1, Math.ceil(wait / 1000)));
    if (this.#openUntil) this.#trying = true;
    this.spent.requests++;
  }

  #account(usage: Usage): void {
    this.spent.inputTokens += usage.inputTokens;
    this.spent.outputTokens += usage.outputTokens;
    this.spent.cost += this.costOf(usage);
    this.#succeeded();
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }

  #failed(caught: unknown, callers: AbortSignal | undefined, own: AbortSignal): LanguageError {
    const silent = own.aborted && !callers?.aborted;
    const error = silent ? new LanguageError('UNAVAILABLE', `the provider said nothing for ${this.options.silenceMs} ms`) : asLanguageError(caught, callers);
    // That somebody cancels says nothing about the provider.
    if (error.kind === 'CANCELLED') return error;
    this.spent.failed++;
    if (error.kind !== 'REFUSED' && ++this.#failures >= this.options.failures) this.#openUntil = this.clock.now().getTime() + this.options.openMs;
    return error;
  }

  async #beforeNext(error: LanguageError, attempt: number, signal: AbortSignal | undefined): Promise<void> {
    if (error.kind === 'REFUSED' || error.kind === 'CANCELLED' || attempt >= this.options.tries || !this.available) throw error;
    const pause = Math.max(this.options.backOffMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2), (error.retryAfter ?? 0) * 1000);
    // Whom it asks to wait for longer than a reader would, is told so.
    if (pause > MAX_PAUSE_MS) throw error;
    await sleep(pause, undefined, signal ? { signal } : {}).catch(() => {
      throw new LanguageError('CANCELLED', 'cancelled');
    });
  }
}
