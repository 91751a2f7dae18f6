import { Field, InputType, ObjectType } from 'type-graphql';
import { BigIntScalar } from './scalars.js';

@ObjectType('Money', { description: 'An amount in the smallest unit of its currency (cents, yen).' })
export class MoneyType {
  @Field(() => BigIntScalar) amount: number;
  @Field(() => String, { description: 'ISO 4217.' }) currency: string;
}

@InputType('MoneyInput')
export class MoneyInput {
  @Field(() => BigIntScalar, { description: 'In the smallest unit of the currency; 0 to 10¹².' }) amount: number;
  @Field(() => String, { description: 'ISO 4217.' }) currency: string;
}
