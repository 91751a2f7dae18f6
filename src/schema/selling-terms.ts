import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { AddressInput } from './order-inputs.js';
import { AddressType, ShippingMethodType } from './order.js';
import { BigIntScalar, DateTime } from './scalars.js';

@InputType('UpdateShippingMethodInput', { description: 'What is left out stays as it is.' })
export class UpdateShippingMethodInput {
  @Field(() => ID) shippingMethodId: string;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Its price, in its currency.' }) amount?: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Null: never free.' }) freeFrom?: number | null;
  @Field(() => [String], { nullable: true }) countries?: string[] | null;
}
@ObjectType('UpdateShippingMethodPayload')
export class UpdateShippingMethodPayload {
  @Field(() => ShippingMethodType) shippingMethod: object;
}
@InputType('DeleteShippingMethodInput')
export class DeleteShippingMethodInput {
  @Field(() => ID) shippingMethodId: string;
}
@ObjectType('DeleteShippingMethodPayload')
export class DeleteShippingMethodPayload {
  @Field(() => ID) shippingMethodId: string;
}
@InputType('DeleteTaxRuleInput')
export class DeleteTaxRuleInput {
  @Field(() => ID) shopId: string;
  @Field(() => String) country: string;
  @Field(() => String) taxClass: string;
}
@ObjectType('DeleteTaxRulePayload')
export class DeleteTaxRulePayload {
  @Field(() => String) country: string;
  @Field(() => String) taxClass: string;
}
@ObjectType('TaxRule')
export class TaxRuleType {
  @Field(() => String) country: string;
  @Field(() => String) taxClass: string;
  @Field(() => Int, { description: 'Millionths: 81000 is 8.1 %.' }) ratePpm: number;
  @Field(() => Boolean, { description: 'Prices hold it already.' }) included: boolean;
}
@InputType('UpdateDiscountInput', { description: 'What is left out stays as it is; null takes a bound away.' })
export class UpdateDiscountInput {
  @Field(() => ID) discountId: string;
  @Field(() => DateTime, { nullable: true, description: 'One that has come ends it.' }) endsAt?: Date | null;
  @Field(() => Int, { nullable: true }) maxUses?: number | null;
  @Field(() => Int, { nullable: true }) maxUsesEach?: number | null;
}
@ObjectType('UpdateDiscountPayload')
export class UpdateDiscountPayload {
  @Field(() => ID) discountId: string;
  @Field(() => String) code: string;
  @Field(() => Int, { description: 'How often it was used.' }) uses: number;
  @Field(() => DateTime, { nullable: true }) endsAt: Date | null;
  @Field(() => Int, { nullable: true }) maxUses: number | null;
  @Field(() => Int, { nullable: true }) maxUsesEach: number | null;
}
@InputType('EndGiftCardInput')
export class EndGiftCardInput {
  @Field(() => ID) giftCardId: string;
}
@ObjectType('EndGiftCardPayload')
export class EndGiftCardPayload {
  @Field(() => ID) giftCardId: string;
}

@ObjectType('SavedAddress')
export class SavedAddressType {
  @Field(() => ID) id: string;
  @Field(() => String, { nullable: true }) label: string | null;
  @Field(() => AddressType) address: object;
}
@InputType('SaveAddressInput')
export class SaveAddressInput {
  @Field(() => ID, { nullable: true, description: 'One that is kept, to change it; default: a new one.' }) addressId?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 64 bytes.' }) label?: string | null;
  @Field(() => AddressInput) address: AddressInput;
}
@ObjectType('SaveAddressPayload')
export class SaveAddressPayload {
  @Field(() => SavedAddressType) address: object;
}
@InputType('DeleteAddressInput')
export class DeleteAddressInput {
  @Field(() => ID) addressId: string;
}
@ObjectType('DeleteAddressPayload')
export class DeleteAddressPayload {
  @Field(() => ID) addressId: string;
}
