import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { MessageType } from './message.js';
import { ProductReviewType, ProductStatus, ProductType, ProductVariantType } from './product.js';
import { BigIntScalar } from './scalars.js';

export const ExchangeFormat = enumOf('ExchangeFormat', ['CSV', 'JSON']);
export const ImportOutcome = enumOf('ImportOutcome', ['CREATED', 'UPDATED', 'FAILED']);

@InputType('ProductOptionInput')
export class ProductOptionInput {
  @Field(() => String) name: string;
  @Field(() => [String], { description: '1 to 50.' }) values: string[];
}
@InputType('ProductAttributeInput')
export class ProductAttributeInput {
  @Field(() => String, { description: 'Up to 64 bytes, without =.' }) name: string;
  @Field(() => String, { description: 'Up to 256 bytes.' }) value: string;
}
@InputType('VariantPriceInput')
export class VariantPriceInput {
  @Field(() => BigIntScalar, { description: 'In the smallest unit of the currency.' }) amount: number;
  @Field(() => String, { description: 'ISO 4217.' }) currency: string;
  @Field(() => BigIntScalar, { nullable: true, description: 'What it cost before.' }) compareAt?: number | null;
}
@InputType('ProductPictureInput', { description: 'Either a file or an address.' })
export class ProductPictureInput {
  @Field(() => ID, { nullable: true, description: 'One of one’s own pictures or videos.' }) fileId?: string | null;
  @Field(() => String, { nullable: true, description: 'http or https.' }) url?: string | null;
}
@InputType('ProductVariantInput')
export class ProductVariantInput {
  @Field(() => String, { description: 'Up to 64 bytes; unique in the shop. A variant is known by it.' }) sku: string;
  @Field(() => [String], { nullable: true, description: 'One value of each option, in their order.' }) optionValues?: string[] | null;
  @Field(() => [VariantPriceInput], { description: 'One a currency.' }) prices: VariantPriceInput[];
  @Field(() => Boolean, { nullable: true, description: 'Default: true.' }) trackStock?: boolean | null;
  @Field(() => Int, { nullable: true }) weightGrams?: number | null;
  @Field(() => ProductPictureInput, { nullable: true, description: 'What shows this one of the variants.' }) picture?: ProductPictureInput | null;
  @Field(() => Int, { nullable: true, description: 'On hand at the first location, of a variant that is new. Later: adjustStock.' }) stock?: number | null;
}

@InputType('CreateProductInput')
export class CreateProductInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { description: 'Up to 256 bytes.' }) title: string;
  @Field(() => String, { nullable: true, description: 'Default: made of the title.' }) slug?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB.' }) description?: string | null;
  @Field(() => [ProductOptionInput], { nullable: true, description: 'At most 3.' }) options?: ProductOptionInput[] | null;
  @Field(() => [ProductAttributeInput], { nullable: true, description: 'At most 50.' }) attributes?: ProductAttributeInput[] | null;
  @Field(() => [ID], { nullable: true, description: 'At most 10.' }) categoryIds?: string[] | null;
  @Field(() => [ProductPictureInput], { nullable: true, description: 'At most 20; the first stands for it.' }) media?: ProductPictureInput[] | null;
  @Field(() => String, { nullable: true, description: 'Default: standard.' }) taxClass?: string | null;
  @Field(() => [ProductVariantInput], { description: 'At most 100.' }) variants: ProductVariantInput[];
  @Field(() => ID) idempotencyKey: string;
}
@InputType('UpdateProductInput', { description: 'What is left out stays as it is; lists are replaced. Variants that are not given are no longer sold.' })
export class UpdateProductInput {
  @Field(() => ID) productId: string;
  @Field(() => Int, { nullable: true, description: 'Changes it only when it is at this version; else STATE_CONFLICT.' }) version?: number | null;
  @Field(() => String, { nullable: true }) title?: string | null;
  @Field(() => String, { nullable: true }) slug?: string | null;
  @Field(() => String, { nullable: true, description: 'Null: none.' }) description?: string | null;
  @Field(() => [ProductOptionInput], { nullable: true }) options?: ProductOptionInput[] | null;
  @Field(() => [ProductAttributeInput], { nullable: true }) attributes?: ProductAttributeInput[] | null;
  @Field(() => [ID], { nullable: true }) categoryIds?: string[] | null;
  @Field(() => [ProductPictureInput], { nullable: true }) media?: ProductPictureInput[] | null;
  @Field(() => String, { nullable: true }) taxClass?: string | null;
  @Field(() => [ProductVariantInput], { nullable: true }) variants?: ProductVariantInput[] | null;
}
@ObjectType('CreateProductPayload')
export class CreateProductPayload {
  @Field(() => ProductType) product: object;
}
@ObjectType('UpdateProductPayload')
export class UpdateProductPayload {
  @Field(() => ProductType) product: object;
}
@InputType('SetProductStatusInput')
export class SetProductStatusInput {
  @Field(() => ID) productId: string;
  @Field(() => ProductStatus) status: 'DRAFT' | 'PUBLISHED' | 'ARCHIVED';
}
@ObjectType('SetProductStatusPayload')
export class SetProductStatusPayload {
  @Field(() => ProductType) product: object;
}

