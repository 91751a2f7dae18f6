import { Field, ID, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { UserKind } from './enums.js';
import { NodeType } from './node.js';

@ObjectType('User', { implements: NodeType, description: 'A person or a bot. What depends on who asks stands under `viewerState`.' })
export class UserType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String, { description: 'Unique, whatever its case; 3 to 32 of a–z, 0–9, _ and .' }) handle: string;
  @Field(() => String) displayName: string;
  @Field(() => String, { nullable: true }) about: string | null;
  @Field(() => UserKind) kind: 'PERSON' | 'BOT';
}

export const UserPages = connectionOf('User', () => UserType);
