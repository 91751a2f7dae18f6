import { SharedContext, type Context } from '../../src/resolvers/context.js';
import type { LoaderScope } from '../../src/db/loaders.js';
import { RenderGroup } from '../../src/server/realtime/render-group.js';
import type { Sink } from '../../src/server/realtime/sink.js';

export interface Shown {
  __typename: string;
  pos: number;
  [field: string]: unknown;
}
/** What a document's execution would make of an event, asking the context what may be shown. */
export type Execute = (event: Shown, context: Context) => { data: unknown; errors?: Error[] } | Promise<{ data: unknown; errors?: Error[] }>;

const NO_SCOPE = {} as LoaderScope;

/** A group over a stand-in for the executor. */
export function groupOf(execute: Execute, key = 'shared'): RenderGroup & { executions: number } {
  const prepared = {
    rootField: 'chatEvents',
    execute: (root: { chatEvents: Shown }, context: Context) => {
      group.executions++;
      return execute(root.chatEvents, context);
    },
  };
  const contexts = { shared: (chatId: string, from: number) => new SharedContext(NO_SCOPE, chatId, from), personal: () => ({}) as Context };
  const errors = { map: (error: Error) => ({ message: error.message, extensions: { code: error.message === 'away' ? 'UNAVAILABLE' : 'INTERNAL' } }) };
  const group = Object.assign(new RenderGroup(key, null, null, prepared as never, {}, contexts, errors as never), { executions: 0 });
  return group;
}

/** The offsets alone, at once. */
export const offsetsOnly: Execute = ({ pos }) => ({ data: pos });

/** Keeps what is written, parsed. */
export class ListSink implements Sink {
  closed = false;
  readonly got: unknown[] = [];
  readonly errors: unknown[] = [];
  completed = 0;
  slow: Promise<void> | null = null;

  next(payload: Buffer): void {
    if (!this.closed) this.got.push((JSON.parse(payload.toString()) as { data: unknown }).data);
  }
  error(errors: readonly { extensions?: { code?: unknown } }[]): void {
    if (!this.closed) this.errors.push(errors[0]!.extensions?.code);
    this.closed = true;
  }
  complete(): void {
    if (!this.closed) this.completed++;
    this.closed = true;
  }
  drained(): Promise<void> | null {
    return this.slow;
  }
}
