import { Column, Entity, PrimaryColumn } from 'typeorm';

export type MemberRole = 'OWNER' | 'ADMIN' | 'MEMBER';

@Entity('chat_members')
export class ChatMember {
  @PrimaryColumn('uuid', { name: 'chat_id' }) chatId: string;
  @PrimaryColumn('uuid', { name: 'user_id' }) userId: string;
  @Column('text') role: MemberRole;
  @Column('timestamptz', { name: 'joined_at', default: () => 'now()' }) joinedAt: Date;
  @Column('int', { name: 'visible_from_seq', default: 1 }) visibleFromSeq: number;
  @Column('bigint', { name: 'visible_from_pos', default: 0, transformer: { to: (value: number) => value, from: Number } }) visibleFromPos: number;
  @Column('int', { name: 'last_read_seq', default: 0 }) lastReadSeq: number;
  @Column('int', { name: 'last_delivered_seq', default: 0 }) lastDeliveredSeq: number;
  @Column('timestamptz', { name: 'muted_until', nullable: true }) mutedUntil: Date | null;
  @Column('timestamptz', { name: 'pinned_at', nullable: true }) pinnedAt: Date | null;
  @Column('timestamptz', { name: 'archived_at', nullable: true }) archivedAt: Date | null;
  @Column('text', { nullable: true }) draft: string | null;
  @Column('timestamptz', { name: 'draft_updated_at', nullable: true }) draftUpdatedAt: Date | null;
  @Column('timestamptz', { name: 'last_sent_at', nullable: true }) lastSentAt: Date | null;
}
