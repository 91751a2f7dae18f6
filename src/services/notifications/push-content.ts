import type { NotificationKind, PushContent } from '../../entities/notification.js';
import { encodeId, encodeMessageId } from '../../lib/ids.js';
import type { PushPayload } from '../../push/contract.js';

/** What a push is about, as it is now. */
export interface PushSubject {
  kind: NotificationKind;
  slot: string;
  at: Date;
  count: number;
  content: PushContent;
  /** By the name that the receiver knows them by. */
  actorName: string | null;
  actorId: string | null;
  chatId: string | null;
  chatKind: 'DIRECT' | 'GROUP' | null;
  chatTitle: string | null;
  seq: number | null;
  messageKind: string | null;
  cardType: string | null;
  text: string | null;
  emoji: string | null;
  callId: string | null;
  callKind: 'VOICE' | 'VIDEO' | null;
  groupId: string | null;
  groupName: string | null;
}

/** A push holds at most 4 KB (RFC 8030 asks no more of services, FCM takes no more): these leave room for ids, and for what escaping adds. */
const MAX_NAME_BYTES = 160;
const MAX_BODY_BYTES = 1_200;

/** What a device shows, within the bounds of push services. */
export function payloadOf(subject: PushSubject): PushPayload {
  const { kind, slot, at, count, chatId, seq, callId, groupId, actorId, content } = subject;
  const { title, body } = content === 'NOTHING' ? { title: 'OmniTalk', body: 'Something new' } : wordsOf(subject);
  return {
    v: 1,
    kind,
    tag: slot,
    title: cut(title, MAX_NAME_BYTES),
    body: cut(body, MAX_BODY_BYTES),
    count,
    at: at.toISOString(),
    ...(chatId ? { chatId: encodeId('Chat', chatId) } : {}),
    ...(chatId && seq !== null ? { messageId: encodeMessageId(chatId, seq) } : {}),
    ...(callId ? { callId: encodeId('Call', callId) } : {}),
    ...(groupId ? { groupId: encodeId('Group', groupId) } : {}),
    ...(actorId && content !== 'NOTHING' ? { userId: encodeId('User', actorId) } : {}),
  };
}

function wordsOf(subject: PushSubject): { title: string; body: string } {
  const who = cut(subject.actorName ?? 'Somebody', MAX_NAME_BYTES / 2);
  const where = subject.chatTitle ?? 'a chat';
  const more = subject.count > 1 ? ` and ${subject.count - 1} more` : '';
  switch (subject.kind) {
    case 'DIRECT_MESSAGE':
    case 'GROUP_MESSAGE':
      return messages(subject, who);
    case 'MENTION':
      return { title: `${who} mentioned you${inChat(subject)}`, body: textOf(subject) };
    case 'REPLY':
      return { title: `${who} replied to you${inChat(subject)}`, body: textOf(subject) };
    case 'STATUS_REPLY':
      return { title: `${who} replied to your status`, body: textOf(subject) };
    case 'REACTION':
      return { title: `${who}${more} reacted to your message`, body: subject.content === 'TEXT' ? [subject.emoji, subject.text].filter(Boolean).join(' ') : '' };
    case 'INCOMING_CALL':
      return { title: `${who} is calling`, body: `${callOf(subject)}${inChat(subject)}` };
    case 'MISSED_CALL':
      return { title: `Missed call from ${who}`, body: `${callOf(subject)}${inChat(subject)}` };
    case 'CONTACT_ADDED':
      return { title: `${who} added you as a contact`, body: '' };
    case 'CHAT_ADDED':
      return { title: `${who} added you to ${where}`, body: '' };
    case 'GROUP_REQUEST':
      return { title: `${who}${more} would like to join ${subject.groupName ?? 'your group'}`, body: '' };
    case 'LOW_STOCK':
      return { title: 'Little is left', body: 'Something that your shop sells runs out.' };
    case 'DATA_EXPORT_READY':
      return { title: 'The copy of your data is ready', body: 'Fetch it while it is kept.' };
    case 'DATA_EXPORT_EXPIRED':
      return { title: 'The copy of your data has expired', body: 'It can be asked for anew.' };
    case 'WEBHOOK_DISABLED':
      return { title: 'A webhook was switched off', body: 'Its endpoint could not be reached.' };
  }
}

function messages(subject: PushSubject, who: string): { title: string; body: string } {
  const group = subject.kind === 'GROUP_MESSAGE';
  const newest = subject.content === 'TEXT' ? `${group ? `${who}: ` : ''}${textOf(subject)}` : '';
  const howMany = subject.count > 1 ? `${subject.count} new messages` : newest ? '' : 'New message';
  return { title: group ? (subject.chatTitle ?? who) : who, body: [howMany, newest].filter(Boolean).join('\n') };
}

const inChat = ({ chatKind, chatTitle }: PushSubject): string => (chatKind === 'GROUP' && chatTitle ? ` in ${chatTitle}` : '');
const callOf = ({ callKind }: PushSubject): string => (callKind === 'VIDEO' ? 'Video call' : 'Voice call');

/** The text, or what stands for a message that has none. */
function textOf({ content, text, messageKind, cardType }: PushSubject): string {
  if (content !== 'TEXT') return 'New message';
  if (text) return text;
  if (messageKind === 'VOICE') return 'Voice message';
  if (messageKind === 'MEDIA') return 'Attachment';
  if (cardType === 'poll') return 'Poll';
  if (cardType === 'location') return 'Location';
  if (cardType === 'news') return 'News article';
  return 'New message';
}

const segments = new Intl.Segmenter();

/** At most so many bytes as JSON has them, cut between characters as people see them. */
function cut(text: string, maxBytes: number): string {
  const size = (part: string) => Buffer.byteLength(JSON.stringify(part)) - 2;
  if (size(text) <= maxBytes) return text;
  let kept = '';
  let bytes = size('…');
  // A prefix is enough: no character is less than a byte.
  for (const { segment } of segments.segment(text.slice(0, maxBytes))) {
    bytes += size(segment);
    if (bytes > maxBytes) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
