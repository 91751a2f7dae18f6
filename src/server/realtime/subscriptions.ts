import { createHash } from 'node:crypto';
import type { GraphQLFormattedError } from 'graphql';
import { AcrossViewers, LoaderScope, SharedDeps } from '../../db/loaders.js';
import type { Database } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput, unauthenticated } from '../../lib/errors.js';
import { NIL_UUID } from '../../lib/ids.js';
import { RequestContext, SharedContext, type RequestInfo, type Viewer } from '../../resolvers/context.js';
import { callerOf, type CallCaller } from '../../services/calls/caller.js';
import type { Caller } from '../operations.js';
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

/** Somebody who listens to a call: a person, or a guest. */
export interface CallSubscriber extends Omit<Subscriber, 'viewer'> {
  caller: CallCaller;
}

/** A source that serves guests of calls too. */
export interface CallEventsSource {
  openFor(subscriber: CallSubscriber, args: Record<string, unknown>): Promise<() => void>;
}

/** An event on a person's own stream is shown to all of their devices alike. */
const NO_SESSION = NIL_UUID;

/** Of what tells subscriptions apart: a group keeps it as long as it stands. */
const MAX_VARIABLES_BYTES = 32_768;

/** Opens subscriptions: finds or makes the group that a subscriber belongs to, and hands it to the field's source. */
export class Subscriptions {
  readonly #groups = new Map<string, RenderGroup>();
  #shared: LoaderScope | null = null;
  #across: AcrossViewers | null = null;

  constructor(
    private readonly sources: Readonly<Record<string, Source | CallEventsSource>>,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly errors: ErrorMapper,
  ) {}

  get groups(): number {
    return this.#groups.size;
  }

  /** Resolves with the function that ends the subscription; when it can't be, the sink is told and the function does nothing. */
  async open({ viewer, guest }: Pick<Caller, 'viewer' | 'guest'>, request: RequestInfo, prepared: Prepared, variables: Record<string, unknown>, args: Record<string, unknown>, sink: Sink): Promise<() => void> {
    let group: RenderGroup | null = null;
    try {
      const caller = callerOf(viewer, guest);
      const source = this.sources[prepared.rootField!];
      if (!caller) throw unauthenticated();
      if (!source) throw new DomainError('BAD_REQUEST', 'There is no such subscription.');
      if (!viewer && !('openFor' in source)) throw unauthenticated();
      group = this.#group({ viewer, guest }, request, prepared, variables);
      const end = 'openFor' in source ? await source.openFor({ caller, request, sink, group }, args) : await source.open({ viewer: viewer!, request, sink, group }, args);
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
      this.#shared = new LoaderScope(new SharedDeps(this.db.sql, this.clock.now()), this.db.cache);
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

  #group({ viewer, guest }: Pick<Caller, 'viewer' | 'guest'>, request: RequestInfo, prepared: Prepared, given: Record<string, unknown>): RenderGroup {
    const variables = declared(prepared, given);
    const key = keyOf(prepared, variables);
    // Guests see less of people than others do, so that they never share what is rendered for those.
    // What an app may know for somebody is less than what they may themself, beyond what its scopes say of a document.
    const by = viewer?.scopes ? ` by ${viewer.appId ?? ''}` : '';
    const groupKey = guest ? `guest${prepared.viewerDependent ? ` ${guest.tokenId}` : ''} ${key}` : prepared.viewerDependent ? `${viewer!.userId}${by} ${key}` : key;
    const ownerId = prepared.viewerDependent ? (viewer?.userId ?? guest!.tokenId) : null;
    let group = this.#groups.get(groupKey);
    if (!group) {
      const contexts: ContextMaker = {
        shared: (chatId, visibleFrom) => new SharedContext(this.sharedScope(), chatId, visibleFrom, guest !== null),
        personal: (userId) =>
          guest
            ? new RequestContext(this.db, this.clock.now(), request, null, null, guest)
            : new RequestContext(this.db, this.clock.now(), request, userId === viewer?.userId ? viewer : { userId, sessionId: NO_SESSION, role: 'USER' }, this.#acrossViewers()),
      };
      const half = prepared.split && new SharedHalf(key, prepared, prepared.split, variables, contexts);
      this.#groups.set(groupKey, (group = new RenderGroup(groupKey, ownerId, half, prepared, variables, contexts, this.errors)));
    }
    group.members++;
    return group;
  }

  #leave(group: RenderGroup): void {
    if (--group.members === 0) this.#groups.delete(group.key);
  }
}

/** What the operation has a place for: nothing else that was sent along is kept, or tells groups apart. In the order of the document. */
function declared({ operation }: Prepared, given: Record<string, unknown>): Record<string, unknown> {
  const names = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  return Object.fromEntries(names.filter((name) => Object.hasOwn(given, name)).map((name) => [name, given[name]]));
}

/** What is rendered is kept under it for each event: it is short, however long the document is. Throws INVALID_INPUT. */
function keyOf({ text, cursorVariables }: Prepared, variables: Record<string, unknown>): string {
  const told = JSON.stringify(Object.entries(variables).filter(([name]) => !cursorVariables.has(name)));
  if (Buffer.byteLength(told) > MAX_VARIABLES_BYTES) throw invalidInput('variables', `The variables of a subscription, cursors aside, are at most ${MAX_VARIABLES_BYTES / 1024} KiB.`);
  return createHash('sha256').update(told).update('\n').update(text).digest('base64');
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
