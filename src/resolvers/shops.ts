import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { ProductPages, ProductStatus } from '../schema/product.js';
import {
  CreateCategoryInput, CreateCategoryPayload, CreateShopInput, CreateShopPayload, CreateStockLocationInput, CreateStockLocationPayload, DeleteCategoryInput, DeleteCategoryPayload,
  ProductCategoryType, ShopPages, ShopType, ShopViewerStateType, StockLocationType, UpdateShopInput, UpdateShopPayload,
} from '../schema/shop.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { ProductService } from '../services/commerce/products.js';
import type { ShopService } from '../services/commerce/shops.js';
import type { ProductRow } from '../services/loaders/products.js';
import { categoriesOfShop, locationsOfShop, type CategoryRow, type LocationRow, type ShopRow } from '../services/loaders/shops.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => ShopType)
export class ShopResolver {
  constructor(
    private readonly shops: ShopService,
    private readonly products: ProductService,
  ) {}

  @Query(() => ShopType, { nullable: true })
  shop(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<ShopRow | null> {
    context.requireViewer();
    return this.shops.find(context, decodeId('Shop', id));
  }

  @Query(() => ShopType, { nullable: true })
  shopBySlug(@Arg('slug', () => String) slug: string, @Ctx() context: Context): Promise<ShopRow | null> {
    context.requireViewer();
    return this.shops.findBySlug(slug);
  }

  @FieldResolver()
  id(@Root() shop: ShopRow): string {
    return encodeId('Shop', shop.id);
  }

  @FieldResolver(() => UserType)
  owner(@Root() shop: ShopRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, shop.ownerId);
  }

  @FieldResolver(() => [ProductCategoryType], { description: 'All of them, by name; at most 500.' })
  categories(@Root() shop: ShopRow, @Ctx() context: Context): Promise<CategoryRow[] | null> {
    return context.load(categoriesOfShop, shop.id);
  }

  @ViewerDependent()
  @FieldResolver(() => ShopViewerStateType, { nullable: true })
  viewerState(@Root() shop: ShopRow, @Ctx() context: Context): ShopRow | null {
    return context.requireViewer().userId === shop.ownerId ? shop : null;
  }

  @Query(() => ProductPages.Connection, { nullable: true, description: 'All that a shop has, drafts too, the newest first, for whoever runs it; else null. For everybody: searchProducts.' })
  shopCatalogue(
    @Arg('shopId', () => ID) shopId: string,
    @Arg('status', () => ProductStatus, { nullable: true }) status: ProductRow['status'] | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<ProductRow> | null> {
    context.requireViewer();
    return this.products.catalogue(context, decodeId('Shop', shopId, 'shopId'), status ?? null, args);
  }
}

@Resolver(() => ShopViewerStateType)
export class ShopViewerStateResolver {
  @FieldResolver()
  locations(@Root() shop: ShopRow, @Ctx() context: Context): Promise<LocationRow[] | null> {
    return context.load(locationsOfShop, shop.id);
  }
}

@Resolver(() => ProductCategoryType)
export class ProductCategoryResolver {
  @FieldResolver()
  id(@Root() category: CategoryRow): string {
    return encodeId('ProductCategory', category.id);
  }

  @FieldResolver()
  parentId(@Root() { parentId }: CategoryRow): string | null {
    return parentId && encodeId('ProductCategory', parentId);
  }
}

@Resolver(() => StockLocationType)
export class StockLocationResolver {
  @FieldResolver()
  id(@Root() location: LocationRow): string {
    return encodeId('StockLocation', location.id);
  }
}

@Resolver(() => ViewerType)
export class ViewerShopsResolver {
  constructor(private readonly shopService: ShopService) {}

  @FieldResolver(() => ShopPages.Connection, { description: 'Those that the viewer runs, the oldest first.' })
  shops(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ShopRow>> {
    return this.shopService.listOwn(context, context.requireViewer(), args);
  }
}

/** What those who run a shop do with it. */
@Resolver()
export class ShopVerbsResolver {
  constructor(private readonly shops: ShopService) {}

  @Mutation(() => CreateShopPayload, { description: 'At most 20 a person.' })
  async createShop(@Arg('input', () => CreateShopInput) input: CreateShopInput, @Ctx() context: Context): Promise<object> {
    return { shop: await this.shops.create(context.requireViewer(), { ...input }) };
  }

  @Mutation(() => UpdateShopPayload)
  async updateShop(@Arg('input', () => UpdateShopInput) { shopId, ...change }: UpdateShopInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { shop: await this.shops.update(viewer, decodeId('Shop', shopId, 'shopId'), change) };
  }

  @Mutation(() => CreateCategoryPayload)
  async createCategory(@Arg('input', () => CreateCategoryInput) { shopId, parentId, ...given }: CreateCategoryInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const parent = parentId == null ? null : decodeId('ProductCategory', parentId, 'parentId');
    return { category: await this.shops.createCategory(viewer, decodeId('Shop', shopId, 'shopId'), { ...given, parentId: parent }) };
  }

  @Mutation(() => DeleteCategoryPayload, { description: 'With all below it. Products stay, without it.' })
  async deleteCategory(@Arg('input', () => DeleteCategoryInput) { categoryId }: DeleteCategoryInput, @Ctx() context: Context): Promise<object> {
    await this.shops.deleteCategory(context.requireViewer(), decodeId('ProductCategory', categoryId, 'categoryId'));
    return { categoryId };
  }

  @Mutation(() => CreateStockLocationPayload, { description: 'At most 20 a shop; orders are served from the oldest first.' })
  async createStockLocation(@Arg('input', () => CreateStockLocationInput) { shopId, name }: CreateStockLocationInput, @Ctx() context: Context): Promise<object> {
    return { location: await this.shops.createLocation(context.requireViewer(), decodeId('Shop', shopId, 'shopId'), name) };
  }
}
