import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf, PageInfoType } from './connection.js';
import { enumOf } from './enums.js';
import { MoneyType } from './money.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

export const ProductStatus = enumOf('ProductStatus', ['DRAFT', 'PUBLISHED', 'ARCHIVED'], 'Everybody sees what is PUBLISHED, and those who sell it the rest.');
export const ProductSort = enumOf('ProductSort', ['RELEVANCE', 'NEWEST', 'PRICE_LOW', 'PRICE_HIGH', 'RATING', 'BEST_SELLING'], 'RELEVANCE goes with a query, PRICE_… with filter.price.');

@ObjectType('ProductOption', { description: 'In what variants of a product differ.' })
export class ProductOptionType {
  @Field(() => String) name: string;
  @Field(() => [String]) values: string[];
}
@ObjectType('ProductAttribute', { description: 'What is said of a product, and found by.' })
export class ProductAttributeType {
  @Field(() => String) name: string;
  @Field(() => String) value: string;
}
@ObjectType('ProductPicture', { description: 'A picture or a video: one of our files, or an address elsewhere.' })
export class ProductPictureType {}
@ObjectType('PriceRange', { description: 'From the lowest to the highest price of what is sold of a product.' })
export class PriceRangeType {
  @Field(() => MoneyType) min: object;
  @Field(() => MoneyType) max: object;
}

@ObjectType('StockLevel', { description: 'How many of a variant are at one place.' })
export class StockLevelType {
  @Field(() => ID) locationId: string;
  @Field(() => String) location: string;
  @Field(() => Int) onHand: number;
  @Field(() => Int, { description: 'Of those, how many are for orders.' }) reserved: number;
}

@ObjectType('ProductVariant', { implements: NodeType, description: 'What can be bought: a product with one value of each option.' })
export class ProductVariantType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String, { description: 'By which those who sell it know it: unique in the shop.' }) sku: string;
  @Field(() => Boolean, { description: 'False: no longer sold.' }) active: boolean;
  @Field(() => Boolean, { description: 'False: there is always enough.' }) trackStock: boolean;
  @Field(() => Int, { nullable: true }) weightGrams: number | null;
}

@ObjectType('ProductViewerState')
export class ProductViewerStateType {
  @Field(() => ProductReviewType, { nullable: true, description: 'What the viewer wrote of it.' }) review: object | null;
}

@ObjectType('ProductReview')
export class ProductReviewType {
  @Field(() => ID) id: string;
  @Field(() => Int, { description: '1 to 5.' }) rating: number;
  @Field(() => String, { nullable: true }) title: string | null;
  @Field(() => String, { nullable: true }) text: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime) updatedAt: Date;
}
export const ProductReviewPages = connectionOf('ProductReview', () => ProductReviewType);

@ObjectType('ProductRating')
export class ProductRatingType {
  @Field(() => Float, { nullable: true, description: '1 to 5; null without reviews.' }) average: number | null;
  @Field(() => Int) count: number;
}

@ObjectType('Product', { implements: NodeType, description: 'What a shop sells, in one or more variants.' })
export class ProductType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String, { description: 'Its name in addresses: unique in the shop.' }) slug: string;
  @Field(() => String) title: string;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => ProductStatus) status: string;
  @Field(() => [ProductOptionType]) options: object[];
  @Field(() => [ProductAttributeType]) attributes: object[];
  @Field(() => String, { description: 'By which tax rules know it.' }) taxClass: string;
  @Field(() => Int, { description: 'Grows with every change by those who sell it.' }) version: number;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When it was first published.' }) publishedAt: Date | null;
}
export const ProductPages = connectionOf('Product', () => ProductType);

@ObjectType('CategoryFacet')
export class CategoryFacetType {
  @Field(() => ID) categoryId: string;
  @Field(() => Int, { description: 'Of products in it or below.' }) count: number;
}
@ObjectType('FacetValue')
export class FacetValueType {
  @Field(() => String) value: string;
  @Field(() => Int) count: number;
}
@ObjectType('AttributeFacet')
export class AttributeFacetType {
  @Field(() => String) name: string;
  @Field(() => [FacetValueType]) values: object[];
}
@ObjectType('ProductFacets', { description: 'What is found, by its kinds, under all filters; the most frequent first, at most 300 of categories and of values.' })
export class ProductFacetsType {
  @Field(() => Int) total: number;
  @Field(() => Int) inStock: number;
  @Field(() => PriceRangeType, { nullable: true, description: 'Of the lowest prices, with filter.price.' }) price: object | null;
  @Field(() => [CategoryFacetType]) categories: object[];
  @Field(() => [AttributeFacetType]) attributes: object[];
}

@ObjectType('ProductSearchConnection')
export class ProductSearchConnectionType {
  @Field(() => [ProductPages.Edge]) edges: object[];
  @Field(() => PageInfoType) pageInfo: object;
}

@ObjectType('ProductExport')
export class ProductExportType {
  @Field(() => String) content: string;
  @Field(() => Int, { description: 'Of products.' }) count: number;
  @Field(() => String, { nullable: true, description: 'Where the next page begins; null: this was all.' }) after: string | null;
}

@ObjectType('ProductEvent', { description: 'What is sold, as it is now: its prices, its stock, what is said of it. Ephemeral: of several changes only the last may be told.' })
export class ProductEventType {
  @Field(() => ID) productId: string;
  @Field(() => ProductType, { nullable: true, description: 'Null while it is not published.' }) product: object | null;
}

@ObjectType('ProductCard', { description: 'What can be bought, in a message: with the price and the stock of now, whenever the message is read.' })
export class ProductCardType {
  @Field(() => ID) productId: string;
}
