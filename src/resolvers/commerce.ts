import {
  CartCardResolver, CartLineResolver, CartResolver, CartShareResolver, CartVerbsResolver, CART_EVENT_RESOLVERS, ChatCartsResolver, ViewerCartsResolver,
} from './carts.js';
import { GroupBuyCardResolver, GroupBuyChangedResolver, GroupBuyResolver, GroupBuyViewerStateResolver } from './group-buys.js';
import { CheckoutQuoteResolver, CheckoutResolver, OrderVerbsResolver, SellingTermsResolver, ShortageResolver } from './checkout.js';
import {
  FulfilledLineResolver, FulfillmentResolver, OrderChangedResolver, OrderEventResolver, OrderLineResolver, OrderResolver, OrderShareResolver, OrderTotalsResolver, PaymentResolver, ShippingMethodResolver,
  ShopTermsResolver, ViewerOrdersResolver,
} from './orders.js';
import { NotificationProductResolver, PayoutResolver, ShopSalesResolver } from './merchant.js';
import { OrderPapersResolver, OrderReturnResolver } from './returns.js';
import { SavedAddressResolver, TermChangesResolver, ViewerAddressesResolver } from './selling-terms.js';
import { PaymentFindingResolver } from './payment-findings.js';
import { CategoryFacetResolver, ProductFacetsResolver, ProductSearchResolver } from './product-search.js';
import { ProductPictureResolver } from './product-pictures.js';
import { ProductPeopleResolver, ProductVerbsResolver } from './product-verbs.js';
import { ProductCardResolver, ProductEventResolver, ProductResolver, ProductReviewResolver, ProductVariantResolver, ProductViewerStateResolver, StockLevelResolver } from './products.js';
import { ProductCategoryResolver, ShopResolver, ShopVerbsResolver, ShopViewerStateResolver, StockLocationResolver, ViewerShopsResolver } from './shops.js';

/** Every resolver class of what is sold. */
export const COMMERCE_RESOLVERS = [
  ShopResolver, ShopViewerStateResolver, ProductCategoryResolver, StockLocationResolver, ViewerShopsResolver, ShopVerbsResolver,
  ProductResolver, ProductViewerStateResolver, ProductReviewResolver, ProductVariantResolver, StockLevelResolver, ProductCardResolver, ProductEventResolver, ProductPictureResolver,
  ProductVerbsResolver, ProductPeopleResolver, ProductSearchResolver, ProductFacetsResolver, CategoryFacetResolver,
  CartResolver, CartLineResolver, CartShareResolver, CartCardResolver, CartVerbsResolver, ViewerCartsResolver, ChatCartsResolver, ...CART_EVENT_RESOLVERS,
  GroupBuyResolver, GroupBuyViewerStateResolver, GroupBuyCardResolver, GroupBuyChangedResolver,
  CheckoutResolver, CheckoutQuoteResolver, ShortageResolver, OrderVerbsResolver, SellingTermsResolver, OrderResolver, OrderTotalsResolver, OrderLineResolver, OrderShareResolver, PaymentResolver,
  FulfillmentResolver, FulfilledLineResolver, OrderEventResolver, OrderChangedResolver, ViewerOrdersResolver, ShopTermsResolver, ShippingMethodResolver,
  PaymentFindingResolver, OrderReturnResolver, OrderPapersResolver, PayoutResolver, ShopSalesResolver, NotificationProductResolver, TermChangesResolver, SavedAddressResolver, ViewerAddressesResolver,
];
