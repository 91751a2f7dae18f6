import { Field, ObjectType } from 'type-graphql';
import type { UserRole } from '../entities/user.js';
import { Role } from './enums.js';

@ObjectType('Viewer', { description: 'The one who asks.' })
export class ViewerType {
  @Field(() => [Role]) roles: UserRole[];
}
