import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Clock } from './lib/clock.js';
import { MessageReferenceResolver, MessageResolver } from './resolvers/message.js';
import { MessageChangesResolver, MessageMarksChangedResolver, MessageSharingResolver, StarredMessagesResolver } from './resolvers/message-changes.js';
import { ChatMessagesResolver, ForwardOriginResolver, MessagePartsResolver, ReactionGroupResolver, ThreadSummaryResolver } from './resolvers/message-parts.js';
import { PollCardResolver, PollOptionResolver } from './resolvers/poll.js';
import type { ChatAccessReader } from './services/chat-access.js';
import type { ChatService } from './services/chats.js';
import { ForwardService } from './services/forwards.js';
import { MessageEditService } from './services/message-edits.js';
import { MessageMarkService } from './services/message-marks.js';
import { MessageService } from './services/messages.js';
import type { ModerationGate } from './services/moderation/gate.js';
import { PinService } from './services/pins.js';
import { PollService } from './services/polls.js';
import { ReactionService } from './services/reactions.js';
import type { SendQueue } from './services/send-queue.js';

export interface MessageDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  access: ChatAccessReader;
  sendQueue: SendQueue;
  chats: ChatService;
  gate: ModerationGate;
}

/** The part of the container that is about messages: what is sent, and all that happens to it. */
export function makeMessages({ db, unitOfWork, clock, access, sendQueue, chats, gate }: MessageDeps): { messages: MessageService; resolvers: object[] } {
  const messages = new MessageService(db.sql, unitOfWork, sendQueue, access, gate);
  const edits = new MessageEditService(unitOfWork, gate);
  const marks = new MessageMarkService(db.sql, unitOfWork);
  const pins = new PinService(db.sql, unitOfWork);
  const polls = new PollService(unitOfWork);
  const reactions = new ReactionService(unitOfWork);
  const forwards = new ForwardService(db.sql, clock, access, messages);
  return {
    messages,
    resolvers: [
      new MessageResolver(messages),
      new MessageReferenceResolver(),
      new MessagePartsResolver(edits, marks),
      new ReactionGroupResolver(reactions),
      new ThreadSummaryResolver(messages),
      new ForwardOriginResolver(chats, messages),
      new ChatMessagesResolver(messages, pins),
      new PollCardResolver(),
      new PollOptionResolver(polls),
      new MessageChangesResolver(edits, marks, forwards),
      new MessageSharingResolver(reactions, pins, polls),
      new StarredMessagesResolver(marks),
      new MessageMarksChangedResolver(messages),
    ],
  };
}
