import { Field, ObjectType } from 'type-graphql';
import { Role } from './enums.js';

@ObjectType('Viewer', { description: 'The one who asks.' })
export class ViewerType {
  @Field(() => [Role]) roles: ('USER' | 'MODERATOR' | 'ADMIN')[];
}
