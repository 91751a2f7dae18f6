import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { InteractiveCardRef } from './bot-card.js';

export type MessageKind = 'TEXT' | 'MEDIA' | 'VOICE' | 'CARD' | 'SYSTEM' | 'ENCRYPTED';
/** Where a forwarded message comes from. */
export interface ForwardRef {
  chatId: string;
  seq: number;
  senderId: string;
  at: string;
}
/** A shared article, as it was. */
export interface NewsCardRef {
  type: 'news';
  articleId: string;
  title: string;
  url: string;
  imageUrl: string | null;
  publisher: string;
}
export interface PagePreviewRef {
  state: 'READY';
  url: string;
  title: string;
  description: string | null;
  imageUrl: string | null;
  siteName: string | null;
}
/** A link to what a shop sells: shown as it is whenever the message is read. */
export interface ProductPreviewRef {
  state: 'READY';
  url: string;
  productId: string;
}
/** What stands behind a link of the text; null: nobody has looked yet. OFF: the sender wants none. */
export type PreviewRef =
  | { state: 'NONE' | 'OFF' }
  | { state: 'PENDING'; url: string }
  | PagePreviewRef
  | ProductPreviewRef;
/** What a card message or a system message is about; a poll's contents stand in tables of their own. */
export type CardRef =
  | { type: 'poll' }
  | { type: 'location'; latitude: number; longitude: number; name: string | null }
  | { type: 'product'; productId: string; variantId: string | null }
  | { type: 'cart'; cartId: string }
  | { type: 'groupbuy'; groupBuyId: string }
  | NewsCardRef
  | BotCardRef
  | InteractiveCardRef
  | StatusRef
  | FilesRef
  | EncryptedRef
  | SystemRef;
/** What a bot's answer rests on, as it stood. */
export interface BotCardRef {
  type: 'bot';
  sources: { title: string; quote: string; url: string | null }[];
}
/** What only the devices of the chat can read: an MLSMessage in base64, which one of them has made in an epoch of the group. */
export interface EncryptedRef {
  type: 'encrypted';
  generation: number;
  epoch: number;
  deviceId: string;
  content: string;
}
/** The status that a message answers. */
export interface StatusRef {
  type: 'status';
  statusId: string;
  authorId: string;
}
/** What is attached; whose files they are stands in file_references. */
export interface FilesRef {
  type: 'files';
  ids: string[];
  /** One for each; left out where none has any. */
  captions?: (string | null)[];
}
export const SYSTEM_ACTIONS = ['MEMBER_JOINED', 'MEMBER_ADDED', 'MEMBER_LEFT', 'MEMBER_REMOVED', 'OWNER_CHANGED', 'TITLE_CHANGED', 'AVATAR_CHANGED', 'MESSAGE_TTL_CHANGED'] as const;
export type SystemAction = (typeof SYSTEM_ACTIONS)[number];
/** What has happened to a chat, told in its history; the message's sender did it. */
export interface SystemRef {
  type: 'system';
  action: SystemAction;
  /** The people whom it happened to. */
  subjectIds: string[];
  /** The new title, or the new seconds; null: none. */
  value?: string | null;
}

@Entity('messages')
export class Message {
  @PrimaryColumn('uuid', { name: 'chat_id' }) chatId: string;
  /** The message's number in its chat. */
  @PrimaryColumn('int') seq: number;
  @Column('uuid', { name: 'sender_id' }) senderId: string;
  @Column('text') kind: MessageKind;
  /** Grows with every change, reactions included. */
  @Column('int', { default: 1 }) version: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt: Date;
  @Column('timestamptz', { name: 'edited_at', nullable: true }) editedAt: Date | null;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt: Date | null;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt: Date | null;
  @Column('int', { name: 'reply_to_seq', nullable: true }) replyToSeq: number | null;
  @Column('int', { name: 'thread_root_seq', nullable: true }) threadRootSeq: number | null;
  @Column('int', { name: 'thread_count', default: 0 }) threadCount: number;
  @Column('timestamptz', { name: 'thread_last_at', nullable: true }) threadLastAt: Date | null;
  @Column('text', { nullable: true }) text: string | null;
  @Column('uuid', { array: true, nullable: true }) mentions: string[] | null;
  @Column('jsonb', { nullable: true }) forward: ForwardRef | null;
  @Column('jsonb', { nullable: true }) card: CardRef | null;
  @Column('jsonb', { nullable: true }) preview: PreviewRef | null;
  /** Counts by emoji in the order of first use. */
  @Column('jsonb', { nullable: true }) reactions: [string, number][] | null;
}
