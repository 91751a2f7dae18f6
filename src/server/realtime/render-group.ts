import type { ExecutionResult } from 'graphql';
import { parseStream } from '../../events/catalogue.js';
import { SharedContext, type Context } from '../../resolvers/context.js';
import type { DeliveredEvent } from '../../services/chat-events.js';
import type { Prepared } from '../engine.js';
import type { ErrorMapper } from '../errors.js';

/** Makes the contexts in which a group's executions run. */
export interface ContextMaker {
  /** For everybody of the group who joined the chat at the same message; null when the document depends on the viewer. */
  shared: ((chatId: string, visibleFrom: number) => SharedContext) | null;
  /** For one person. */
  personal(userId: string): Context;
}

/** The bytes of one execution, and for whom else they would be the same: whoever sees the chat from a message above `above`, up to `upTo`. */
export interface Rendered {
  bytes: Buffer;
  above: number;
  upTo: number;
  /** Nothing was shown but the messages that the event itself names. */
  keepable: boolean;
}

/** The database could not be asked while an event was rendered: try again. */
export class RenderInterrupted extends Error {
  override readonly name = 'RenderInterrupted';
}

/**
 * Everybody who gets the same bytes: same normalised document, same variables (cursors aside), and the same viewer where the
 * document depends on one. An event is executed once and serialised once for a group.
 */
export class RenderGroup {
  members = 0;

  constructor(
    readonly key: string,
    /** Whose group it is; null when it is everybody's. */
    private readonly viewerId: string | null,
    private readonly prepared: Prepared,
    private readonly variables: Record<string, unknown>,
    private readonly contexts: ContextMaker,
    private readonly errors: ErrorMapper,
  ) {}

  /** Throws RenderInterrupted. */
  render(event: DeliveredEvent, visibleFrom: number): Rendered | Promise<Rendered> {
    const root = { [this.prepared.rootField!]: event };
    const { kind, id } = parseStream(event.stream);
    // A person's own stream is theirs alone: whatever it shows is shown to them.
    const shared = kind === 'chat' && this.contexts.shared ? this.contexts.shared(id, visibleFrom) : null;
    const context = shared ?? this.contexts.personal(this.viewerId ?? id);
    const finish = (result: ExecutionResult): Rendered => {
      const bytes = this.#serialise(result);
      if (!shared) return { bytes, above: -1, upTo: Number.MAX_SAFE_INTEGER, keepable: false };
      return { bytes, above: shared.above, upTo: shared.upTo, keepable: shared.upTo !== shared.above + 1 && shared.shown.every((seq) => event.refs.includes(seq)) };
    };
    const result = this.prepared.execute(root, context, this.variables);
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  #serialise(result: ExecutionResult): Buffer {
    const { data, errors } = result;
    if (!errors?.length) return Buffer.from(JSON.stringify({ data }));
    const mapped = errors.map((error) => this.errors.map(error));
    if (mapped.some((error) => error.extensions?.['code'] === 'UNAVAILABLE')) throw new RenderInterrupted(mapped[0]!.message);
    return Buffer.from(JSON.stringify({ data, errors: mapped }));
  }
}

interface Pending {
  visibleFrom: number;
  bytes: Promise<Buffer>;
}

/** What a channel hands to render: an event, with the bytes already made of it. */
export class RenderableEvent {
  /** By group: bytes with whom they are for. Kept as long as the channel keeps the event: a storm of resumes is served from here. */
  readonly #rendered = new Map<string, Rendered[]>();
  readonly #pending = new Map<string, Pending>();

  constructor(readonly event: DeliveredEvent) {}

  /** The event as it is written to whoever of the group sees the chat from message `visibleFrom`. Throws RenderInterrupted. */
  for(group: RenderGroup, visibleFrom: number): Buffer | Promise<Buffer> {
    const made = this.#rendered.get(group.key);
    if (made) for (const one of made) if (one.above < visibleFrom && visibleFrom <= one.upTo) return one.bytes;
    const pending = this.#pending.get(group.key);
    // Most often it turns out to be the same for those who joined at another message.
    if (pending) return pending.visibleFrom === visibleFrom ? pending.bytes : pending.bytes.then(() => this.for(group, visibleFrom));
    const rendering = group.render(this.event, visibleFrom);
    if (!(rendering instanceof Promise)) return this.#keep(group, rendering);
    const bytes = rendering.then((rendered) => this.#keep(group, rendered)).finally(() => this.#pending.delete(group.key));
    this.#pending.set(group.key, { visibleFrom, bytes });
    return bytes;
  }

  /** Forgets, once all have been written to, what must not or need not be kept for those who come back. */
  settle(): void {
    for (const [key, made] of this.#rendered) {
      const kept = made.filter((one) => one.keepable);
      if (kept.length === made.length) continue;
      if (kept.length) this.#rendered.set(key, kept);
      else this.#rendered.delete(key);
    }
  }

  #keep(group: RenderGroup, rendered: Rendered): Buffer {
    const made = this.#rendered.get(group.key);
    if (made) made.push(rendered);
    else this.#rendered.set(group.key, [rendered]);
    return rendered.bytes;
  }
}
