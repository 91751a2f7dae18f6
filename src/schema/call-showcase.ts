import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { CallType } from './call.js';
import { DateTime } from './scalars.js';

@ObjectType('ShowcasedProduct', { description: 'A product that the host of a call shows.' })
export class ShowcasedProductType {
  @Field(() => ID) productId: string;
  @Field(() => DateTime) shownAt: Date;
}

@InputType('ShowcaseProductInput')
export class ShowcaseProductInput {
  @Field(() => ID) callId: string;
  @Field(() => ID) productId: string;
  @Field(() => Boolean, { defaultValue: true, description: 'False takes it away. True of one that is shown already brings it to the front.' }) shown: boolean;
}
@ObjectType('ShowcaseProductPayload')
export class ShowcaseProductPayload {
  @Field(() => CallType) call: object;
}
