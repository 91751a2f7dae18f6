import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { AuditAction as Action } from '../entities/audit.js';
import type { UserRole } from '../entities/user.js';
import { connectionOf } from './connection.js';
import { AuditAction, Role } from './enums.js';
import { DateTime, JsonScalar } from './scalars.js';
import { UserType } from './user.js';

@ObjectType('AuditEntry', { description: 'Something that somebody did for the place. Entries are never changed or removed.' })
export class AuditEntryType {
  @Field(() => ID) id: string;
  @Field(() => DateTime) at: Date;
  @Field(() => AuditAction) action: Action;
  @Field(() => ID, { description: 'Whom or what it was done to.' }) subjectId: string;
  @Field(() => JsonScalar, { description: 'What was decided: an object of codes, numbers and ids, by action.' }) details: object;
}
export const AuditPages = connectionOf('AuditEntry', () => AuditEntryType);

@InputType('AuditFilterInput')
export class AuditFilterInput {
  @Field(() => [AuditAction], { nullable: true }) actions?: Action[] | null;
  @Field(() => ID, { nullable: true, description: 'Done by this person.' }) actorId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Done to whatever has this id.' }) subjectId?: string | null;
}

@InputType('SetUserRolesInput')
export class SetUserRolesInput {
  @Field(() => ID) userId: string;
  @Field(() => [Role], { description: 'All of them: none but USER takes every other away.' }) roles: UserRole[];
}
@ObjectType('SetUserRolesPayload')
export class SetUserRolesPayload {
  @Field(() => UserType) user: object;
  @Field(() => [Role]) roles: UserRole[];
}

@InputType('SuspendUserInput')
export class SuspendUserInput {
  @Field(() => ID) userId: string;
  @Field(() => String, { description: 'For the audit log. Up to 2 KiB.' }) reason: string;
  @Field(() => Int, { nullable: true, description: 'For so long: up to a year. Until they are reinstated, unless told.' }) seconds?: number | null;
}
@ObjectType('SuspendUserPayload')
export class SuspendUserPayload {
  @Field(() => UserType) user: object;
  @Field(() => Boolean) suspended: boolean;
  @Field(() => DateTime, { nullable: true, description: 'Null: when they are reinstated.' }) until: Date | null;
}
@InputType('ReinstateUserInput')
export class ReinstateUserInput {
  @Field(() => ID) userId: string;
  @Field(() => String, { description: 'For the audit log. Up to 2 KiB.' }) reason: string;
}
@ObjectType('ReinstateUserPayload')
export class ReinstateUserPayload {
  @Field(() => UserType) user: object;
  @Field(() => Boolean) suspended: boolean;
}
