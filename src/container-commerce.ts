import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import {
  CartCardResolver, CartLineResolver, CartResolver, CartShareResolver, CartVerbsResolver, CART_EVENT_RESOLVERS, ChatCartsResolver, ViewerCartsResolver,
} from './resolvers/carts.js';
import { CategoryFacetResolver, ProductFacetsResolver, ProductSearchResolver } from './resolvers/product-search.js';
import { ProductPeopleResolver, ProductVerbsResolver } from './resolvers/product-verbs.js';
import {
  ProductCardResolver, ProductResolver, ProductReviewResolver, ProductVariantResolver, ProductViewerStateResolver, StockLevelResolver,
} from './resolvers/products.js';
import { ProductCategoryResolver, ShopResolver, ShopVerbsResolver, ShopViewerStateResolver, StockLocationResolver, ViewerShopsResolver } from './resolvers/shops.js';
import { CartService } from './services/commerce/carts.js';
import { ProductExchange } from './services/commerce/product-exchange.js';
import { ProductSearch } from './services/commerce/product-search.js';
import { CardSender, ProductSharing } from './services/commerce/product-sharing.js';
import { ProductService } from './services/commerce/products.js';
import { ReviewService } from './services/commerce/reviews.js';
import { ShopService } from './services/commerce/shops.js';
import { StockService } from './services/commerce/stock.js';
import type { MessageService } from './services/messages.js';

export interface CommerceDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  messages: MessageService;
}
export interface Commerce {
  shops: ShopService;
  products: ProductService;
  carts: CartService;
  resolvers: object[];
}

/** The part of the container that is about what is sold: shops and their catalogues, and carts. */
export function makeCommerce({ db, unitOfWork, messages }: CommerceDeps): Commerce {
  const shops = new ShopService(db.sql, unitOfWork);
  const products = new ProductService(db.sql, unitOfWork);
  const reviews = new ReviewService(unitOfWork);
  const cards = new CardSender(db.sql, messages);
  const carts = new CartService(db.sql, unitOfWork, cards);
  return {
    shops,
    products,
    carts,
    resolvers: [
      new ShopResolver(shops, products), new ShopViewerStateResolver(), new ProductCategoryResolver(), new StockLocationResolver(), new ViewerShopsResolver(shops), new ShopVerbsResolver(shops),
      new ProductResolver(products, reviews), new ProductViewerStateResolver(), new ProductReviewResolver(), new ProductVariantResolver(), new StockLevelResolver(), new ProductCardResolver(),
      new ProductVerbsResolver(products, new StockService(unitOfWork), new ProductExchange(db.sql, unitOfWork)), new ProductPeopleResolver(reviews, new ProductSharing(db.sql, cards)),
      new ProductSearchResolver(new ProductSearch(db.sql)), new ProductFacetsResolver(), new CategoryFacetResolver(),
      new CartResolver(carts), new CartLineResolver(), new CartShareResolver(), new CartCardResolver(), new CartVerbsResolver(carts), new ViewerCartsResolver(carts), new ChatCartsResolver(carts),
      ...CART_EVENT_RESOLVERS.map((resolver) => new resolver()),
    ],
  };
}
