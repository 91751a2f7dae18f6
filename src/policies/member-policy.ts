import { DomainError, forbidden } from '../lib/errors.js';

/** The roles of a chat, and of a group: there is exactly one OWNER as long as anybody is in. */
export type MemberRole = 'OWNER' | 'ADMIN' | 'MEMBER';

export const runs = (role: MemberRole | null | undefined): boolean => role === 'OWNER' || role === 'ADMIN';

/** `what` names the thing that is run: "chat", "group". */
export function assertRuns(role: MemberRole, what: string): void {
  if (!runs(role)) throw forbidden(`Only those who run the ${what} may do this.`);
}

/** The owner removes anybody, an admin members alone; nobody removes the owner, or by this way themself. */
export function assertCanRemove(actor: MemberRole, target: MemberRole, self: boolean): void {
  if (self) throw new DomainError('STATE_CONFLICT', 'To go oneself is to leave.');
  if (target === 'OWNER' || !(actor === 'OWNER' || (actor === 'ADMIN' && target === 'MEMBER'))) throw forbidden('Your role does not reach to remove this member.');
}

/** What follows from giving a role: nothing, one change, or the ownership passing to the target while the old owner becomes ADMIN. */
export type RoleChange = 'none' | 'set' | 'transfer';

/** Only the owner gives roles. Throws FORBIDDEN, or STATE_CONFLICT where there would be no owner. */
export function roleChange(actor: MemberRole, target: MemberRole, to: MemberRole, self: boolean): RoleChange {
  if (actor !== 'OWNER') throw forbidden('Only the owner gives roles.');
  if (to === target) return 'none';
  if (self) throw new DomainError('STATE_CONFLICT', 'An owner gives the role up by making somebody else owner.');
  return to === 'OWNER' ? 'transfer' : 'set';
}

export interface Heir {
  userId: string;
  role: MemberRole;
  joinedAt: Date;
  /** They can run nothing: a bot, or somebody who is suspended. */
  idle: boolean;
}

/** To whom the ownership passes when an owner leaves: the admin who has been in longest, else such a member; whoever can run nothing only while there is nobody else. Null when nobody is left. */
export function heirOf<Member extends Heir>(others: readonly Member[]): Member | null {
  const before = (a: Member, b: Member) => {
    if (a.idle !== b.idle) return !a.idle;
    if ((a.role === 'ADMIN') !== (b.role === 'ADMIN')) return a.role === 'ADMIN';
    if (a.joinedAt.getTime() !== b.joinedAt.getTime()) return a.joinedAt < b.joinedAt;
    return a.userId < b.userId;
  };
  return others.reduce<Member | null>((heir, member) => (heir === null || before(member, heir) ? member : heir), null);
}
