import type { LoggedEvent } from '../../events/catalogue.js';
import type { RenderGroup } from './render-group.js';
import type { Sink } from './sink.js';

/** One subscription's place on one stream. */
export interface Attachment {
  readonly sink: Sink;
  readonly group: RenderGroup;
  readonly viewerId: string;
  /** The first message that the viewer may see in this chat. */
  readonly visibleFrom: number;
  /** The viewer has left the chat (or call): the last event, which this is, has been written. */
  onRevoked(last: LoggedEvent): void;
  /** Nothing more comes. */
  onReset(reason: ResetReason): void;
  /** Whether an event is for them; asked once for each, in order, before it is written. Null: what is not in the log (receipts), asked at any time. Default: all are. */
  hears?(event: LoggedEvent | null): boolean;
  /** Whether it is the last for them. Default: that of their leaving the chat. */
  isLast?(event: LoggedEvent): boolean;
  /** Sees each event after it was written; the inbox follows its own stream by it. */
  onDelivered?(event: LoggedEvent): void;
}

/** Why a stream ends: it can't be continued (`epoch`), could not be read (`unavailable`: resume in a moment), or holds an event that this process can't show (`unreadable`). */
export type ResetReason = 'epoch' | 'unavailable' | 'unreadable';
/** Why a stream can't be continued from a cursor, as the schema's ResyncReason says it. */
export type ResyncReason = 'EXPIRED' | 'EPOCH_CHANGED' | 'TOO_FAR_BEHIND' | 'AHEAD' | 'UNREADABLE';
export type ReplayResult = 'live' | 'closed' | ResyncReason;
