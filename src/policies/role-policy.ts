import type { UserRole } from '../entities/user.js';
import { DomainError, forbidden } from '../lib/errors.js';

/** What somebody may do for the place beyond what everybody may. */
export const PERMISSIONS = {
  /** Decide what is held to be against the rules. */
  MODERATE: ['MODERATOR'],
  SUSPEND: ['MODERATOR'],
  SET_ROLES: [],
  READ_AUDIT: [],
  /** Have somebody's data copied for them. */
  EXPORT_FOR_OTHERS: ['SUPPORT'],
  ERASE_OTHERS: [],
  /** What apps of partners may spend. */
  SET_PLANS: [],
  READ_ANALYTICS: ['ANALYST'],
  RUN_NEWS: [],
  /** See what the reconciliation of payments has found, in all shops; and pay out. */
  READ_BOOKS: [],
  RUN_MODELS: [],
} as const satisfies Record<string, readonly UserRole[]>;
export type Permission = keyof typeof PERMISSIONS;

/** Administrators may everything. */
export const may = (actor: { role: UserRole }, permission: Permission): boolean => actor.role === 'ADMIN' || (PERMISSIONS[permission] as readonly UserRole[]).includes(actor.role);

export function assertMay(actor: { role: UserRole }, permission: Permission, message = 'Your role does not reach to do this.'): void {
  if (!may(actor, permission)) throw forbidden(message);
}

/** Whoever has a role beyond that of everybody is suspended by administrators alone, and nobody suspends themself. */
export function assertCanSuspend(actor: { userId: string; role: UserRole }, target: { id: string; role: UserRole }): void {
  assertMay(actor, 'SUSPEND');
  if (actor.userId === target.id) throw forbidden('Nobody suspends themself.');
  if (target.role !== 'USER' && actor.role !== 'ADMIN') throw forbidden('Only administrators suspend those who have a role.');
}

/** An account is erased by whoever has it, or by an administrator; never while it has a role: that is taken first, so that there is an administrator always. */
export function assertCanErase(actor: { userId: string; role: UserRole }, target: { id: string; role: UserRole }): void {
  if (actor.userId !== target.id) assertMay(actor, 'ERASE_OTHERS');
  if (target.role !== 'USER') throw new DomainError('STATE_CONFLICT', 'Whoever has a role is not erased: an administrator takes it first.');
}
