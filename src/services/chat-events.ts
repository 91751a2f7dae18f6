import type { CallEventRef, CartEventRef, ChatEventRef, LoggedEvent, NewsEventRef, UserEventRef } from '../events/catalogue.js';
import { hydrateBotEvent } from './bots/bot-events.js';
import { hydrateCallEvent, CALL_OF_CHAT_EVENTS } from './calls/call-events.js';
import { hydrateCartEvent } from './commerce/cart-events.js';
import { parseStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import { encodeId, encodeMessageId } from '../lib/ids.js';
import { canSeeGroup } from '../policies/group-policy.js';
import { callLogEntry } from './loaders/call-log.js';
import { accountById } from './loaders/accounts.js';
import { messageByKey, type MessageRow } from './loaders/messages.js';
import { chatMember } from './loaders/chats.js';
import { messageMark } from './loaders/message-parts.js';
import { blockOf, contactOf } from './loaders/relations.js';
import { fileById } from './loaders/files.js';
import { groupById, groupMember } from './loaders/groups.js';
import { moderationCaseFor } from './loaders/moderation.js';
import { mlsCommit } from './loaders/mls.js';
import { streamHead } from './loaders/streams.js';
import { supportCaseFor } from './loaders/support.js';
import { hydrateStatusEvent } from './statuses/status-events.js';
import { chatStream } from '../events/catalogue.js';
import type { LoaderDef } from '../db/loaders.js';

const STREAM_IDS = { chat: 'Chat', user: 'User', call: 'Call', news: 'NewsSource', cart: 'Cart' } as const;

/** An event as the schema shows it: the root of one execution. */
export class DeliveredEvent {
  [body: string]: unknown;
  /** Messages whose contents this event can show, by number, ascending: decides who sees a redacted form. */
  readonly refs: readonly number[];

  constructor(
    readonly __typename: string,
    readonly stream: string,
    readonly epoch: string,
    readonly pos: number,
    readonly at: Date,
    body: object,
    refs: readonly number[] = [],
  ) {
    this.refs = refs;
    Object.assign(this, body);
  }

  get streamId(): string {
    const { kind, id } = parseStream(this.stream);
    return encodeId(STREAM_IDS[kind], id);
  }
  get cursor(): string {
    return encodeCursor(this.stream, this.epoch, this.pos);
  }
  get offset(): number {
    return this.pos;
  }
}

export type Load = <Key, Value>(def: LoaderDef<Key, Value>, key: Key) => Promise<Value | null>;

const MESSAGE_EVENTS = {
  'message.sent': 'MessageSent',
  'message.updated': 'MessageUpdated',
  'message.deleted': 'MessageDeleted',
  'reactions.changed': 'ReactionsChanged',
  'pins.changed': 'PinnedMessagesChanged',
} as const;
const MEMBER_EVENTS = { 'member.joined': 'MemberJoined', 'member.left': 'MemberLeft', 'member.updated': 'MemberUpdated' } as const;

/** Turns a logged event (ids) into what is shown (today's rows). Contents that the caller knows already are given as `known`. */
export function hydrate(stream: string, epoch: string, event: LoggedEvent, load: Load, known?: MessageRow): DeliveredEvent | Promise<DeliveredEvent> {
  const { kind, id } = parseStream(stream);
  const make = (typename: string, body: object, refs?: number[]) => new DeliveredEvent(typename, stream, epoch, event.pos, new Date(event.at), body, refs);
  if (kind === 'news') return hydrateNewsEvent(id, event.ref as NewsEventRef, make);
  if (kind === 'cart') return hydrateCartEvent(id, event.ref as CartEventRef, make, load);
  if (kind === 'call') return hydrateCallEvent(id, event.ref as CallEventRef, make, load);
  return kind === 'chat' ? hydrateChatEvent(id, event.ref as ChatEventRef, make, load, known) : hydrateUserEvent(id, event.ref as UserEventRef, make, load);
}

export type Make = (typename: string, body: object, refs?: number[]) => DeliveredEvent;

function hydrateNewsEvent(sourceId: string, ref: NewsEventRef, make: Make): DeliveredEvent {
  // A newer server may have written what this one has never heard of.
  if ((ref.kind as string) !== 'news.published') throw new Error(`There is no shape for ${ref.kind}.`);
  return make('NewsPublished', { sourceId: encodeId('NewsSource', sourceId), articleId: encodeId('NewsArticle', ref.articleId), articleKey: ref.articleId });
}

function hydrateChatEvent(chatId: string, ref: ChatEventRef, make: Make, load: Load, known?: MessageRow): DeliveredEvent | Promise<DeliveredEvent> {
  const chat = { chatId: encodeId('Chat', chatId), chatKey: chatId };
  switch (ref.kind) {
    case 'message.sent':
    case 'message.updated':
    case 'message.deleted':
    case 'reactions.changed':
    case 'pins.changed': {
      const built = (row: MessageRow | null) =>
        make(
          MESSAGE_EVENTS[ref.kind],
          { ...chat, messageId: encodeMessageId(chatId, ref.seq), row, ...(ref.kind === 'pins.changed' ? { pinned: ref.pinned } : {}) },
          [row?.replyToSeq, row?.threadRootSeq, ref.seq].filter((seq) => seq != null).sort((a, b) => a - b),
        );
      return known ? built(known) : load(messageByKey, { chatId, seq: ref.seq }).then(built);
    }
    case 'member.joined':
    case 'member.left':
    case 'member.updated':
      return make(MEMBER_EVENTS[ref.kind], { ...chat, userKey: ref.userId });
    case 'chat.updated':
      return make('ChatUpdated', chat);
    case 'document.changed':
      return make('DocumentChanged', { ...chat, documentId: encodeId('Document', ref.documentId), documentKey: ref.documentId });
    case 'groupbuy.changed':
      return make('GroupBuyChanged', { ...chat, groupBuyId: encodeId('GroupBuy', ref.groupBuyId), groupBuyKey: ref.groupBuyId });
    case 'call.started':
    case 'call.ended':
      return make(CALL_OF_CHAT_EVENTS[ref.kind], { ...chat, callId: encodeId('Call', ref.callId), callKey: ref.callId });
    case 'encryption.committed':
      return load(mlsCommit, { chatId, generation: ref.generation, epoch: ref.epoch }).then((commit) => make('EncryptionCommitted', { ...chat, commit }));
    case 'encryption.changed':
      return make('EncryptionChanged', chat);
  }
}

async function hydrateUserEvent(userId: string, ref: UserEventRef, make: Make, load: Load): Promise<DeliveredEvent> {
  switch (ref.kind) {
    case 'chat.added': {
      const member = await load(chatMember, { chatId: ref.chatId, userId });
      const stream = chatStream(ref.chatId);
      const epoch = member && (await load(streamHead, stream))!.epoch;
      const chatCursor = member && encodeCursor(stream, epoch!, member.visibleFromPos);
      return make('ChatAdded', { chatId: encodeId('Chat', ref.chatId), chatKey: ref.chatId, gone: !member, chatCursor });
    }
    case 'message.marks': {
      const key = { chatId: ref.chatId, seq: ref.seq };
      const marks = (await load(messageMark, { ...key, userId }))!;
      return make('MessageMarksChanged', { chatId: encodeId('Chat', key.chatId), messageId: encodeMessageId(key.chatId, key.seq), key, starred: marks.starred, deletedForViewer: marks.deletedForViewer });
    }
    case 'chat.removed':
      return make('ChatRemoved', { chatId: encodeId('Chat', ref.chatId) });
    case 'chat.settings': {
      const settings = await load(chatMember, { chatId: ref.chatId, userId });
      return make('ChatSettingsChanged', { chatId: encodeId('Chat', ref.chatId), chatKey: ref.chatId, gone: !settings, settings });
    }
    case 'group.changed': {
      const [group, membership] = await Promise.all([load(groupById, ref.groupId), load(groupMember, { groupId: ref.groupId, userId })]);
      return make('GroupChanged', { groupId: encodeId('Group', ref.groupId), group: group && canSeeGroup({ group, membership }) ? group : null });
    }
    case 'sessions.changed':
      return make('SessionsChanged', { sessionId: encodeId('Session', ref.sessionId) });
    case 'welcome.added':
      return make('WelcomeAdded', { welcomeId: encodeId('Welcome', ref.welcomeId), deviceId: encodeId('Device', ref.deviceId), chatId: encodeId('Chat', ref.chatId) });
    case 'keypackages.low':
      return make('KeyPackagesLow', { deviceId: encodeId('Device', ref.deviceId) });
    case 'scheduled.changed':
      return make('ScheduledMessageChanged', { scheduledMessageId: encodeId('ScheduledMessage', ref.scheduledId), scheduledKey: ref.scheduledId });
    case 'moderation.changed':
      return make('ModerationCaseChanged', { caseId: encodeId('ModerationCase', ref.caseId), case: await load(moderationCaseFor, { caseId: ref.caseId, userId }) });
    case 'support.changed':
      return make('SupportCaseChanged', { supportCaseId: encodeId('SupportCase', ref.caseId), supportCase: await load(supportCaseFor, { caseId: ref.caseId, userId }) });
    case 'account.changed': {
      const account = await load(accountById, userId);
      return make('AccountChanged', { ...account, roles: account ? [account.role] : [] });
    }
    case 'file.changed': {
      const file = await load(fileById, ref.fileId);
      return make('FileChanged', { fileId: encodeId('File', ref.fileId), file: file?.state === 'DELETED' ? null : file });
    }
    case 'call.incoming':
      return make('IncomingCall', { callId: encodeId('Call', ref.callId), callKey: ref.callId });
    case 'call.ring.ended':
      return make('CallRingEnded', { callId: encodeId('Call', ref.callId), callKey: ref.callId, endReason: ref.reason });
    case 'call.log':
      return make('CallLogChanged', { callId: encodeId('Call', ref.callId), entry: await load(callLogEntry, { callId: ref.callId, userId }) });
    case 'notification.added':
      return make('NotificationAdded', { notificationId: encodeId('Notification', ref.notificationId), notificationKey: ref.notificationId });
    case 'notifications.read':
      return make('NotificationsRead', { ownerKey: userId });
    case 'notification.preferences':
      return make('NotificationPreferencesChanged', {});
    case 'profile.changed':
      return make('ProfileChanged', { userKey: userId });
    case 'contact.changed': {
      const contact = await load(contactOf, { ownerId: userId, otherId: ref.userId });
      return make('ContactChanged', { userId: encodeId('User', ref.userId), userKey: ref.userId, contact });
    }
    case 'block.changed': {
      const block = await load(blockOf, { ownerId: userId, otherId: ref.userId });
      return make('BlockChanged', { userId: encodeId('User', ref.userId), userKey: ref.userId, blocked: block !== null });
    }
    case 'status.posted':
    case 'status.deleted':
    case 'status.viewed':
    case 'status.marks':
    case 'status.muted':
    case 'status.highlight':
      return hydrateStatusEvent(userId, ref, make, load);
    case 'bot.changed':
    case 'button.pressed':
    case 'form.submitted':
    case 'callback.answered':
      return hydrateBotEvent(ref, make, load);
    case 'order.changed':
      return make('OrderChanged', { orderId: encodeId('Order', ref.orderId), orderKey: ref.orderId });
    default:
      // A newer server may have written what this one has never heard of.
      throw new Error(`There is no shape for ${(ref as { kind: string }).kind}.`);
  }
}