@InputType('AdjustStockInput', { description: 'Either delta or onHand.' })
export class AdjustStockInput {
  @Field(() => ID) variantId: string;
  @Field(() => ID, { nullable: true, description: 'Default: the shop’s first.' }) locationId?: string | null;
  @Field(() => Int, { nullable: true, description: 'How many came in, or went.' }) delta?: number | null;
  @Field(() => Int, { nullable: true, description: 'How many were counted.' }) onHand?: number | null;
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) reason?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('AdjustStockPayload')
export class AdjustStockPayload {
  @Field(() => ProductVariantType) variant: object;
}

@InputType('ImportProductsInput')
export class ImportProductsInput {
  @Field(() => ID) shopId: string;
  @Field(() => ExchangeFormat) format: 'CSV' | 'JSON';
  @Field(() => String, { description: 'As exportProducts gives it; at most 500 products and 512 KiB. What has a slug that is known is updated.' }) content: string;
  @Field(() => Boolean, { defaultValue: false, description: 'Reports, and changes nothing.' }) dryRun: boolean;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('ImportLine')
export class ImportLineType {
  @Field(() => Int, { description: 'Of the file, from 1; in JSON the number of the item.' }) line: number;
  @Field(() => String, { nullable: true }) slug: string | null;
  @Field(() => ImportOutcome) outcome: string;
  @Field(() => String, { nullable: true, description: 'When FAILED: as of errors.' }) code: string | null;
  @Field(() => String, { nullable: true }) field: string | null;
  @Field(() => String, { nullable: true }) message: string | null;
}
@ObjectType('ImportProductsPayload')
export class ImportProductsPayload {
  @Field(() => [ImportLineType], { description: 'A line for each product of the file.' }) lines: object[];
}

@InputType('ReviewProductInput')
export class ReviewProductInput {
  @Field(() => ID) productId: string;
  @Field(() => Int, { description: '1 to 5.' }) rating: number;
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) title?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 8 KiB.' }) text?: string | null;
}
@ObjectType('ReviewProductPayload')
export class ReviewProductPayload {
  @Field(() => ProductReviewType) review: object;
  @Field(() => ProductType) product: object;
}
@InputType('DeleteReviewInput')
export class DeleteReviewInput {
  @Field(() => ID) productId: string;
}
@ObjectType('DeleteReviewPayload')
export class DeleteReviewPayload {
  @Field(() => ProductType) product: object;
}

@InputType('ShareProductInput')
export class ShareProductInput {
  @Field(() => ID) productId: string;
  @Field(() => ID, { nullable: true, description: 'One variant of it.' }) variantId?: string | null;
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true }) text?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('ShareProductPayload')
export class ShareProductPayload {
  @Field(() => MessageType) message: object;
}

@InputType('AttributeFilter')
export class AttributeFilter {
  @Field(() => String) name: string;
  @Field(() => [String], { description: 'One of them.' }) values: string[];
}
@InputType('PriceFilter')
export class PriceFilter {
  @Field(() => String, { description: 'What has no price in it is not found.' }) currency: string;
  @Field(() => BigIntScalar, { nullable: true, description: 'Of the lowest price of a product.' }) min?: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Of the lowest price of a product.' }) max?: number | null;
}
@InputType('ProductFilter')
export class ProductFilterInput {
  @Field(() => ID, { nullable: true }) shopId?: string | null;
  @Field(() => [ID], { nullable: true, description: 'In one of them, or below; at most 50.' }) categoryIds?: string[] | null;
  @Field(() => [AttributeFilter], { nullable: true, description: 'All of them; at most 50.' }) attributes?: AttributeFilter[] | null;
  @Field(() => PriceFilter, { nullable: true }) price?: PriceFilter | null;
  @Field(() => Boolean, { nullable: true }) inStock?: boolean | null;
  @Field(() => Int, { nullable: true, description: '1 to 5.' }) minRating?: number | null;
}
