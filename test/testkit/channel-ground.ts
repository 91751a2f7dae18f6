import type { LoaderScope } from '../../src/db/loaders.js';
import type { ChatEventRef, LoggedEvent } from '../../src/events/catalogue.js';
import type { Published } from '../../src/events/log.js';
import { Tail } from '../../src/events/tail.js';
import type { Attachment, ResetReason } from '../../src/server/realtime/attachment.js';
import { Channel } from '../../src/server/realtime/channel.js';
import type { RenderGroup } from '../../src/server/realtime/render-group.js';
import type { MessageRow } from '../../src/services/loaders/messages.js';
import { groupOf, ListSink, offsetsOnly } from './fake-groups.js';
import { EPOCH, FakeLog, quiet, turns } from './fake-log.js';

export const CHAT = '00000000-0000-4000-8000-0000000000c1';
export const STREAM = `chat:${CHAT}`;
export const VIEWER = 'u1';
export const sent = (seq: number): ChatEventRef => ({ kind: 'message.sent', seq });
export const row = (seq: number, more: Partial<MessageRow> = {}): MessageRow => ({
  chatId: CHAT, seq, senderId: VIEWER, kind: 'TEXT', version: 1, createdAt: new Date(0), editedAt: null, deletedAt: null, expiresAt: null, replyToSeq: null, threadRootSeq: null,
  threadCount: 0, threadLastAt: null, text: `text ${seq}`, mentions: null, forward: null, card: null, preview: null, reactions: null, ...more,
});

/** A channel on a real tail; the log, the rows and the executor are stand-ins. */
export class Ground {
  readonly log = new FakeLog();
  readonly rows = new Map<number, MessageRow>();
  readonly errors: string[] = [];
  /** Thrown by the next loadings of rows, one each. */
  readonly failures: Error[] = [];
  /** What the channel takes for the time, milliseconds. */
  now = 0;
  readonly channel: Channel;
  readonly tail: Tail;

  constructor(keepLinksMs = 3_600_000) {
    const load = async (_def: unknown, { seq }: { seq: number }) => {
      await turns(1);
      const failure = this.failures.shift();
      if (failure) throw failure;
      return { ...(this.rows.get(seq) ?? row(seq)) };
    };
    this.channel = new Channel(STREAM, {
      log: this.log,
      recent: { take: () => undefined },
      receipts: { snapshot: async () => null },
      clock: { now: () => new Date(this.now) },
      keepLinksMs,
      scope: () => ({ load }) as unknown as LoaderScope,
      isPassing: (error) => (error as Error).message === 'away',
      onError: (error) => this.errors.push((error as Error).message),
    });
    this.tail = new Tail(STREAM, this.log, this.channel, quiet);
    this.log.stream(STREAM);
  }

  start(head = this.log.stream(STREAM).events.length): void {
    this.tail.start({ epoch: EPOCH, head });
  }
  commit(...refs: ChatEventRef[]): Published {
    return this.log.commit(STREAM, ...refs);
  }
  publish(...refs: ChatEventRef[]): void {
    this.tail.accept(this.commit(...refs));
  }
  member(group: RenderGroup = groupOf(offsetsOnly), visibleFrom = 1): Member {
    return new Member(group, visibleFrom);
  }
  get head(): number {
    return this.log.stream(STREAM).events.length;
  }
}

export class Member implements Attachment {
  readonly sink = new ListSink();
  readonly viewerId = VIEWER;
  readonly delivered: number[] = [];
  readonly resets: ResetReason[] = [];
  revoked = 0;
  constructor(
    readonly group: RenderGroup,
    readonly visibleFrom: number,
  ) {}
  onRevoked(): void {
    this.revoked++;
  }
  onReset(reason: ResetReason): void {
    this.resets.push(reason);
  }
  onDelivered({ pos }: LoggedEvent): void {
    this.delivered.push(pos);
  }
}

export const range = (from: number, to: number) => [...Array(Math.max(0, to - from + 1))].map((_, index) => from + index);
