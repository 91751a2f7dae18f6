import type { ExecutionResult } from 'graphql';
import { parseStream } from '../../events/catalogue.js';
import type { Context, SharedContext } from '../../resolvers/context.js';
import type { DeliveredEvent } from '../../services/chat-events.js';
import type { Prepared, SplitOperation } from '../engine.js';
import type { ErrorMapper } from '../errors.js';
import { fill, toTemplate, type Template } from '../viewer-parts.js';

/** Makes the contexts in which a group's executions run. */
export interface ContextMaker {
  /** For everybody who joined the chat at the same message. */
  shared(chatId: string, visibleFrom: number): SharedContext;
  /** For one person. */
  personal(userId: string): Context;
}

/** What is kept of an event for those who come back: by so many groups, the newest. What is rendered for the others is rendered again. */
const MAX_KEPT_GROUPS = 32;

/** A shared execution that is about no chat: it fails where a chat's messages are asked for. */
const NO_CHAT = '';

/** For whom else a result would be the same: whoever sees the chat from a message above `above`, up to `upTo`. */
interface Sight {
  above: number;
  upTo: number;
  /** Nothing was shown but the messages that the event itself names. */
  keepable: boolean;
}

/** The bytes of one execution. */
export interface Rendered extends Sight {
  bytes: Buffer;
}

/** One execution without what depends on the viewer. */
export interface RenderedHalf extends Sight {
  /** Null when it can't be completed in parts: the whole is executed for each viewer. */
  template: Template | null;
  /** By the number of the mark. */
  marks: SharedContext['marks'];
}

/** The database could not be asked while an event was rendered: try again. */
export class RenderInterrupted extends Error {
  override readonly name = 'RenderInterrupted';
}

const EVERYBODY: Sight = { above: -1, upTo: Number.MAX_SAFE_INTEGER, keepable: false };

function sightOf(context: SharedContext, event: DeliveredEvent): Sight {
  const { above, upTo, shown } = context;
  return { above, upTo, keepable: upTo !== above + 1 && shown.every((seq) => event.refs.includes(seq)) };
}

const rootOf = (prepared: Prepared, event: object): object => ({ [prepared.rootField!]: event });

/** Calls on with what is at hand, or when it is. */
function then<Value, Result>(value: Value | Promise<Value>, next: (value: Value) => Result | Promise<Result>): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What viewer-dependent groups of the same document and variables have in common: executed once an event for all of them. */
export class SharedHalf {
  constructor(
    readonly key: string,
    private readonly prepared: Prepared,
    private readonly split: SplitOperation,
    private readonly variables: Record<string, unknown>,
    private readonly contexts: ContextMaker,
  ) {}

  render(event: DeliveredEvent, chatId: string, visibleFrom: number): RenderedHalf | Promise<RenderedHalf> {
    const context = this.contexts.shared(chatId, visibleFrom);
    return then(this.split.shared.execute(rootOf(this.prepared, event), context, this.variables), ({ data, errors }) => ({
      ...sightOf(context, event),
      template: errors?.length ? null : toTemplate(JSON.stringify({ data })),
      marks: context.marks,
    }));
  }

