import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

@ObjectType('ProductCategory')
export class ProductCategoryType {
  @Field(() => ID) id: string;
  @Field(() => ID, { nullable: true, description: 'The category above; null: none.' }) parentId: string | null;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'Its name in addresses and files; unique in the shop.' }) slug: string;
}

@ObjectType('StockLocation', { description: 'Where a shop keeps what it sells.' })
export class StockLocationType {
  @Field(() => ID) id: string;
  @Field(() => String) name: string;
}

@ObjectType('Shop', { implements: NodeType })
export class ShopType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String, { description: 'Its name in addresses: unique.' }) slug: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => String, { description: 'The currency in which everything that is sold has a price.' }) currency: string;
  @Field(() => Boolean, { description: 'Payments are held when something is ordered, and taken by capturePayment.' }) holdPayments: boolean;
  @Field(() => Int) version: number;
  @Field(() => DateTime) createdAt: Date;
}

@ObjectType('ShopViewerState', { description: 'What of a shop is for those who run it; null for everybody else.' })
export class ShopViewerStateType {
  @Field(() => [StockLocationType], { description: 'In the order in which orders are served.' }) locations: object[];
  @Field(() => Int, { nullable: true, description: 'With so few left of a variant that was ordered, there is a notification; null: never.' }) lowStockAt: number | null;
}

export const ShopPages = connectionOf('Shop', () => ShopType);

@InputType('CreateShopInput')
export class CreateShopInput {
  @Field(() => String, { description: '1 to 128 bytes.' }) name: string;
  @Field(() => String, { description: 'a–z, 0–9 and single hyphens, at most 100; unique.' }) slug: string;
  @Field(() => String, { nullable: true, description: 'Up to 4 KiB.' }) description?: string | null;
  @Field(() => String, { description: 'ISO 4217. It stays.' }) currency: string;
  @Field(() => ID) idempotencyKey: string;
}
@InputType('UpdateShopInput', { description: 'What is left out stays as it is.' })
export class UpdateShopInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => String, { nullable: true }) description?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Of orders from then on.' }) holdPayments?: boolean | null;
  @Field(() => Int, { nullable: true, description: 'Up to 1000000; at first 5. Null: never tell.' }) lowStockAt?: number | null;
}
@ObjectType('CreateShopPayload')
export class CreateShopPayload {
  @Field(() => ShopType) shop: object;
}
@ObjectType('UpdateShopPayload')
export class UpdateShopPayload {
  @Field(() => ShopType) shop: object;
}

@InputType('CreateCategoryInput')
export class CreateCategoryInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { description: '1 to 128 bytes.' }) name: string;
  @Field(() => String, { nullable: true, description: 'Default: made of the name.' }) slug?: string | null;
  @Field(() => ID, { nullable: true, description: 'At most 5 lie above one another.' }) parentId?: string | null;
}
@ObjectType('CreateCategoryPayload')
export class CreateCategoryPayload {
  @Field(() => ProductCategoryType) category: object;
}
@InputType('DeleteCategoryInput')
export class DeleteCategoryInput {
  @Field(() => ID) categoryId: string;
}
@ObjectType('DeleteCategoryPayload')
export class DeleteCategoryPayload {
  @Field(() => ID) categoryId: string;
}

@InputType('CreateStockLocationInput')
export class CreateStockLocationInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { description: 'Unique in the shop; 1 to 128 bytes.' }) name: string;
}
@ObjectType('CreateStockLocationPayload')
export class CreateStockLocationPayload {
  @Field(() => StockLocationType) location: object;
}
