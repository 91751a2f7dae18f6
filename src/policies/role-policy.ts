import type { UserRole } from '../entities/user.js';
import { forbidden } from '../lib/errors.js';

/** What somebody may do for the place beyond what everybody may. */
export const PERMISSIONS = {
  /** Decide what is held to be against the rules. */
  MODERATE: ['MODERATOR'],
  SUSPEND: ['MODERATOR'],
  SET_ROLES: [],
  READ_AUDIT: [],
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
