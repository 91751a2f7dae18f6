import { Column, Entity, PrimaryColumn } from 'typeorm';

export type ChatKind = 'DIRECT' | 'GROUP';
export type ChatEncryption = 'NONE' | 'MLS';

@Entity('chats')
export class Chat {
  @PrimaryColumn('uuid') id: string;
  @Column('text') kind: ChatKind;
  @Column('text', { default: 'NONE' }) encryption: ChatEncryption;
  @Column('text', { nullable: true }) title: string | null;
  @Column('text', { name: 'avatar_url', nullable: true }) avatarUrl: string | null;
  @Column('uuid', { name: 'group_id', nullable: true }) groupId: string | null;
  @Column('text', { name: 'direct_key', nullable: true }) directKey: string | null;
  @Column('int', { name: 'last_seq', default: 0 }) lastSeq: number;
  @Column('timestamptz', { name: 'last_message_at', default: () => 'now()' }) lastMessageAt: Date;
  @Column('int', { name: 'member_count', default: 0 }) memberCount: number;
  /** Grows with every change of who may do what in the chat: see `send_messages` in the first migration. */
  @Column('int', { name: 'acl_version', default: 1 }) aclVersion: number;
  @Column('int', { name: 'slow_mode_seconds', default: 0 }) slowModeSeconds: number;
  @Column('int', { name: 'message_ttl_seconds', nullable: true }) messageTtlSeconds: number | null;
  @Column('int', { default: 1 }) version: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt: Date;
}
