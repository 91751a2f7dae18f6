import { DomainError, forbidden, notFound } from '../lib/errors.js';
import { assertRuns, type MemberRole } from './member-policy.js';

export type GroupVisibility = 'PUBLIC' | 'PRIVATE' | 'SECRET';
export type GroupJoinPolicy = 'OPEN' | 'REQUEST' | 'INVITE';
export type GroupMemberState = 'MEMBER' | 'REQUESTED' | 'BANNED';

/** What decides who may do what in a group. */
export interface GroupAccess {
  group: { id: string; visibility: GroupVisibility; joinPolicy: GroupJoinPolicy; memberCount: number };
  membership: { role: MemberRole; state: GroupMemberState } | null;
}
type AsMember = GroupAccess & { membership: NonNullable<GroupAccess['membership']> };

export const isGroupMember = (access: GroupAccess | null): access is AsMember => access?.membership?.state === 'MEMBER';

/** A group that everybody has left, and any group for those whom it has banned, does not exist; a secret one is there for its members alone. */
export function canSeeGroup(access: GroupAccess | null): access is GroupAccess {
  if (!access?.group.memberCount || access.membership?.state === 'BANNED') return false;
  return access.group.visibility !== 'SECRET' || isGroupMember(access);
}

/** Chats and members: of a public group for everybody, else for members. */
export const canSeeInside = (access: GroupAccess | null): boolean => isGroupMember(access) || (canSeeGroup(access) && access.group.visibility === 'PUBLIC');

export function assertCanSeeGroup(access: GroupAccess | null): asserts access is GroupAccess {
  if (!canSeeGroup(access)) throw notFound('group');
}

export function assertIsGroupMember(access: GroupAccess | null): asserts access is AsMember {
  assertCanSeeGroup(access);
  if (!isGroupMember(access)) throw forbidden('Only the members of the group may do this.');
}

export function assertRunsGroup(access: GroupAccess | null): asserts access is AsMember {
  assertIsGroupMember(access);
  assertRuns(access.membership.role, 'group');
}

/** What asking to join comes to; `none` when it has been done before. Throws NOT_FOUND or FORBIDDEN. */
export function joining(access: GroupAccess | null): 'join' | 'request' | 'none' {
  assertCanSeeGroup(access);
  if (isGroupMember(access)) return 'none';
  if (access.group.joinPolicy === 'OPEN') return 'join';
  if (access.group.joinPolicy === 'INVITE') throw forbidden('This group takes those alone who are invited.');
  return access.membership?.state === 'REQUESTED' ? 'none' : 'request';
}

/** What deciding about somebody's request comes to; `none` when it has been decided so before. Throws NOT_FOUND. */
export function deciding(state: GroupMemberState | null, accept: boolean): 'admit' | 'refuse' | 'none' {
  if (state === 'REQUESTED') return accept ? 'admit' : 'refuse';
  if ((state === 'MEMBER' && accept) || (state === null && !accept)) return 'none';
  throw new DomainError('NOT_FOUND', 'There is no such request.', { field: 'userId' });
}

/** People who are not in the group come into its chats by those who run it, or by anybody's hand while it is open to all. */
export const canBringIn = (access: GroupAccess): boolean =>
  isGroupMember(access) && (access.group.joinPolicy === 'OPEN' || access.membership.role !== 'MEMBER');
