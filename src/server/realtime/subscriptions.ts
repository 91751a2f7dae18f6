import type { GraphQLFormattedError } from 'graphql';
import { AcrossViewers, LoaderScope } from '../../db/loaders.js';
import type { Database } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, unauthenticated } from '../../lib/errors.js';
import { RequestContext, SharedContext, type RequestInfo, type Viewer } from '../../resolvers/context.js';
import type { Prepared } from '../engine.js';
import type { ErrorMapper } from '../errors.js';
import { RenderGroup, SharedHalf, type ContextMaker } from './render-group.js';
import type { Sink } from './sink.js';

export interface Subscriber {
  viewer: Viewer;
  request: RequestInfo;
  sink: Sink;
  group: RenderGroup;
}

/** Where the events of one subscription field come from. */
export interface Source {
  /**
   * Begins to write to the sink. Resolves when the subscription stands; the result ends it.
   * Throws a DomainError when it may not be. May find the sink closed at any moment.
   */
  open(subscriber: Subscriber, args: Record<string, unknown>): Promise<() => void>;
}

/** An event on a person's own stream is shown to all of their devices alike. */
const NO_SESSION = '00000000-0000-0000-0000-000000000000';

/** Opens subscriptions: finds or makes the group that a subscriber belongs to, and hands it to the field's source. */
export class Subscriptions {
  readonly #groups = new Map<string, RenderGroup>();
  #shared: LoaderScope | null = null;
  #across: AcrossViewers | null = null;

  constructor(
    private readonly sources: Readonly<Record<string, Source>>,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly errors: ErrorMapper,
  ) {}

  get groups(): number {
    return this.#groups.size;
  }

  /** Resolves with the function that ends the subscription; when it can't be, the sink is told and the function does nothing. */
  async open(viewer: Viewer | null, request: RequestInfo, prepared: Prepared, variables: Record<string, unknown>, args: Record<string, unknown>, sink: Sink): Promise<() => void> {
    let group: RenderGroup | null = null;
    try {
      if (!viewer) throw unauthenticated();
      const source = this.sources[prepared.rootField!];
      if (!source) throw new DomainError('BAD_REQUEST', 'There is no such subscription.');
      group = this.#group(viewer, request, prepared, variables);
      const end = await source.open({ viewer, request, sink, group }, args);
      const joined = group;
      return once(() => {
        end();
        this.#leave(joined);
      });
    } catch (error) {
      if (group) this.#leave(group);
      sink.error([this.errors.map(error as Error) as GraphQLFormattedError]);
      return () => undefined;
    }
  }

  /** The loaders of everything that is executed for all in one go: read once, used by each group. */
  sharedScope(): LoaderScope {
    if (!this.#shared) {
      this.#shared = new LoaderScope({ sql: this.db.sql, now: this.clock.now(), viewerId: null }, this.db.cache);
      // No longer: whatever is asked after the next statement has been sent must not be answered from before it.
      process.nextTick(() => (this.#shared = null));
    }
    return this.#shared;
  }

  /** As `sharedScope`, for what is asked of one event for each of many viewers. */
  #acrossViewers(): AcrossViewers {
    if (!this.#across) {
      this.#across = new AcrossViewers({ sql: this.db.sql, now: this.clock.now() });
      process.nextTick(() => (this.#across = null));
    }
    return this.#across;
  }

  #group(viewer: Viewer, request: RequestInfo, prepared: Prepared, variables: Record<string, unknown>): RenderGroup {
    const told = Object.entries(variables).filter(([name]) => !prepared.cursorVariables.has(name));
    const key = JSON.stringify([prepared.text, told.sort(([a], [b]) => (a < b ? -1 : 1))]);
    const groupKey = prepared.viewerDependent ? `${viewer.userId} ${key}` : key;
    let group = this.#groups.get(groupKey);
    if (!group) {
      const contexts: ContextMaker = {
        shared: (chatId, visibleFrom) => new SharedContext(this.sharedScope(), chatId, visibleFrom),
        personal: (userId) =>
          new RequestContext(this.db, this.clock.now(), request, userId === viewer.userId ? viewer : { userId, sessionId: NO_SESSION, role: 'USER' }, this.#acrossViewers()),
      };
      const half = prepared.split && new SharedHalf(key, prepared, prepared.split, variables, contexts);
      this.#groups.set(groupKey, (group = new RenderGroup(groupKey, prepared.viewerDependent ? viewer.userId : null, half, prepared, variables, contexts, this.errors)));
    }
    group.members++;
    return group;
  }

  #leave(group: RenderGroup): void {
    if (--group.members === 0) this.#groups.delete(group.key);
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
