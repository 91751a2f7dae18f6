import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { UserType } from './user.js';

@InputType('BlockUserInput')
export class BlockUserInput {
  @Field(() => ID) userId: string;
}
@ObjectType('BlockUserPayload')
export class BlockUserPayload {
  @Field(() => UserType) user: object;
}

@InputType('UnblockUserInput')
export class UnblockUserInput {
  @Field(() => ID) userId: string;
}
@ObjectType('UnblockUserPayload')
export class UnblockUserPayload {
  @Field(() => UserType) user: object;
}
