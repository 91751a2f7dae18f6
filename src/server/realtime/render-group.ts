import type { ExecutionResult } from 'graphql';
import type { Context } from '../../resolvers/context.js';
import type { DeliveredEvent } from '../../services/chat-events.js';
import type { Prepared } from '../engine.js';
import type { ErrorMapper } from '../errors.js';

/** Makes the context in which a group's executions run. */
export type ContextMaker = (visibleFrom: number) => Context;

/**
 * Everybody who gets the same bytes: same normalised document, same variables (cursors aside), and the same viewer where the
 * document depends on one. An event is executed once and serialised once for a group.
 */
export class RenderGroup {
  members = 0;

  constructor(
    readonly key: string,
    private readonly prepared: Prepared,
    private readonly variables: Record<string, unknown>,
    private readonly makeContext: ContextMaker,
    private readonly errors: ErrorMapper,
  ) {}

  render(event: { __typename: string }, visibleFrom: number): Buffer | Promise<Buffer> {
    const root = { [this.prepared.rootField!]: event };
    const result = this.prepared.execute(root, this.makeContext(visibleFrom), this.variables);
    return result instanceof Promise ? result.then((settled) => this.#serialise(settled)) : this.#serialise(result);
  }

  #serialise(result: ExecutionResult): Buffer {
    const { data, errors } = result;
    return Buffer.from(JSON.stringify(errors?.length ? { data, errors: errors.map((error) => this.errors.map(error)) } : { data }));
  }
}

/** What a channel hands to render: an event, with the bytes already made of it. */
export class RenderableEvent {
  /** Bytes by group and sight, kept as long as the channel keeps the event: a storm of resumes is served from here. */
  readonly rendered = new Map<string, Buffer | Promise<Buffer>>();
  constructor(readonly event: DeliveredEvent) {}

  /**
   * The lowest sight that shows exactly what `visibleFrom` shows of this event: members who joined at different times,
   * but to whom this event looks the same, share its bytes.
   */
  sight(visibleFrom: number): number {
    let sight = 0;
    for (const seq of this.event.refs) if (seq < visibleFrom) sight = seq + 1;
    return sight;
  }

  for(group: RenderGroup, visibleFrom: number): Buffer | Promise<Buffer> {
    const sight = this.sight(visibleFrom);
    const key = sight === 0 ? group.key : `${sight} ${group.key}`;
    let bytes = this.rendered.get(key);
    if (!bytes) {
      bytes = group.render(this.event, sight);
      this.rendered.set(key, bytes);
      if (bytes instanceof Promise) {
        bytes.then(
          (made) => this.rendered.set(key, made),
          () => this.rendered.delete(key),
        );
      }
    }
    return bytes;
  }
}