  /** The whole, for one viewer; null when a part fails, so that its error must find its place in the whole. */
  complete({ template, marks }: RenderedHalf, context: Context): Buffer | null | Promise<Buffer | null> {
    if (!template) return null;
    const results = template.marks.map((number) => {
      const { part, parent } = marks[number]!;
      const { executable, responseKey } = this.split.parts[part]!;
      return then(executable.execute(parent, context, this.variables), ({ data, errors }) => (errors?.length ? null : Buffer.from(JSON.stringify(data![responseKey]))));
    });
    const finish = (values: (Buffer | null)[]) => (values.includes(null) ? null : fill(template, values as Buffer[]));
    return results.some((result) => result instanceof Promise) ? Promise.all(results.map(async (result) => result)).then(finish) : finish(results as (Buffer | null)[]);
  }
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
    /** What is executed for all viewers together, where the document depends on the viewer in parts. */
    readonly half: SharedHalf | null,
    private readonly prepared: Prepared,
    private readonly variables: Record<string, unknown>,
    private readonly contexts: ContextMaker,
    private readonly errors: ErrorMapper,
  ) {}

  /** Throws RenderInterrupted. */
  render(event: DeliveredEvent, visibleFrom: number): Rendered | Promise<Rendered> {
    const { kind, id } = parseStream(event.stream);
    // A person's own stream is theirs alone: whatever it shows is shown to them.
    const shared = kind !== 'user' && this.viewerId === null ? this.contexts.shared(kind === 'chat' ? id : NO_CHAT, visibleFrom) : null;
    const context = shared ?? this.contexts.personal(this.viewerId ?? id);
    return then(this.prepared.execute(rootOf(this.prepared, event), context, this.variables), (result) => ({
      ...(shared ? sightOf(shared, event) : EVERYBODY),
      bytes: this.#serialise(result),
    }));
  }

  /** The bytes for the group's viewer, by what was executed for all. Throws RenderInterrupted. */
  complete(event: DeliveredEvent, half: RenderedHalf, visibleFrom: number): Buffer | Promise<Buffer> {
    return then(this.half!.complete(half, this.contexts.personal(this.viewerId!)), (bytes) => bytes ?? then(this.render(event, visibleFrom), (whole) => whole.bytes));
  }

  /** An event that is in no stream, and shows no messages: the same bytes for everybody of the group. Throws RenderInterrupted. */
  renderEphemeral(event: object): Buffer | Promise<Buffer> {
    const context = this.viewerId === null ? this.contexts.shared(NO_CHAT, 0) : this.contexts.personal(this.viewerId);
    return then(this.prepared.execute(rootOf(this.prepared, event), context, this.variables), (result) => this.#serialise(result));
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
  result: Promise<Sight>;
}

/** What a channel hands to render: an event, with what was already made of it. */
export class RenderableEvent {
  /** By group or half: results with whom they are for. Kept as long as the channel keeps the event: a storm of resumes is served from here. */
  readonly #made = new Map<string, Sight[]>();
  readonly #pending = new Map<string, Pending>();
  /** Of the last that were asked for: most of those who are written to one after the other get the same bytes. */
  #last: { group: RenderGroup; rendered: Rendered } | null = null;

  constructor(readonly event: DeliveredEvent) {}

  /** The event as `for` would answer it, where that was asked for just before; else null. */
  atHand(group: RenderGroup, visibleFrom: number): Buffer | null {
    const last = this.#last;
    return last && last.group === group && last.rendered.above < visibleFrom && visibleFrom <= last.rendered.upTo ? last.rendered.bytes : null;
  }

  /** The event as it is written to whoever of the group sees the chat from message `visibleFrom`. Throws RenderInterrupted. */
  for(group: RenderGroup, visibleFrom: number): Buffer | Promise<Buffer> {
    const { half } = group;
    const { kind, id } = parseStream(this.event.stream);
    if (!half || kind !== 'chat') {
      return then(this.#once(group.key, visibleFrom, () => group.render(this.event, visibleFrom)), (rendered) => {
        this.#last = { group, rendered };
        return rendered.bytes;
      });
    }
    return then(this.#once(half.key, visibleFrom, () => half.render(this.event, id, visibleFrom)), (rendered) => group.complete(this.event, rendered, visibleFrom));
  }

  /** Forgets, once all have been written to, what must not or need not be kept for those who come back. */
  settle(): void {
    this.#last = null;
    for (const [key, made] of this.#made) {
      const kept = made.filter((one) => one.keepable);
      if (kept.length === made.length) continue;
      if (kept.length) this.#made.set(key, kept);
      else this.#made.delete(key);
    }
    if (this.#made.size > MAX_KEPT_GROUPS) for (const key of [...this.#made.keys()].slice(0, -MAX_KEPT_GROUPS)) this.#made.delete(key);
  }

  /** Groups and halves for which bytes are kept. */
  get kept(): number {
    return this.#made.size;
  }

  #once<Made extends Sight>(key: string, visibleFrom: number, make: () => Made | Promise<Made>): Made | Promise<Made> {
    const made = this.#made.get(key);
    if (made) for (const one of made) if (one.above < visibleFrom && visibleFrom <= one.upTo) return one as Made;
    const pending = this.#pending.get(key);
    // Most often it turns out to be the same for those who joined at another message.
    if (pending) return pending.visibleFrom === visibleFrom ? (pending.result as Promise<Made>) : pending.result.then(() => this.#once(key, visibleFrom, make));
    const making = make();
    if (!(making instanceof Promise)) return this.#keep(key, making);
    const result = making.then((rendered) => this.#keep(key, rendered)).finally(() => this.#pending.delete(key));
    this.#pending.set(key, { visibleFrom, result });
    return result;
  }

  #keep<Made extends Sight>(key: string, rendered: Made): Made {
    const made = this.#made.get(key);
    if (made) made.push(rendered);
    else this.#made.set(key, [rendered]);
    return rendered;
  }
}
