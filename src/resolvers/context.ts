import { LoaderScope, type AcrossViewers, type LoaderDef } from '../db/loaders.js';
import type { Database, Sql } from '../db/database.js';
import type { UserRole } from '../entities/user.js';
import { unauthenticated } from '../lib/errors.js';
import { callerOf, type CallCaller, type Guest } from '../services/calls/caller.js';
import { viewerMembership } from '../services/loaders/chats.js';

/** Whoever is signed in, as the access token says. */
export interface Viewer {
  userId: string;
  sessionId: string;
  role: UserRole;
  /** What an app that acts for them was given; null: all that they may. */
  scopes?: readonly string[] | null;
  /** The app that holds the session, if one does. */
  appId?: string | null;
  plan?: string | null;
  /** The app executes nothing but the operations that it has registered. */
  registeredOnly?: boolean;
}

export interface RequestInfo {
  id: string;
  /** The client's address, for limits. */
  address: string;
}

/** What a resolver may ask of its surroundings. */
export abstract class Context {
  constructor(
    protected readonly scope: LoaderScope,
    readonly request: RequestInfo,
  ) {}

  /** The time of this operation. */
  get now(): Date {
    return this.scope.deps.now;
  }

  /** Null for the anonymous. Throws in a shared execution: nothing there may depend on who asks. */
  abstract get viewer(): Viewer | null;
  /**
   * The first message of the chat that may be shown. Of one message ask `sees` instead: what was rendered by asking
   * this is shared only among those who joined at the same message.
   */
  abstract visibleFrom(chatId: string): number | Promise<number>;
  /** Whether a message may be shown, going by when the viewer joined its chat. */
  abstract sees(chatId: string, seq: number): boolean | Promise<boolean>;

  /** Whether what is shown is shown to guests of calls, who see of people no more than their names. */
  abstract readonly forGuests: boolean;
  /** Who does something in a call: a person, or a guest. Throws `UNAUTHENTICATED` for the anonymous. */
  abstract requireCaller(): CallCaller;

  /** Throws `UNAUTHENTICATED` for the anonymous, and for guests of calls. */
  requireViewer(): Viewer {
    if (!this.viewer) throw unauthenticated();
    return this.viewer;
  }

  /** To be called after a write: what was loaded before it is loaded again. */
  forget(): void {
    this.scope.forget();
  }
  /** What is kept in this process, without waiting; undefined when it must be loaded. */
  peek<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Value | undefined {
    return this.scope.peek(def, key);
  }
  load<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Promise<Value | null> {
    return this.scope.load(def, key);
  }
  loadMany<Key, Value>(def: LoaderDef<Key, Value>, keys: readonly Key[]): Promise<(Value | null)[]> {
    return this.scope.loadMany(def, keys);
  }
  prime<Key, Value>(def: LoaderDef<Key, Value>, key: Key, value: Value | null): void {
    this.scope.prime(def, key, value);
  }
}

/** One operation of one person (or of nobody). */
export class RequestContext extends Context {
  constructor(
    db: Database,
    now: Date,
    request: RequestInfo,
    readonly viewer: Viewer | null,
    across: AcrossViewers | null = null,
    private readonly guest: Guest | null = null,
    /** Of a query: replicas may answer it. */
    reads?: Sql,
  ) {
    super(new LoaderScope({ sql: db.sql, now, viewerId: viewer?.userId ?? null, ...(reads && { reads }) }, db.cache, across), request);
  }

  get forGuests(): boolean {
    return this.guest !== null;
  }

  requireCaller(): CallCaller {
    const caller = callerOf(this.viewer, this.guest);
    if (!caller) throw unauthenticated();
    return caller;
  }

  async visibleFrom(chatId: string): Promise<number> {
    return (await this.load(viewerMembership, chatId))?.visibleFromSeq ?? Number.MAX_SAFE_INTEGER;
  }

  async sees(chatId: string, seq: number): Promise<boolean> {
    return seq >= (await this.visibleFrom(chatId));
  }
}

const NO_REQUEST: RequestInfo = { id: 'event', address: '' };

/**
 * One event of a chat, executed once for everybody who gets the same bytes: it notes which messages were asked about, and so
 * knows for whom else, by when they joined, the result would be the same.
 */
export class SharedContext extends Context {
  /** The result is the same for every `visibleFrom` above this … */
  above = -1;
  /** … and up to this. */
  upTo = Number.MAX_SAFE_INTEGER;
  /** Messages that were shown. */
  readonly shown: number[] = [];
  /** Where something that depends on the viewer is to be put in: which part, and the object that it stands in. */
  readonly marks: { part: number; parent: unknown }[] = [];

  constructor(
    scope: LoaderScope,
    private readonly chatId: string,
    private readonly from: number,
    readonly forGuests = false,
  ) {
    super(scope, NO_REQUEST);
  }

  requireCaller(): never {
    throw new Error('A shared execution has no caller.');
  }

  get viewer(): Viewer | null {
    throw new Error('A shared execution has no viewer: this field must stand under viewerState, or be marked viewer-dependent.');
  }

  visibleFrom(chatId: string): number {
    this.#assertOwn(chatId);
    this.above = this.from - 1;
    this.upTo = this.from;
    return this.from;
  }

  sees(chatId: string, seq: number): boolean {
    this.#assertOwn(chatId);
    if (seq < this.from) {
      if (seq > this.above) this.above = seq;
      return false;
    }
    if (seq < this.upTo) this.upTo = seq;
    this.shown.push(seq);
    return true;
  }

  mark(part: number, parent: unknown): number {
    return this.marks.push({ part, parent }) - 1;
  }

  #assertOwn(chatId: string): void {
    if (chatId !== this.chatId) throw new Error('A shared execution knows one chat: a field that shows another chat’s messages must be marked viewer-dependent.');
  }
}
