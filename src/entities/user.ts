import { Column, Entity, PrimaryColumn } from 'typeorm';

export type UserKind = 'PERSON' | 'BOT';
export const USER_ROLES = ['USER', 'MODERATOR', 'SUPPORT', 'ANALYST', 'ADMIN'] as const;
export type UserRole = (typeof USER_ROLES)[number];
export type PresencePrivacy = 'EVERYONE' | 'CONTACTS' | 'NOBODY';

@Entity('users')
export class User {
  @PrimaryColumn('uuid') id: string;
  @Column('text', { default: 'PERSON' }) kind: UserKind;
  @Column('text') handle: string;
  /** The handle lower-cased: handles differ by more than case. */
  @Column('text', { name: 'handle_key' }) handleKey: string;
  @Column('text', { name: 'display_name' }) displayName: string;
  @Column('text', { nullable: true }) about: string | null;
  @Column('text', { name: 'avatar_url', nullable: true }) avatarUrl: string | null;
  @Column('text', { nullable: true }) email: string | null;
  @Column('timestamptz', { name: 'email_verified_at', nullable: true }) emailVerifiedAt: Date | null;
  @Column('text', { nullable: true }) phone: string | null;
  @Column('text', { name: 'password_hash', nullable: true }) passwordHash: string | null;
  @Column('text', { default: 'USER' }) role: UserRole;
  @Column('timestamptz', { name: 'last_seen_at', nullable: true }) lastSeenAt: Date | null;
  @Column('text', { name: 'presence_privacy', default: 'CONTACTS' }) presencePrivacy: PresencePrivacy;
  @Column('boolean', { name: 'find_by_phone', default: true }) findByPhone: boolean;
  @Column('boolean', { default: true }) discoverable: boolean;
  @Column('timestamptz', { name: 'suspended_at', nullable: true }) suspendedAt: Date | null;
  @Column('int', { default: 1 }) version: number;
  @Column('timestamptz', { name: 'created_at', default: () => 'now()' }) createdAt: Date;
}
