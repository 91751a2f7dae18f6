import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import type { UserRole } from '../entities/user.js';
import { decodeAnyId, decodeId, encodeId, encodeMessageId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  AuditEntryType, AuditFilterInput, AuditPages, ReinstateUserInput, ReinstateUserPayload, SetUserRolesInput, SetUserRolesPayload, SuspendUserInput, SuspendUserPayload,
} from '../schema/operators.js';
import { UserType } from '../schema/user.js';
import type { AuditLog, AuditRow, AuditSubject } from '../services/audit.js';
import { accountById } from '../services/loaders/accounts.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { RoleService, SuspensionService } from '../services/roles.js';
import type { Context } from './context.js';

/** Who does what for the place. */
@Resolver()
export class RoleResolver {
  constructor(
    private readonly roles: RoleService,
    private readonly suspensions: SuspensionService,
  ) {}

  @Mutation(() => SetUserRolesPayload, { description: 'For administrators. Sessions that stand have the roles within seconds.' })
  async setUserRoles(@Arg('input', () => SetUserRolesInput) { userId, roles }: SetUserRolesInput, @Ctx() context: Context): Promise<{ user: UserRow; roles: UserRole[] }> {
    const key = decodeId('User', userId, 'userId');
    await this.roles.set(context.requireViewer(), key, roles);
    return { user: (await context.load(userById, key))!, roles: [(await context.load(accountById, key))!.role] };
  }

  @Mutation(() => SuspendUserPayload, { description: 'For moderators. Ends the person’s sessions; they can’t sign in until its end, or until they are reinstated. Those who have a role are suspended by administrators alone.' })
  async suspendUser(@Arg('input', () => SuspendUserInput) { userId, reason, seconds = null }: SuspendUserInput, @Ctx() context: Context): Promise<{ user: UserRow; suspended: boolean; until: Date | null }> {
    const key = decodeId('User', userId, 'userId');
    const until = await this.suspensions.suspend(context.requireViewer(), key, { reason, seconds });
    return { user: (await context.load(userById, key))!, suspended: true, until };
  }

  @Mutation(() => ReinstateUserPayload, { description: 'For moderators.' })
  async reinstateUser(@Arg('input', () => ReinstateUserInput) { userId, reason }: ReinstateUserInput, @Ctx() context: Context): Promise<{ user: UserRow; suspended: boolean }> {
    const key = decodeId('User', userId, 'userId');
    await this.suspensions.reinstate(context.requireViewer(), key, reason);
    return { user: (await context.load(userById, key))!, suspended: false };
  }
}

@Resolver(() => AuditEntryType)
export class AuditResolver {
  constructor(private readonly log: AuditLog) {}

  @Query(() => AuditPages.Connection, { description: 'For administrators. The newest first.' })
  auditLog(@Arg('filter', () => AuditFilterInput, { nullable: true }) filter: AuditFilterInput | null, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<AuditRow>> {
    const actorId = filter?.actorId == null ? null : decodeId('User', filter.actorId, 'actorId');
    return this.log.list(context.requireViewer(), { actions: filter?.actions ?? null, actorId, subject: subjectOf(filter?.subjectId ?? null) }, args);
  }

  @FieldResolver(() => ID)
  id(@Root() entry: AuditRow): string {
    return encodeId('AuditEntry', entry.id);
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'Null: the operator, by a command; or somebody who has been erased.' })
  actor(@Root() { actorId }: AuditRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return actorId === null ? null : context.load(userById, actorId);
  }

  @FieldResolver()
  subjectId(@Root() { subjectType, subjectId, subjectSeq }: AuditRow): string {
    return subjectType === 'Message' ? encodeMessageId(subjectId, subjectSeq!) : encodeId(subjectType, subjectId);
  }
}

function subjectOf(id: string | null): AuditSubject | null {
  if (id === null) return null;
  const { type, uuid, seq } = decodeAnyId(id, 'subjectId');
  return { type, id: uuid, ...(seq === undefined ? {} : { seq }) };
}

export const OPERATOR_RESOLVERS = [RoleResolver, AuditResolver];
