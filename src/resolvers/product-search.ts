import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { CategoryFacetType, ProductFacetsType, ProductSearchConnectionType, ProductSort } from '../schema/product.js';
import { ProductFilterInput } from '../schema/product-inputs.js';
import type { ProductFacets, ProductFilter, ProductFind, ProductSearch, ProductSort as Sort } from '../services/commerce/product-search.js';
import type { ProductRow } from '../services/loaders/products.js';
import type { Context } from './context.js';

const decoded = (filter: ProductFilterInput): ProductFilter => ({
  ...filter,
  shopId: filter.shopId == null ? null : decodeId('Shop', filter.shopId, 'filter.shopId'),
  categoryIds: filter.categoryIds?.map((id) => decodeId('ProductCategory', id, 'filter.categoryIds')) ?? null,
});

type Found = Page<ProductRow> & { find: ProductFind };

@Resolver(() => ProductSearchConnectionType)
export class ProductSearchResolver {
  constructor(private readonly search: ProductSearch) {}

  @Query(() => ProductSearchConnectionType, { description: 'What is published. Words are looked for in titles, attributes, skus and descriptions, the last by its beginning. Default order: by relevance with a query, else the newest first.' })
  async searchProducts(
    @Arg('query', () => String, { nullable: true }) query: string | null,
    @Arg('filter', () => ProductFilterInput, { nullable: true }) filter: ProductFilterInput | null,
    @Arg('sort', () => ProductSort, { nullable: true }) sort: Sort | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Found> {
    context.requireViewer();
    const order = sort ?? (query?.trim() ? 'RELEVANCE' : 'NEWEST');
    const find = this.search.find(query ?? null, decoded(filter ?? {}), order);
    return { ...(await this.search.page(context, find, order, args)), find };
  }

  @FieldResolver(() => ProductFacetsType, { description: 'Read in a statement of its own, only when asked for.' })
  facets(@Root() { find }: Found): Promise<ProductFacets> {
    return this.search.facets(find);
  }
}

@Resolver(() => ProductFacetsType)
export class ProductFacetsResolver {
  @FieldResolver()
  price(@Root() { price, currency }: ProductFacets): object | null {
    return price && { min: { amount: price.min, currency }, max: { amount: price.max, currency } };
  }
}

@Resolver(() => CategoryFacetType)
export class CategoryFacetResolver {
  @FieldResolver()
  categoryId(@Root() { id }: { id: string }): string {
    return encodeId('ProductCategory', id);
  }
}
